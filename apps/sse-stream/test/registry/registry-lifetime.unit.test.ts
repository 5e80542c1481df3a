import { CallerLimiter, issueApiKey, MemoryConnectionSlots, type ConnectionSlots } from '@sluice/access';
import { decodeCursor, SluiceError } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { OPERATOR_KEY, registryEvent, sandboxEvent, startStreams, type StreamService } from '../stream-service';

const PATH = '/api/v1/events';

describe('the life of a registry stream', () => {
  let service: StreamService;
  let key: string;
  afterEach(() => service.stop());

  async function start(...options: Parameters<typeof startStreams>): Promise<void> {
    service = await startStreams(...options);
    key = await service.key();
  }
  const open = (query = '') => service.openAt(`${PATH}${query}`, { key });

  it('has heartbeats that count the frames before them, and a fresh cursor when time went on (G5)', async () => {
    await start({ registryMinHeartbeatMs: 200 });
    const busy = await open('?heartbeat=0');
    const filtered = await open('?heartbeat=-1&agentIds=1:1');
    for (const client of [busy, filtered]) await client.has('heartbeat');
    await service.record(registryEvent(), registryEvent('agent_updated'));
    await busy.has('agent_updated');
    await until(() => decodeCursor(filtered.lastEventId).position === 2, 'the cursor goes on without an event');
    const told = busy.data('heartbeat').length;
    await busy.has('heartbeat', told + 3);
    const timestamp = expect.stringMatching(/Z$/);
    for (const client of [busy, filtered]) {
      const frames = client.outputs.filter(({ kind }) => kind === 'event');
      for (const [sequence, frame] of frames.entries()) {
        if (frame.kind !== 'event' || frame.type !== 'heartbeat') continue;
        expect(JSON.parse(frame.data)).toEqual({ type: 'heartbeat', timestamp, sequence });
      }
    }
    expect(filtered.text).toMatch(/event: heartbeat\ndata: \{"type":"heartbeat".*\}\n\nid: [0-9a-z-]+\n\n/);
    // Between the last two nothing moved, so nothing is said of it.
    expect(busy.text).toMatch(/event: heartbeat\ndata: .*\n\nevent: heartbeat\ndata: .*\n\n$/);
  });

  it('has a heartbeat at the interval that was asked for, and traffic does not move it', async () => {
    await start({ registryMinHeartbeatMs: 300 });
    const startedAtMs = performance.now();
    const client = await open('?heartbeat=0');
    const idle = await open('?heartbeat=60');
    let records = 0;
    while (client.data('heartbeat').length < 3) {
      await service.record(registryEvent());
      records += 1;
      await client.has('reputation_change', records);
    }
    expect(performance.now() - startedAtMs).toBeGreaterThan(850);
    expect(idle.data('heartbeat')).toEqual([]);
  });

  it('ends without a word after its longest time, and resumes (G2)', async () => {
    await start({ registryMaxDurationMs: 2_500 });
    const client = await open();
    await service.record(registryEvent());
    await client.closed();
    expect(client.isComplete).toBe(true);
    expect(client.data('end', 'reset')).toEqual([]);
    expect(client.data('reputation_change')).toHaveLength(1);
    expect(await service.metric('sluice_sse_streams_ended_total{reason="max_duration"}')).toBe(1);
    await until(() => service.host.limiter.openConnections === 0, 'its place is free');
    await service.record(registryEvent('agent_updated'));
    const next = await service.openAt(PATH, { key, lastEventId: client.lastEventId });
    await next.has('agent_updated');
    expect(next.data('reputation_change')).toEqual([]);
  });

  it('ends with a code when its place among all replicas is lost', async () => {
    const lost: ((reason: SluiceError) => void)[] = [];
    const released: string[] = [];
    const slots: ConnectionSlots = {
      acquire: async (slotKey, limit, onLost) => {
        lost.push(onLost);
        expect(limit).toBe(10);
        return { release: () => released.push(slotKey) };
      },
      close: async () => undefined,
    };
    await start({}, {}, ({ config }) => ({
      limiter: new CallerLimiter(config.access.limits, { slots: async () => slots }),
    }));
    const client = await open();
    const other = await open();
    await client.has('connected');
    lost[0]?.(new SluiceError('too_many_connections', 'The place was taken by another'));
    await client.closed();
    expect(client.data('end')).toEqual([
      {
        type: 'end',
        timestamp: expect.any(String),
        code: 'too_many_connections',
        message: 'The place was taken by another',
        retryable: true,
        cursor: client.lastEventId,
      },
    ]);
    await until(() => released.length === 1, 'the place is given back');
    expect(released[0]).toMatch(/^registry\/key\//);
    expect(await service.metric('sluice_sse_streams_ended_total{reason="too_many_connections"}')).toBe(1);
    await service.record(registryEvent());
    await other.has('reputation_change');
  });

  it('counts the streams of a key over all replicas: never more than ten at once (G9)', async () => {
    const slots = new MemoryConnectionSlots();
    const replica = () =>
      startStreams({}, {}, ({ config }) => ({
        limiter: new CallerLimiter(config.access.limits, { slots: async () => slots }),
      }));
    await start();
    const replicas = await Promise.all([replica(), replica(), replica()]);
    const attempt = async (n: number) => replicas[n % 3]?.openAt(PATH, { key: OPERATOR_KEY });
    const attempts = await Promise.all(Array.from({ length: 60 }, (_, n) => attempt(n)));
    const accepted = attempts.filter((client) => client?.status === 200);
    expect(accepted).toHaveLength(10);
    expect(attempts.filter((client) => client?.status === 429)).toHaveLength(50);
    accepted[0]?.destroy();
    await until(async () => (await attempt(1))?.status === 200, 'the place is free at another replica');
    expect((await attempt(2))?.status).toBe(429);
    await Promise.all(replicas.map((each) => each.stop()));
  });

  it('ends a place that was lost before the stream began', async () => {
    const slots: ConnectionSlots = {
      acquire: async (_key, _limit, onLost) => {
        onLost(new SluiceError('too_many_connections', 'Gone already'));
        return { release: () => undefined };
      },
      close: async () => undefined,
    };
    await start({}, {}, ({ config }) => ({
      limiter: new CallerLimiter(config.access.limits, { slots: async () => slots }),
    }));
    const client = await open();
    await client.closed();
    expect(client.data('end')).toMatchObject([{ code: 'too_many_connections' }]);
  });

  it('ends when its key is revoked', async () => {
    await start();
    const apiKeys = await service.host.engine.apiKeys();
    const issued = await issueApiKey(apiKeys, { workspaceId: 1, role: 'reader', name: 'to be revoked' });
    const client = await service.openAt(PATH, { key: issued.apiKey });
    await apiKeys.revoke({ keyId: issued.record.keyId });
    (await service.host.access()).forgetApiKey(issued.record.keyId);
    await client.closed();
    expect(client.data('end')).toMatchObject([{ type: 'end', code: 'unauthorized', retryable: false }]);
  });

  it('ends a slow subscriber with the reason, from which it resumes without a gap (G5, G9)', async () => {
    await start({ endGraceMs: 60_000 });
    const filler = Array.from({ length: 400 }, (_, n) => `${n}`.padEnd(500, 'x'));
    const client = await open();
    const attentive = await open();
    await client.has('connected');
    client.pause();
    let last = 0;
    const isEnded = async () =>
      (await service.metric('sluice_sse_streams_ended_total{reason="slow_subscriber"}')) === 1;
    while (!(await isEnded()) && last < 500) {
      last += 1;
      await service.record(registryEvent('agent_updated', { changes: [`${last}`, ...filler] }), sandboxEvent());
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.resume();
    await client.closed();
    expect(client.data('end')).toMatchObject([{ code: 'slow_subscriber', retryable: true }]);
    const next = await service.openAt(PATH, { key, lastEventId: client.lastEventId });
    const seen = () => [...client.data('agent_updated'), ...next.data('agent_updated')];
    await until(() => seen().length === last, 'the rest comes');
    expect(seen().map(({ changes }) => Number(changes[0]))).toEqual(Array.from({ length: last }, (_, n) => n + 1));
    await attentive.has('agent_updated', last);
  });
});
