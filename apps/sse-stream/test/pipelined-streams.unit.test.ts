import { connect, type Socket } from 'node:net';
import { until } from '@sluice/event-log/conformance';
import { startStreams, type StreamService } from './stream-service';

const PLACES = 10;

describe('streams that are pipelined on one connection', () => {
  let service: StreamService;
  let key: string;
  let callers: Socket[];
  beforeEach(async () => {
    // Whoever waits for the end of this does not end within the time of a test.
    service = await startStreams({}, { SLUICE_DRAIN_TIMEOUT: '10m' });
    key = await service.key();
    callers = [];
  });
  afterEach(async () => {
    for (const caller of callers) caller.destroy();
    await service.stop();
  });

  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key}\r\n\r\n`;

  /** A caller that sends all of this at once. */
  function call(...requests: string[]) {
    const { hostname, port } = new URL(service.url);
    const socket = connect(Number(port), hostname, () => socket.write(requests.join('')));
    const caller = { socket, received: '', isClosed: false };
    socket.on('data', (chunk: Buffer) => (caller.received += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => (caller.isClosed = true));
    callers.push(socket);
    return caller;
  }
  const cuts = () => service.metric('sluice_http_pipelines_cut_total{reason="behind_stream"}');
  const streams = () => service.metric('sluice_http_requests_in_hand{kind="long"}');
  const nothingIsHeld = () =>
    until(
      async () =>
        (await streams()) === 0 &&
        service.host.limiter.openConnections === 0 &&
        (await service.host.feed()).counts.subscriptions === 0,
      'nothing is held',
    );
  const allPlacesAreFree = async () => {
    for (let n = 0; n < PLACES; n++) expect((await service.openAt('/api/v1/events', { key })).status).toBe(200);
    expect((await service.openAt('/api/v1/events', { key })).status).toBe(429);
  };

  it.each(['/v1/stream', '/api/v1/events', '/api/events'])(
    'cost a key none of its places behind %s (G9)',
    async (front) => {
      const caller = call(get(front), get('/api/v1/events').repeat(PLACES));
      await until(() => caller.isClosed, 'the connection is cut');
      await nothingIsHeld();
      expect(await cuts()).toBe(1);
      await allPlacesAreFree();
    },
  );

  it('begin in their turn behind a short answer, and hold a place no longer than their connection', async () => {
    const caller = call(get('/health'), get('/api/v1/events'));
    await until(() => caller.received.includes('event: connected'), 'it streams');
    expect(service.host.limiter.openConnections).toBe(1);
    caller.socket.resetAndDestroy();
    await nothingIsHeld();
    expect(await cuts()).toBe(0);
    await allPlacesAreFree();
  });

  it('do not hold up a drain', async () => {
    const caller = call(get('/health').repeat(3), get('/v1/stream'));
    await until(async () => (await streams()) === 1, 'it streams');
    await service.stopServing();
    await until(() => caller.isClosed, 'the connection is closed');
    expect(caller.received).toContain('shutting_down');
  });

  it('are cut when another request comes behind one that streams', async () => {
    const caller = call(get('/v1/stream'));
    await until(() => caller.received.includes('200 OK'), 'it streams');
    caller.socket.write(get('/health'));
    await until(() => caller.isClosed, 'the connection is cut');
    await nothingIsHeld();
    expect(await cuts()).toBe(1);
  });
});
