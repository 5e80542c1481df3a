import { makeCertificate, until } from '@sluice/event-log/conformance';
import { createPubSubClient } from '@sluice/sandbox-events-client';
import Redis from 'ioredis';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { range, RawClient } from './raw-client';
import { TestService } from './service';

const { cert, key } = makeCertificate();
interface Target {
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

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

describe('a certificate that changes, and clients that need one', () => {
  let service: TestService | undefined;
  const clients: Redis[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) if (client.status === 'ready') await client.quit();
    await service?.stop();
    await writeFile(join(folder, 'cert.pem'), cert);
    await writeFile(join(folder, 'key.pem'), key);
  });

  async function start(settings: Readonly<Record<string, string>>): Promise<TestService> {
    service = await TestService.start({ env: settings });
    return service;
  }

  async function redis({ host, port, token }: Target, tls: ConnectionOptions): Promise<Redis> {
    const client = new Redis({
      host,
      port,
      password: token,
      tls,
      lazyConnect: true,
      retryStrategy: () => null,
      // It waits so long for connections that have failed as well.
      disconnectTimeout: 50,
    });
    // It is told to who waits for the connection.
    client.on('error', () => undefined);
    clients.push(client);
    await client.connect();
    return client;
  }

  const targetOf = async (started: TestService): Promise<Target> => ({
    host: '127.0.0.1',
    port: started.port,
    token: await started.token(),
  });

  it('presents the renewed one to new connections, and goes on with those that are open', async () => {
    const started = await start({ ...env, SLUICE_TLS_RELOAD_INTERVAL: '10ms' });
    const target = await targetOf(started);
    const before = await redis(target, { ca: cert });
    const renewed = makeCertificate();
    await writeFile(join(folder, 'key.pem'), renewed.key);
    await writeFile(join(folder, 'cert.pem'), renewed.cert);
    await until(async () => (await started.metric('sluice_tls_reloads_total', 'renewed')) > 0, 'the renewal');
    expect(await (await redis(target, { ca: renewed.cert })).ping()).toBe('PONG');
    await expect(redis(target, { ca: cert })).rejects.toThrow();
    expect(await before.ping()).toBe('PONG');
  });

  it('lets in clients with a certificate of the authorities alone, where some are named', async () => {
    const client = makeCertificate('a client');
    await writeFile(join(folder, 'clients.pem'), client.cert);
    const started = await start({ ...env, SLUICE_PUBSUB_TLS_CLIENT_CA_FILE: join(folder, 'clients.pem') });
    const target = await targetOf(started);
    expect(await (await redis(target, { ca: cert, ...client })).ping()).toBe('PONG');
    await expect(redis(target, { ca: cert })).rejects.toThrow();
    await expect(redis(target, { ca: cert, ...makeCertificate('another') })).rejects.toThrow();
    expect(await started.metric('sluice_pubsub_protocol_errors_total', 'tls')).toBe(2);
  });

  it('is that of the process where the port has none of its own', async () => {
    const files = { SLUICE_TLS_CERT_FILE: join(folder, 'cert.pem'), SLUICE_TLS_KEY_FILE: join(folder, 'key.pem') };
    const started = await start(files);
    const target = await targetOf(started);
    expect(started.url).toMatch(/^https:/);
    expect(await (await redis(target, { ca: cert })).ping()).toBe('PONG');
    await expect(redis(target, { ca: makeCertificate().cert })).rejects.toThrow();
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
