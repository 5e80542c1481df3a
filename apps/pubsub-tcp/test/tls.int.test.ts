import { until } from '@sluice/event-log/conformance';
import { createPubSubClient } from '@sluice/sandbox-events-client';
import Redis from 'ioredis';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { makeCertificate } from './certificate';
import { range, RawClient } from './raw-client';
import { TestService } from './service';

const { cert, key } = makeCertificate();
let folder: string;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
  env = { SLUICE_PUBSUB_TLS_CERT_FILE: join(folder, 'cert.pem'), SLUICE_PUBSUB_TLS_KEY_FILE: join(folder, 'key.pem') };
  await writeFile(join(folder, 'cert.pem'), cert);
  await writeFile(join(folder, 'key.pem'), key);
});
afterAll(() => rm(folder, { recursive: true }));

describe('the port with a certificate', () => {
  let service: TestService;

  beforeEach(async () => {
    service = await TestService.start({ env, limits: { sweepMs: 20 } });
  });
  afterEach(() => service.stop());

  it('serves both dialects over TLS', async () => {
    const token = await service.token();
    const tls = { ca: cert };
    const lines = createPubSubClient({
      host: '127.0.0.1',
      port: service.port,
      accessToken: token,
      sandboxId: 'box-1',
      tls,
    });
    const redis = new Redis({ host: '127.0.0.1', port: service.port, password: token, tls });
    const received = { lines: 0, redis: 0 };
    lines.on('event', () => received.lines++);
    redis.on('message', () => received.redis++);
    await lines.connect();
    await until(() => redis.status === 'ready', 'ioredis');
    await redis.subscribe('box-1');
    await service.appendNumbers(1, 50);
    await until(() => received.lines === 50 && received.redis === 50, 'the events');
    await lines.disconnect();
    await redis.quit();
  });

  it('ends on a line boundary when it stops, though nobody reads its input', async () => {
    const socket = connect({ port: service.port, host: '127.0.0.1', ca: cert });
    const client = new RawClient(service.port, { socket });
    client.send(`SUBSCRIBE box-1 ${await service.token()}`);
    await client.line();
    await service.appendNumbers(1, 300);
    const stopped = service.stop();
    client.send(...range(0, 1_000).map(() => 'PING'));
    expect(await client.farewell()).toMatch(/^-ERR shutting_down /);
    await stopped;
    await client.whenClosed();
    expect(client.error).toBeUndefined();
  });

  it('lets go of a peer that speaks no TLS or nothing at all', async () => {
    await service.stop();
    service = await TestService.start({ env, limits: { sweepMs: 20, handshakeTimeoutMs: 300 } });
    const plain = new RawClient(service.port);
    plain.send('PING');
    const silent = new RawClient(service.port);
    for (const client of [plain, silent]) await client.whenClosed();
    await until(async () => (await service.metric('sluice_pubsub_protocol_errors_total', 'tls')) === 2, 'both');
    expect(await service.metric('sluice_pubsub_connections')).toBe(0);
  });
});

describe('a certificate that cannot be used', () => {
  it.each([
    ['without its key', { SLUICE_PUBSUB_TLS_KEY_FILE: '' }],
    ['that is not there', { SLUICE_PUBSUB_TLS_CERT_FILE: '/nowhere/cert.pem' }],
    ['of another key', { SLUICE_PUBSUB_TLS_KEY_FILE: 'other.pem' }],
    ['that is none', { SLUICE_PUBSUB_TLS_CERT_FILE: 'none.pem' }],
  ])('%s keeps the service from starting', async (_what, files) => {
    await writeFile(join(folder, 'other.pem'), makeCertificate().key);
    await writeFile(join(folder, 'none.pem'), 'nothing');
    const changed = Object.entries(files).map(([name, file]) => [name, /^\w/.test(file) ? join(folder, file) : file]);
    const started = TestService.start({ env: { ...env, ...(Object.fromEntries(changed) as Record<string, string>) } });
    await expect(started).rejects.toMatchObject({ code: 'configuration' });
  });
});
