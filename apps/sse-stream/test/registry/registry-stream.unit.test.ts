import { decodeCursor } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { DOCUMENTED_REGISTRY_EVENT_TYPES, REGISTRY_CATEGORIES, REGISTRY_EVENT_TYPES } from '@sluice/event-schema';
import { DETAILED_REGISTRY_SAMPLES } from '@sluice/event-schema/conformance';
import type { SseOutput } from '@sluice/sse-protocol';
import { REGISTRY_DATA, registryEventOf } from '../events';
import type { SseClient } from '../sse-client';
import { registryEvent, sandboxEvent, startStreams, workspaceEvent, type StreamService } from '../stream-service';

const PATH = '/api/v1/events';
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('GET /api/v1/events', () => {
  let service: StreamService;
  let key: string;
  beforeEach(async () => {
    service = await startStreams({ retryMs: 1_234 });
    key = await service.key();
  });
  afterEach(() => service.stop());

  const open = (query = '', options = {}) => service.openAt(`${PATH}${query}`, { key, ...options });
  const begun = async (client: Promise<SseClient>) => {
    const one = await client;
    await one.has('connected');
    return one;
  };

  it('answers with the documented head', async () => {
    const client = await begun(open('', { headers: { 'x-request-id': 'my-request', origin: 'https://8004.dev' } }));
    expect(client.status).toBe(200);
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-store, must-revalidate',
      connection: 'keep-alive',
      'x-accel-buffering': 'no',
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'Content-Type, X-API-Key',
      vary: 'Origin',
      'x-request-id': 'my-request',
      'x-ratelimit-limit': expect.stringMatching(/^\d+$/),
      'x-ratelimit-remaining': expect.stringMatching(/^\d+$/),
      'x-ratelimit-reset': expect.stringMatching(/^\d{10}$/),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'x-xss-protection': '1; mode=block',
      'referrer-policy': 'strict-origin-when-cross-origin',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'permissions-policy': 'camera=(), microphone=(), geolocation=()',
    });
    for (const name of ['X-Request-ID', 'X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset']) {
      expect(client.header('access-control-expose-headers')).toContain(name);
    }
  });

  it('begins with retry and connected, and says where it is by a block of an id alone', async () => {
    const client = await begun(open('?chainIds=11155111&reputation=true&reachability=true'));
    const [connected] = client.data('connected');
    expect(connected).toEqual({
      type: 'connected',
      subscriptionId: expect.stringMatching(/^sub_\d{13}_[0-9a-z]{7}$/),
      filters: { chainIds: [11155111], reputation: true, reachability: true },
      timestamp: expect.stringMatching(ISO),
    });
    expect(client.text).toBe(
      `retry: 1234\nevent: connected\ndata: ${JSON.stringify(connected)}\n\nid: ${client.lastEventId}\n\n`,
    );
    expect(decodeCursor(client.lastEventId).position).toBe(0);
  });

  it('brings every type with every field of it, type and timestamp, without its details, and nothing else', async () => {
    const client = await begun(open());
    const occurredAt = Date.parse('2024-01-03T12:01:00.000Z');
    const recorded = await service.record(
      ...REGISTRY_EVENT_TYPES.map((type) => registryEvent(type, DETAILED_REGISTRY_SAMPLES[type], { occurredAt })),
    );
    await client.reaches(recorded.length, isDomainEvent);
    for (const type of REGISTRY_EVENT_TYPES) {
      expect(client.data(type)).toEqual([{ type, ...REGISTRY_DATA[type], timestamp: '2024-01-03T12:01:00.000Z' }]);
    }
    const ids = client.outputs.flatMap((output) =>
      output.kind === 'event' && output.type !== 'connected' ? [decodeCursor(output.lastEventId).position] : [],
    );
    expect(ids).toEqual(recorded.map(({ event }) => event.position));
    const events = client.text.split('\n\n').slice(2, -1);
    for (const frame of events) expect(frame).toMatch(/^id: [0-9a-z-]+\nevent: [a-z_]+\ndata: \{"type":.*\}$/);
    expect(client.text).not.toContain('\r');
    expect(client.text.match(/^retry:/gm)).toHaveLength(1);
  });

  // Of the documented types in their order, about one agent; 7 and 8 are reputation changes of agents on other chains.
  it.each([
    ['', [1, 2, 3, 4, 5, 6, 7, 8]],
    ['reputation=true', [1, 7, 8]],
    ['registrations=true', [4, 5]],
    ['reputation=true&reachability=true', [1, 2, 7, 8]],
    ['reputation=true&reachability=false', [1, 7, 8]],
    ['reputation=false', [2, 3, 4, 5, 6]],
    ['registrations=false&attestations=0', [1, 2, 6, 7, 8]],
    ['eventTypes=reputation_change,agent_updated', [1, 5, 7, 8]],
    ['eventTypes=reputation_change,agent_updated&registrations=true', [5]],
    ['chainIds=11155111', [1, 2, 3, 4, 5, 6]],
    ['chainIds=abc', [1, 2, 3, 4, 5, 6, 7, 8]],
    ['chainIds=1115511', []],
    ['chainIds=1', [8]],
    ['chainIds=1,84532&reputation=true', [7, 8]],
    ['agentIds=11155111:1234', [1, 2, 3, 4, 5, 6]],
    ['agentIds=1:1234,84532:5', [7, 8]],
    ['agentIds=1:1234,84532:5&chainIds=84532', [7]],
    ['agentIds=11155111:123', []],
    ['agentIds=,', []],
    ['eventTypes=nonsense', []],
    ['eventTypes=reputation_change&reputation=false', []],
    ['validations=true', []],
    ['validations=false', [1, 2, 3, 4, 5, 6, 7, 8]],
  ])('filters by "%s", live and in the past', async (query, expected) => {
    const live = await begun(open(`?${query}`));
    await service.record(
      ...DOCUMENTED_REGISTRY_EVENT_TYPES.map((type) => registryEvent(type)),
      registryEventOf('84532:5'),
      registryEventOf('1:1234'),
      workspaceEvent(),
      sandboxEvent(),
    );
    const past = await begun(open(`?lastEventId=earliest&${query}`));
    // What waits is written before the end, so nothing more can come.
    for (const client of [live, past]) await client.reaches(expected.length, isDomainEvent);
    await service.stopServing();
    for (const client of [live, past]) {
      await client.closed();
      expect(client.data('end')).toMatchObject([{ type: 'end', code: 'shutting_down', retryable: true }]);
      expect(client.outputs.filter(isDomainEvent).map(placeOf)).toEqual(expected);
    }
  });

  it.each(Object.entries(REGISTRY_CATEGORIES))(
    'brings by the flag %s its category, beyond the documented types too, and by false all others',
    async (category, types: readonly string[]) => {
      const [on, off] = [await begun(open(`?${category}=true`)), await begun(open(`?${category}=false`))];
      expect([on, off].map((client) => client.data('connected')[0].filters)).toEqual([
        { [category]: true },
        { [category]: false },
      ]);
      await service.record(...REGISTRY_EVENT_TYPES.map((type) => registryEvent(type)));
      const others = REGISTRY_EVENT_TYPES.filter((type) => !types.includes(type));
      await on.reaches(types.length, isDomainEvent);
      await off.reaches(others.length, isDomainEvent);
      expect([typesOf(on), typesOf(off)]).toEqual([
        REGISTRY_EVENT_TYPES.filter((type) => types.includes(type)),
        others,
      ]);
    },
  );

  it('resumes after the last event, by header and by query, with no gap and no duplicate (G2)', async () => {
    const client = await begun(open());
    await service.record(...[1, 2, 3].map((newScore) => registryEvent('reputation_change', { newScore })));
    await client.has('reputation_change', 3);
    client.destroy();
    await service.record(sandboxEvent(), ...[4, 5].map((newScore) => registryEvent('reputation_change', { newScore })));
    const { lastEventId } = client;
    const resumed = [await open('', { lastEventId }), await open(`?lastEventId=${lastEventId}`)];
    await service.record(registryEvent('reputation_change', { newScore: 6 }));
    for (const each of resumed) {
      await each.has('reputation_change', 3);
      expect(each.data('reputation_change').map(({ newScore }) => newScore)).toEqual([4, 5, 6]);
      expect(each.data('reset')).toEqual([]);
    }
  });

  it('loses nothing of a client that was cut before its first event', async () => {
    const client = await begun(open());
    await until(() => client.lastEventId !== '', 'it says where it is');
    client.destroy();
    await service.record(registryEvent());
    const resumed = await open('', { lastEventId: client.lastEventId });
    await resumed.has('reputation_change');
  });

  it('uses the cursors of every other door (G4)', async () => {
    await service.record(registryEvent(), registryEvent('agent_updated'));
    const stream = await service.open('?family=registry&cursor=earliest', { key });
    await stream.receives(2);
    const first = stream.outputs.find(({ kind }) => kind === 'event');
    const client = await open('', { lastEventId: first?.kind === 'event' ? first.lastEventId : '' });
    await client.has('agent_updated');
    expect(client.data('reputation_change')).toEqual([]);
  });

  it.each([
    ['of the original, which counts frames', () => '17', 'invalid_cursor'],
    ['of nonsense', () => 'x'.repeat(500), 'invalid_cursor'],
    ['of another numbering', (epoch: string) => `1-${epoch === '00000000' ? '1' : '0'}0000000-1`, 'epoch_changed'],
    ['of the future', (epoch: string) => `1-${epoch}-zzz`, 'future_cursor'],
  ])('answers a cursor %s by a reset, and goes on from there (G5)', async (_name, cursorFor, reason) => {
    await service.record(registryEvent());
    const { epoch } = await (await service.host.engine.readModel()).head();
    const cursor = cursorFor(epoch);
    for (const [query, options] of [
      ['', { lastEventId: cursor }],
      [`?lastEventId=${cursor}`, {}],
    ] as const) {
      const client = await open(query, options);
      await client.has('reset');
      expect(client.outputs.slice(0, 3).map((output) => (output.kind === 'event' ? output.type : output.kind))).toEqual(
        ['retry', 'connected', 'reset'],
      );
      const [reset] = client.data('reset');
      expect(reset).toEqual({
        type: 'reset',
        timestamp: expect.stringMatching(ISO),
        reason,
        cursor: client.header('last-event-id'),
      });
      expect(client.lastEventId).toBe(reset.cursor);
      await service.record(registryEvent('agent_updated'));
      await client.has('agent_updated');
      expect(client.data('reputation_change')).toEqual([]);
    }
  });

  it('answers HEAD with the head of the stream and nothing behind it', async () => {
    const client = await open('', { method: 'HEAD' });
    await client.closed();
    expect([client.status, client.text]).toEqual([200, '']);
    expect(client.header('content-type')).toBe('text/event-stream');
    expect(client.header('x-frame-options')).toBe('DENY');
    expect(service.host.limiter.openConnections).toBe(0);
    expect((await service.host.feed()).counts.subscriptions).toBe(0);
  });
});

const isDomainEvent = ({ kind, ...output }: SseOutput) =>
  kind === 'event' && !['connected', 'end'].includes('type' in output ? output.type : '');
const placeOf = (output: SseOutput) => (output.kind === 'event' ? decodeCursor(output.lastEventId).position : 0);
const typesOf = (client: SseClient) =>
  client.outputs.flatMap((output) => (isDomainEvent(output) && output.kind === 'event' ? [output.type] : []));
