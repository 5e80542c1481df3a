import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { exchange, gate, newMetrics, until } from '../test/harness';
import { build, recorder, statusOf } from '../test/service-fixture';
import { openSocket } from '../test/web-socket-client';
import { Connections } from './connections';
import type { HttpApp, Service, ServiceOptions, WebSocket } from './index';

const ANY_PORT = { host: '127.0.0.1', port: 0 };

describe('port aliases and WebSockets of a service', () => {
  const running: Service[] = [];
  const taken: Server[] = [];
  afterEach(async () => {
    for (const service of running.splice(0)) await service.destroy();
    for (const server of taken.splice(0)) await new Promise((resolve) => server.close(resolve));
  });

  /** A service with one alias, whose sockets are kept. */
  async function start(options: Partial<ServiceOptions> = {}, routes: (app: HttpApp) => void = () => undefined) {
    const sockets = new Set<WebSocket>();
    const { service, lines } = build({
      http: {
        ...ANY_PORT,
        aliases: [{ ...ANY_PORT, setting: 'SLUICE_OTHER_PORT' }],
        maxConnections: 3,
        routes: (app) => {
          app.fastify.post('/echo', (request) => request.body);
          app.fastify.get('/socket', { websocket: true }, (socket) => {
            sockets.add(socket);
            socket.on('message', (data) => socket.send(String(data)));
          });
          routes(app);
        },
      },
      ...options,
    });
    running.push(service);
    const { url, aliasUrls } = await service.start();
    const alias = aliasUrls[0] ?? '';
    return { service, lines, sockets, url, alias, aliasPort: Number(new URL(alias).port) };
  }

  it('serves requests and WebSockets by every port, and says where', async () => {
    const { url, alias, aliasPort, lines } = await start();
    expect(alias).not.toBe(url);
    expect((await statusOf(`${alias}/health`))[0]).toBe(200);
    const body = JSON.stringify({ text: 'x'.repeat(200_000) });
    const head = `POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    expect((await exchange(aliasPort, head, body)).endsWith(body)).toBe(true);
    for (const base of [url, alias]) {
      const { socket, messages, closed } = await openSocket(`${base}/socket`);
      socket.send('hello');
      await until(() => messages.includes('hello'));
      socket.close();
      await closed;
    }
    expect(lines).toContainEqual(expect.objectContaining({ message: 'started', url, aliasUrls: [alias] }));
  });

  it('declines another protocol by an alias too', async () => {
    const { aliasPort } = await start();
    const head = 'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n';
    expect(await exchange(aliasPort, head)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('counts the connections of all ports against one bound', async () => {
    const { url, alias, aliasPort } = await start();
    const opened = [await openSocket(`${url}/socket`), await openSocket(`${alias}/socket`)];
    opened.push(await openSocket(`${alias}/socket`));
    expect(await exchange(aliasPort).catch(() => '')).toBe('');
    await expect(openSocket(`${url}/socket`)).rejects.toThrow();
    opened[0]?.socket.close();
    await opened[0]?.closed;
    await until(() =>
      openSocket(`${alias}/socket`).then(
        () => true,
        () => false,
      ),
    );
  });

  it('tells a taken port of an alias by its setting, and lets go of the first port', async () => {
    const other = createServer();
    taken.push(other);
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const { events, worker, resource } = recorder();
    let ownPort = 0;
    const { service } = build({
      http: {
        ...ANY_PORT,
        aliases: [{ host: '127.0.0.1', port, setting: 'SLUICE_OTHER_PORT' }],
        routes: ({ server }) => void server.once('listening', () => (ownPort = (server.address() as AddressInfo).port)),
      },
      workers: [worker('loop')],
      resources: [resource('pool')],
    });
    await expect(service.start()).rejects.toMatchObject({
      code: 'configuration',
      message: `port ${port} is taken: set SLUICE_OTHER_PORT`,
    });
    expect(events).toEqual(['close pool']);
    await expect(fetch(`http://127.0.0.1:${ownPort}/health`)).rejects.toThrow();
  });

  it('keeps no port that it was told to close before it listened', async () => {
    const connections = new Connections(createHttpServer(), 10, newMetrics());
    const listening = connections.listen(ANY_PORT);
    await connections.closeAliases();
    await expect(exchange(await listening)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('lets the worker of WebSockets close them, by every port, and waits for nothing else', async () => {
    const open = new Set<WebSocket>();
    const worker = {
      name: 'sockets',
      start: () => Promise.resolve(),
      stop: async () => open.forEach((socket) => socket.close(1012, 'shutting_down')),
    };
    const { service, sockets, url, alias } = await start({
      workers: [worker],
      // Whoever waits for the end of this does not end within the time of a test.
      drain: { timeoutMs: 3_600_000, delayMs: 0 },
    });
    const clients = [await openSocket(`${url}/socket`), await openSocket(`${alias}/socket`)];
    await until(() => sockets.size === 2);
    sockets.forEach((socket) => open.add(socket));
    await service.destroy();
    for (const { closed } of clients) expect(await closed).toEqual({ code: 1012, reason: 'shutting_down' });
    await expect(fetch(`${alias}/health`)).rejects.toThrow();
  });

  it('finishes the requests of an alias, and takes no further ones', async () => {
    const held = gate();
    let isWorking = false;
    const { service, alias } = await start({}, ({ fastify }) => {
      fastify.get('/slow', async () => {
        isWorking = true;
        await held.opened;
        return { slow: true };
      });
    });
    const slow = fetch(`${alias}/slow`);
    await until(() => isWorking);
    const destroyed = service.destroy();
    await until(() =>
      fetch(`${alias}/health`).then(
        () => false,
        () => true,
      ),
    );
    held.open();
    expect(await (await slow).json()).toEqual({ slow: true });
    await destroyed;
  });

  it('cuts WebSockets and upgrades that nobody closes within the time of the drain', async () => {
    let isPending = false;
    const { service, url, alias } = await start({ drain: { timeoutMs: 1_000, delayMs: 0 } }, ({ fastify }) => {
      const never = () => {
        isPending = true;
        return new Promise<void>(() => undefined);
      };
      fastify.get('/pending', { websocket: true, onRequest: never }, () => undefined);
    });
    const clients = [await openSocket(`${url}/socket`), await openSocket(`${alias}/socket`)];
    const pending = openSocket(`${alias}/pending`).then(
      () => 'opened',
      () => 'cut',
    );
    await until(() => isPending);
    // It would never end if it waited for those.
    await service.destroy();
    for (const { closed } of clients) expect((await closed).code).toBe(1006);
    expect(await pending).toBe('cut');
  });
});
