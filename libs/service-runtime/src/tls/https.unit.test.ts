import { connect as connectPlain } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { makeCertificate } from '@sluice/event-log/conformance';
import { exchange, until } from '../../test/harness';
import { build, statusOf } from '../../test/service-fixture';
import { CertificateFolder, getOverTls } from '../../test/tls-fixture';
import { openSocket } from '../../test/web-socket-client';
import type { Service, TlsConfig } from '../index';

const own = makeCertificate();
const ca = own.cert;
const ANY_PORT = { host: '127.0.0.1', port: 0 };

describe('a service with a certificate', () => {
  let folder: CertificateFolder;
  const running: Service[] = [];
  beforeEach(async () => {
    folder = await CertificateFolder.create(own);
  });
  afterEach(async () => {
    for (const service of running.splice(0)) await service.destroy();
    await folder.remove();
  });

  async function start(tls: TlsConfig = folder.config(), maxConnections = 50) {
    const built = build({
      http: {
        ...ANY_PORT,
        tls,
        maxConnections,
        aliases: [{ ...ANY_PORT, setting: 'OTHER_PORT' }],
        healthPort: { ...ANY_PORT, setting: 'HEALTH_PORT' },
        routes: ({ fastify }) => {
          fastify.get('/address', (request) => ({ protocol: request.protocol, ip: request.ip }));
          fastify.get('/socket', { websocket: true }, (socket) => {
            socket.on('message', (data) => socket.send(String(data)));
          });
          fastify.get('/stream', { config: { longLived: true } }, (_request, reply) => {
            reply.hijack();
            reply.raw.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
            setImmediate(() => reply.raw.end('data: 2\n\n'));
          });
        },
      },
    });
    running.push(built.service);
    const { url, aliasUrls, healthUrl = '' } = await built.service.start();
    return { ...built, url, port: Number(new URL(url).port), alias: aliasUrls[0] ?? '', healthUrl };
  }

  function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', ca, ...options }, () => resolve(socket));
      socket.once('error', reject);
    });
  }

  it('answers requests, streams and WebSockets over TLS, by every port, and says so to browsers', async () => {
    const { url, alias } = await start();
    for (const base of [url, alias]) {
      expect(base).toMatch(/^https:/);
      const answer = await getOverTls(`${base}/address`, { ca });
      expect(JSON.parse(answer.body)).toEqual({ protocol: 'https', ip: '127.0.0.1' });
      expect(answer.headers).toMatchObject({ 'strict-transport-security': expect.stringContaining('max-age=') });
      expect((await getOverTls(`${base}/stream`, { ca })).body).toBe('data: 1\n\ndata: 2\n\n');
      const { socket, messages, closed } = await openSocket(`${base}/socket`, {}, { ca });
      socket.send('hello');
      await until(() => messages.includes('hello'));
      socket.close();
      await closed;
    }
  });

  it('answers a request that offers another protocol as if it had not, on the same connection', async () => {
    const { port } = await start();
    const socket = await handshake(port);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write('GET /address HTTP/1.1\r\nHost: x\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n');
    await until(() => socket.destroyed);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('has nothing to say without TLS but on the port for health, where there is nothing else', async () => {
    const { port, healthUrl } = await start();
    expect(await exchange(port, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n').catch(() => '')).toBe('');
    for (const path of ['/health', '/ready']) expect((await statusOf(`${healthUrl}${path}`))[0]).toBe(200);
    expect(await (await fetch(`${healthUrl}/metrics`)).text()).toContain('sluice_tls_certificate_expiry_seconds');
    for (const path of ['/address', '/health/../address', '//address', '/openapi.json']) {
      expect(await statusOf(`${healthUrl}${path}`)).toMatchObject([404, { code: 'not_found' }]);
    }
    expect((await fetch(`${healthUrl}/health`, { method: 'POST' })).status).toBe(404);
  });

  it('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    const { port } = await start();
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await handshake(port, { minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
      socket.destroy();
    }
    const ciphers = 'DEFAULT@SECLEVEL=0';
    await expect(handshake(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers })).rejects.toMatchObject({
      code: expect.stringMatching(/PROTOCOL_VERSION/),
    });
  });

  it('presents a renewed certificate to new connections, and goes on with those that are open', async () => {
    const { url, port, lines } = await start();
    const open = await handshake(port);
    const renewed = makeCertificate();
    await folder.write('key.pem', renewed.key);
    await until(() => lines.some(({ message }) => message === 'the certificate cannot be renewed'));
    expect((await getOverTls(`${url}/address`, { ca })).status).toBe(200);
    await folder.write('cert.pem', renewed.cert);
    await until(() => lines.some(({ message }) => message === 'certificate renewed'));
    expect((await getOverTls(`${url}/address`, { ca: renewed.cert })).status).toBe(200);
    await expect(getOverTls(`${url}/address`, { ca })).rejects.toThrow(/self.signed/);
    let text = '';
    open.on('data', (chunk: Buffer) => (text += chunk.toString()));
    open.write('GET /address HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await until(() => open.destroyed);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('lets in peers with a certificate of the authorities alone, where some are named', async () => {
    const peer = makeCertificate('a client');
    await folder.write('clients.pem', peer.cert);
    const { url, healthUrl } = await start(folder.config({ clientAuthorities: 'clients.pem' }));
    expect((await getOverTls(`${url}/address`, { ca, ...peer })).status).toBe(200);
    await expect(getOverTls(`${url}/address`, { ca })).rejects.toThrow();
    await expect(getOverTls(`${url}/address`, { ca, ...makeCertificate('another') })).rejects.toThrow();
    expect((await statusOf(`${healthUrl}/health`))[0]).toBe(200);
  });

  it('cuts who does not shake hands in time, and counts them as connections until then (G9)', async () => {
    const { url, port } = await start(folder.config({ handshakeTimeoutMs: 200 }), 3);
    const silent = [1, 2, 3].map(() => connectPlain(port, '127.0.0.1'));
    for (const socket of silent) socket.on('error', () => undefined);
    await until(() => silent.every(({ readyState }) => readyState === 'open'));
    await expect(getOverTls(`${url}/address`, { ca })).rejects.toThrow();
    await until(() => silent.every((socket) => socket.destroyed || socket.readableEnded || socket.closed));
    await until(() =>
      getOverTls(`${url}/address`, { ca }).then(
        () => true,
        () => false,
      ),
    );
  });

  it('stops while somebody shakes hands, and while somebody who did says nothing', async () => {
    const { port, service } = await start();
    const shaking = connectPlain(port, '127.0.0.1');
    const closed = new Promise((resolve) => shaking.once('close', resolve));
    shaking.on('error', () => undefined).resume();
    await until(() => shaking.readyState === 'open');
    const silent = await handshake(port);
    silent.on('error', () => undefined).resume();
    await service.destroy();
    await closed;
    await until(() => silent.destroyed);
  });
});

describe('files that cannot be used', () => {
  it.each<[string, string, string]>([
    ['key.pem', '', 'THE_KEY: the file holds no private key in PEM without a passphrase'],
    ['key.pem', makeCertificate().key, 'THE_KEY: the key is not that of the certificate in THE_CERT'],
    ['cert.pem', 'nothing', 'THE_CERT: the file holds no certificate in PEM'],
    ['cert.pem', own.key, 'THE_CERT: the file holds no certificate in PEM'],
    ['cert.pem', own.cert.replace('\nM', '\nA'), 'THE_CERT: the file holds a broken certificate'],
    ['cert.pem', 'x'.repeat(1_100_000), 'THE_CERT: the file is too large for what it should hold'],
    ['clients.pem', 'nobody', 'THE_CLIENTS: the file holds no certificate in PEM'],
    ['nowhere.pem', 'elsewhere', 'THE_CLIENTS: the file cannot be read (ENOENT)'],
  ])('keep the service from starting: %s', async (file, content, message) => {
    const folder = await CertificateFolder.create(own);
    await folder.write(file === 'nowhere.pem' ? 'other.pem' : file, content);
    const isClients = !['key.pem', 'cert.pem'].includes(file);
    const tls = folder.config(isClients ? { clientAuthorities: file } : {});
    const { service } = build({ http: { ...ANY_PORT, tls } });
    await expect(service.start()).rejects.toMatchObject({ code: 'configuration', message });
    await folder.remove();
  });
});
