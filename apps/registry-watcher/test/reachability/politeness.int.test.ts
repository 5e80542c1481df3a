import { createSafeFetch, parsePrivateAllowList } from '@sluice/safe-fetch';
import type { ReachabilitySignals } from '../../src/reachability/reachability-signals';
import { localServers, sayJson, until, type LocalServer } from './local-server';
import { NEVER, probeA2a, proberFor } from './probing';
import { StrictMcpServer } from './strict-mcp-server';

const serve = localServers();

const MIN_INTERVAL_MS = 150;
/** Timers of Node.js may be early by a part of a millisecond. */
const TIMER_TOLERANCE_MS = 2;

const gapsOf = ({ seen }: LocalServer, method: string) => {
  const times = seen.filter((request) => request.method === method).map(({ atMs }) => atMs);
  return times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
};

function recordingSignals() {
  const outcomes: string[] = [];
  const faults: unknown[] = [];
  let holdOffs = 0;
  const signals: ReachabilitySignals = {
    probed: (protocol, outcome) => outcomes.push(`${protocol} ${outcome}`),
    heldOff: () => holdOffs++,
    hostForgotten: () => undefined,
    fault: (error) => faults.push(error),
  };
  return { signals, outcomes, faults, holdOffs: () => holdOffs };
}

it('probes agents on one host one at a time, with a pause between them', async () => {
  const strict = new StrictMcpServer('json');
  const server = await serve((...args) => {
    setImmediate(() => strict.answer(...args));
  });
  const prober = proberFor([server], { politeness: { minIntervalMs: MIN_INTERVAL_MS } });
  const probes = ['0', '1', '2'].map((tokenId) =>
    prober.probe({ tokenId, mcpEndpoint: `${server.url}/${tokenId}` }, NEVER),
  );
  for (const { mcp } of await Promise.all(probes)) expect(mcp).toMatchObject({ reachable: true });
  expect(server.mostAtOnce).toBe(1);
  const gaps = gapsOf(server, 'POST');
  expect(gaps).toHaveLength(2);
  for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(MIN_INTERVAL_MS - TIMER_TOLERANCE_MS);
  // First come, first served.
  expect(server.asked.filter((asked) => asked.startsWith('POST'))).toEqual(['POST /0', 'POST /1', 'POST /2']);
});

it('visits an endpoint once that several agents share, and tells each of them', async () => {
  const strict = new StrictMcpServer('json');
  const server = await serve(strict.answer);
  const prober = proberFor([server]);
  const probeAll = () =>
    Promise.all(['0', '1', '2'].map((tokenId) => prober.probe({ tokenId, mcpEndpoint: server.url }, NEVER)));
  for (const { mcp } of await probeAll()) expect(mcp).toMatchObject({ reachable: true });
  expect(strict.opened).toBe(1);
  await probeAll();
  expect(strict.opened).toBe(2);
});

it('ends the probe of one agent without that of another at the same endpoint', async () => {
  const strict = new StrictMcpServer('json');
  const server = await serve((response, request, index) => {
    if (index > 0) strict.answer(response, request, index);
  });
  const prober = proberFor([server]);
  const abort = new AbortController();
  const ended = prober.probe({ tokenId: '0', mcpEndpoint: server.url }, abort.signal);
  const other = prober.probe({ tokenId: '1', mcpEndpoint: server.url }, NEVER);
  await until(() => server.seen.length === 1);
  abort.abort();
  expect(await ended).not.toHaveProperty('mcp');
  expect((await other).mcp).toMatchObject({ reachable: true });
});

it('pauses between the places of one card too', async () => {
  const server = await serve();
  const prober = proberFor([server], { politeness: { minIntervalMs: MIN_INTERVAL_MS } });
  expect(await probeA2a(prober, server.url)).toMatchObject({ reachable: false });
  const gaps = gapsOf(server, 'GET');
  expect(gaps).toHaveLength(2);
  for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(MIN_INTERVAL_MS - TIMER_TOLERANCE_MS);
});

it('does not let one slow host hold up the others, and counts all of them against the concurrency', async () => {
  const slow = await serve(() => undefined);
  const quick = await serve(new StrictMcpServer('json').answer);
  const prober = proberFor([slow, quick], { concurrency: 2, timeoutMs: 5_000 });
  const abort = new AbortController();
  const stuck = ['0', '1', '2', '3'].map((tokenId) =>
    prober.probe({ tokenId, mcpEndpoint: `${slow.url}/${tokenId}` }, abort.signal),
  );
  await until(() => slow.seen.length === 1);
  expect(prober.load).toEqual({ running: 1, waiting: 3, hosts: 1 });
  const { mcp } = await prober.probe({ tokenId: '9', mcpEndpoint: quick.url }, NEVER);
  expect(mcp).toMatchObject({ reachable: true });
  abort.abort();
  for (const result of await Promise.all(stuck)) expect(result).not.toHaveProperty('mcp');
  expect(slow.asked).toEqual(['POST /0']);
  expect(prober.load).toMatchObject({ running: 0, waiting: 0 });
});

it('has at most so many visits at a time over all hosts, and all of them end (G9)', async () => {
  let open = 0;
  let mostOpen = 0;
  const servers = await Promise.all(
    Array.from({ length: 8 }, () =>
      serve((response) => {
        mostOpen = Math.max(mostOpen, ++open);
        setImmediate(() => {
          open--;
          sayJson(response, { name: 'x' });
        });
      }),
    ),
  );
  const prober = proberFor(servers, { concurrency: 3 });
  const probes = await Promise.all(servers.map(({ url }) => probeA2a(prober, url)));
  expect(probes.every((probe) => probe?.reachable)).toBe(true);
  expect(mostOpen).toBeLessThanOrEqual(3);
});

it('learns nothing from a 429 and leaves the host alone for as long as it asks', async () => {
  const server = await serve((response) => void response.writeHead(429, { 'retry-after': '30' }).end());
  const { signals, outcomes, holdOffs } = recordingSignals();
  const prober = proberFor([server], { signals });
  const target = (tokenId: string) => ({ tokenId, mcpEndpoint: `${server.url}/mcp`, a2aEndpoint: server.url });
  const first = await Promise.all([prober.probe(target('0'), NEVER), prober.probe(target('1'), NEVER)]);
  const second = await prober.probe(target('2'), NEVER);
  for (const result of [...first, second]) {
    expect(result).not.toHaveProperty('mcp');
    expect(result).not.toHaveProperty('a2a');
  }
  expect(server.asked).toEqual(['POST /mcp']);
  expect(holdOffs()).toBe(1);
  expect(new Set(outcomes)).toEqual(new Set(['mcp rate_limited', 'a2a rate_limited']));
});

it('comes back when the time of a host is over, which is bounded whatever it asks', async () => {
  const server = await serve((response, _, index) => {
    if (index === 0) response.writeHead(429, { 'retry-after': '999999999' }).end();
    else sayJson(response, { name: 'x' });
  });
  const prober = proberFor([server], { politeness: { minIntervalMs: 0, maxHoldOffMs: 50 } });
  expect(await probeA2a(prober, server.url)).toBeUndefined();
  await until(async () => (await probeA2a(prober, server.url))?.reachable === true);
  expect(server.asked).toHaveLength(2);
});

it('says that it is busy, and nothing of the endpoint, where too much waits for one host or too many hosts are known', async () => {
  const slow = await serve(() => undefined);
  const other = await serve();
  const { signals, outcomes } = recordingSignals();
  const prober = proberFor([slow, other], {
    signals,
    politeness: { minIntervalMs: 0, maxWaitingPerHost: 1, maxHosts: 1 },
  });
  const abort = new AbortController();
  const probe = (mcpEndpoint: string) => prober.probe({ tokenId: '0', mcpEndpoint }, abort.signal);
  const running = probe(slow.url);
  await until(() => slow.seen.length === 1);
  const waiting = probe(`${slow.url}/2`);
  expect(await probe(`${slow.url}/3`)).not.toHaveProperty('mcp');
  expect(await probe(other.url)).not.toHaveProperty('mcp');
  expect(outcomes).toEqual(['mcp busy', 'mcp busy']);
  abort.abort();
  await Promise.all([running, waiting]);
  expect(other.asked).toEqual([]);
});

it('finishes at a crowded host what it began there', async () => {
  // The third place has the card; whoever comes to it has to wait for three turns.
  const server = await serve((response, { path }) => {
    if (path.includes('.well-known')) response.writeHead(404).end();
    else sayJson(response, { name: 'x' });
  });
  const prober = proberFor([server], { politeness: { minIntervalMs: 1, maxWaitingPerHost: 1 } });
  const abort = new AbortController();
  const first = probeA2a(prober, `${server.url}/agent`);
  let crowd = 0;
  const crowding = Array.from({ length: 3 }, async () => {
    while (!abort.signal.aborted) {
      await prober.probe({ tokenId: '1', mcpEndpoint: `${server.url}/${crowd++}` }, abort.signal);
      // Who is busy is told so at once; the others need their time.
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  expect(await first).toMatchObject({ reachable: true });
  abort.abort();
  await Promise.all(crowding);
});

describe('a redirect to another host', () => {
  const leadingTo = ({ url }: LocalServer, path = '/mcp') =>
    serve((response) => void response.writeHead(307, { location: `${url}${path}` }).end());
  const answering = () => serve((...args) => void setImmediate(() => new StrictMcpServer('json').answer(...args)));

  it('waits for the turn of that host: one visit at a time, with a pause between them', async () => {
    const led = await answering();
    const leading = await Promise.all([leadingTo(led), leadingTo(led), leadingTo(led)]);
    const prober = proberFor([led, ...leading], { politeness: { minIntervalMs: MIN_INTERVAL_MS } });
    const startedAtMs = performance.now();
    const probes = leading.map(async ({ url }) => {
      const { mcp } = await prober.probe({ tokenId: '0', mcpEndpoint: url }, NEVER);
      expect(mcp).toMatchObject({ reachable: true });
      return performance.now() - startedAtMs - (mcp?.latencyMs ?? 0);
    });
    // The wait is not the agent's: what a probe took beyond its latency.
    const waitsMs = (await Promise.all(probes)).sort((a, b) => a - b);
    for (const [turn, waitMs] of waitsMs.entries())
      expect(waitMs).toBeGreaterThanOrEqual(turn * MIN_INTERVAL_MS - (turn + 1) * TIMER_TOLERANCE_MS);
    expect(led.mostAtOnce).toBe(1);
    const gaps = gapsOf(led, 'POST');
    expect(gaps).toHaveLength(2);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(MIN_INTERVAL_MS - TIMER_TOLERANCE_MS);
  });

  it('says nothing where that host wants to be left alone, which is not the wish of the one that led there', async () => {
    const led = await serve((response) => void response.writeHead(429, { 'retry-after': '30' }).end());
    const leading = await leadingTo(led);
    const { signals, outcomes, holdOffs } = recordingSignals();
    const prober = proberFor([led, leading], { signals });
    const probe = (mcpEndpoint: string) => prober.probe({ tokenId: '0', mcpEndpoint }, NEVER);
    expect(await probe(leading.url)).not.toHaveProperty('mcp');
    expect(await probe(leading.url)).not.toHaveProperty('mcp');
    expect(await probe(led.url)).not.toHaveProperty('mcp');
    expect([leading.seen.length, led.asked, holdOffs()]).toEqual([2, ['POST /mcp'], 1]);
    expect(outcomes).toEqual(Array(3).fill('mcp rate_limited'));
    expect(prober.load).toMatchObject({ running: 0, waiting: 0 });
  });

  it('says nothing where that host has no turn in time', async () => {
    const led = await answering();
    const leading = await leadingTo(led);
    const { signals, outcomes } = recordingSignals();
    const prober = proberFor([led, leading], { signals, timeoutMs: 300, politeness: { minIntervalMs: 10_000 } });
    const probe = (mcpEndpoint: string) => prober.probe({ tokenId: '0', mcpEndpoint }, NEVER);
    expect(await probe(led.url)).toMatchObject({ mcp: { reachable: true } });
    expect(await probe(leading.url)).not.toHaveProperty('mcp');
    expect(outcomes).toEqual(['mcp initialized', 'mcp busy']);
    expect(prober.load).toMatchObject({ running: 0, waiting: 0 });
  });

  it('says nothing where most of the time went into waiting for that host', async () => {
    const strict = new StrictMcpServer('json');
    const led = await serve((response, request, index) => {
      if (index === 0) strict.answer(response, request, index);
    });
    const leading = await leadingTo(led);
    const { signals, outcomes } = recordingSignals();
    const prober = proberFor([led, leading], { signals, timeoutMs: 900, politeness: { minIntervalMs: 600 } });
    for (const { url } of [led, leading]) await prober.probe({ tokenId: '0', mcpEndpoint: url }, NEVER);
    expect(led.seen.length).toBeGreaterThan(1);
    expect(outcomes).toEqual(['mcp initialized', 'mcp busy']);
  });

  it('never waits in a circle, nor in the way of others (G9)', async () => {
    const crossing = async (other: () => LocalServer) =>
      serve((response, { path }) => {
        if (path === '/end') sayJson(response, { name: 'x' });
        else response.writeHead(302, { location: `${other().url}/end` }).end();
      });
    const one: LocalServer = await crossing(() => two);
    const two: LocalServer = await crossing(() => one);
    const prober = proberFor([one, two], { concurrency: 1, timeoutMs: 5_000 });
    const probes = await Promise.all([probeA2a(prober, one.url), probeA2a(prober, two.url)]);
    for (const probe of probes) expect(probe).toMatchObject({ reachable: true, detail: 'card' });
    expect(prober.load).toMatchObject({ running: 0, waiting: 0 });
  });
});

it('takes a name with a final dot for the same host', async () => {
  const server = await serve();
  const { port } = new URL(server.url);
  const fetch = createSafeFetch({
    userAgent: 'sluice-test/1.0',
    allowPrivate: parsePrivateAllowList([`a.test:${port}`, `a.test.:${port}`]),
    resolve: () => Promise.resolve(['127.0.0.1']),
  });
  const prober = proberFor([server], { fetch });
  await probeA2a(prober, `http://a.test:${port}`);
  await probeA2a(prober, `http://a.test.:${port}`);
  expect(server.seen.length).toBeGreaterThan(1);
  expect(prober.load.hosts).toBe(1);
});

it('never rejects, not even by a fault of its own', async () => {
  const { signals, faults } = recordingSignals();
  const broken = Object.assign(() => Promise.reject(new Error('no')), {
    open: () => Promise.reject(new TypeError('not a function')),
  });
  const prober = proberFor([], { signals, fetch: broken });
  const result = await prober.probe(
    { tokenId: '0', mcpEndpoint: 'http://a.example', a2aEndpoint: 'http://b.example' },
    NEVER,
  );
  expect(result).toEqual({ target: result.target, probedAt: expect.any(Number) });
  expect(faults).toHaveLength(2);
  expect(prober.load).toMatchObject({ running: 0, waiting: 0 });
});
