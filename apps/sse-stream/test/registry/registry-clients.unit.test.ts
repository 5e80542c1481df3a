import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '@sluice/event-log/conformance';
import { EventSource, type FetchLike } from 'eventsource';
import { registryEvent, startStreams, type StreamService } from '../stream-service';

/** The EventSource of browsers, but with the option `headers`. */
type HeaderEventSource = new (
  url: string,
  options: { headers: Record<string, string> },
) => {
  onopen: () => void;
  onerror: (error: unknown) => void;
  addEventListener(type: string, listener: (event: { data: string; lastEventId: string }) => void): void;
  close(): void;
};

describe('clients that others have written', () => {
  let service: StreamService;
  let key: string;
  const opened: { close(): unknown }[] = [];
  beforeEach(async () => {
    service = await startStreams({ retryMs: 10 });
    key = await service.key();
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) one.close();
    await service.stop();
  });

  const subscribers = async () => (await service.host.feed()).counts.subscriptions;

  it('runs the documented sample for browsers, with an EventSource that can send headers', async () => {
    const said: unknown[][] = [];
    const console = {
      log: (...words: unknown[]) => said.push(words),
      error: (...words: unknown[]) => said.push(words),
    };
    const EventSource = jest.requireActual<HeaderEventSource>('eventsource-with-headers');

    const eventSource = new EventSource(`${service.url}/api/v1/events?chainIds=11155111&reputation=true`, {
      headers: { 'X-API-Key': key },
    });
    opened.push(eventSource);
    eventSource.onopen = () => {
      console.log('Connected to event stream');
    };
    eventSource.addEventListener('reputation_change', (event) => {
      const data = JSON.parse(event.data);
      console.log('Reputation changed:', data.agentId, data.newScore);
    });
    eventSource.addEventListener('heartbeat', () => {
      console.log('Heartbeat received');
    });
    eventSource.onerror = (error) => {
      console.error('SSE error:', error);
    };

    await until(() => said.length === 1, 'it is open');
    await service.record(registryEvent());
    await until(() => said.length === 2, 'the event is told');
    expect(said).toEqual([['Connected to event stream'], ['Reputation changed:', '11155111:1234', 84]]);
  });

  it('serves npm eventsource, which is cut, connects again by itself and misses nothing (G2)', async () => {
    const proxy = await cuttingProxy(service.url);
    opened.push(proxy);
    const lastEventIds: (string | null)[] = [];
    const withKey: FetchLike = (url, init) => {
      const headers = new Headers(init.headers);
      lastEventIds.push(headers.get('last-event-id'));
      headers.set('X-API-Key', key);
      return fetch(url, { ...init, headers });
    };
    const source = new EventSource(`${proxy.url}/api/v1/events`, { fetch: withKey });
    opened.push(source);
    const scores: number[] = [];
    const types: string[] = [];
    source.addEventListener('connected', ({ type }) => types.push(type));
    source.addEventListener('error', () => types.push('error'));
    source.addEventListener('reputation_change', ({ data }) => scores.push(JSON.parse(data).newScore));
    const record = (newScore: number) => service.record(registryEvent('reputation_change', { newScore }));

    await until(() => types.length === 1, 'it is connected');
    await record(1);
    await until(() => scores.length === 1, 'the first comes');
    for (const n of [2, 4, 6]) {
      proxy.cut();
      await until(async () => (await subscribers()) === 0, 'it is cut off');
      await record(n);
      await until(() => scores.includes(n), 'it has connected again and what it missed has come');
      await record(n + 1);
      await until(() => scores.includes(n + 1), 'it is live again');
    }
    expect(scores).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(lastEventIds.length).toBeGreaterThanOrEqual(4);
    expect(lastEventIds[0]).toBeNull();
    for (const id of lastEventIds.slice(1)) expect(id).toMatch(/^1-/);
    expect(types.filter((type) => type === 'connected').length).toBe(lastEventIds.length);
  });

  it('serves npm eventsource with a stream token in the address, as browsers have it', async () => {
    const response = await fetch(`${service.url}/v1/stream-tokens`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      body: JSON.stringify({ scope: { families: ['registry'], chainIds: [11155111] } }),
    });
    const { token } = (await response.json()) as { token: string };
    const source = new EventSource(`${service.url}/api/v1/events?token=${token}`);
    opened.push(source);
    const agents: string[] = [];
    let isOpen = false;
    source.addEventListener('open', () => (isOpen = true));
    source.addEventListener('reputation_change', ({ data }) => agents.push(JSON.parse(data).agentId));
    await until(() => isOpen, 'it is open');
    await service.record(
      registryEvent('reputation_change', { agentId: '1:1', chainId: 1 }),
      registryEvent('reputation_change'),
    );
    await until(() => agents.length > 0, 'the event comes');
    expect(agents).toEqual(['11155111:1234']);
  });

  it('tells npm eventsource what is wrong, so that it gives up', async () => {
    const source = new EventSource(`${service.url}/api/v1/events`);
    opened.push(source);
    const codes: (number | undefined)[] = [];
    source.addEventListener('error', ({ code }) => codes.push(code));
    await until(() => source.readyState === EventSource.CLOSED, 'it gives up');
    expect(codes).toEqual([401]);
  });
});

/** Passes everything on to the service, and cuts all connections when it is told to. */
async function cuttingProxy(target: string): Promise<{ url: string; cut(): void; close(): void }> {
  const server: Server = createServer((request, response) => {
    const { hostname, port } = new URL(target);
    const { url, method, headers } = request;
    const onward = httpRequest({ hostname, port, path: url, method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    cut: () => server.closeAllConnections(),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
