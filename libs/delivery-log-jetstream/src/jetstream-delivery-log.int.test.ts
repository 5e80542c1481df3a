import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { describeDeliveryLog, until } from '@sluice/event-log/conformance';
import { Relay, testNatsUrl } from '@sluice/nats-connection/conformance';
import { openJetStreamDeliveryLog, type JetStreamDeliveryLog } from './jetstream-delivery-log';
import type { JetStreamDeliveryLogOptions, JetStreamMetric } from './options';
import { Collector, openTestLog, range, TEST_RETENTION, testRun, uniqueNames } from './testing/test-log';

let nats: NatsConnection;
let manager: JetStreamManager;

beforeAll(async () => {
  nats = await connect({ servers: testNatsUrl() });
  manager = await jetstreamManager(nats);
});
afterAll(() => nats?.close());

describeDeliveryLog('JetStream', async () => {
  const names = uniqueNames();
  const opened: JetStreamDeliveryLog[] = [];
  return {
    open: async () => {
      const log = await openTestLog(testNatsUrl(), names);
      opened.push(log);
      return log;
    },
    destroy: async () => {
      await Promise.all(opened.map((log) => log.close()));
      await manager.streams.delete(names.stream).catch(() => undefined);
    },
  };
});

describe('JetStreamDeliveryLog', () => {
  const names = { stream: '', subject: '' };
  const opened: JetStreamDeliveryLog[] = [];
  const open = async (overrides: Partial<JetStreamDeliveryLogOptions> = {}) => {
    const log = await openTestLog(testNatsUrl(), names, overrides);
    opened.push(log);
    return log;
  };

  beforeEach(() => Object.assign(names, uniqueNames()));
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.close()));
    await manager.streams.delete(names.stream).catch(() => undefined);
  });

  it('makes a bounded stream on disk, and changes the limits of one that is there', async () => {
    await (await open()).check();
    const before = (await manager.streams.info(names.stream)).config;
    expect(before).toMatchObject({ subjects: [names.subject], storage: 'file', discard: 'old', max_msgs: 100_000 });
    await (await open({ retention: { ...TEST_RETENTION, maxMessages: 5 } })).check();
    expect((await manager.streams.info(names.stream)).config.max_msgs).toBe(5);
  });

  it('leaves a stream with other subjects alone and says so', async () => {
    await manager.streams.add({ name: names.stream, subjects: [`${names.stream}.other`] });
    const log = await open();
    await expect(log.check()).rejects.toMatchObject({ code: 'delivery_log_unavailable' });
    await expect(log.publish(testRun(1))).rejects.toThrow(/other subjects/);
  });

  it('stores a run once that was published twice', async () => {
    const log = await open();
    await log.publish(testRun(1, 3));
    await log.publish(testRun(1, 3));
    expect((await manager.streams.info(names.stream)).state.messages).toBe(1);
  });

  it('leaves out an event that fits into no message, reports it, and delivers the rest', async () => {
    const faults: unknown[] = [];
    const log = await open({ maxPayloadBytes: 2_000, onFault: (error) => faults.push(error) });
    const collector = await new Collector().follow(log);
    const [small, large, later] = [testRun(1, 2), testRun(3, 3, { blob: 'x'.repeat(3_000) }), testRun(4)];
    await log.publish({ epoch: small.epoch, events: [...small.events, ...large.events, ...later.events] });
    await until(() => collector.has(4), 'the rest arrives');
    expect(collector.positions).toEqual([1, 2, 4]);
    expect(faults).toHaveLength(1);
  });

  it('reports malformed messages and goes on', async () => {
    const log = await open();
    const collector = await new Collector().follow(log);
    const withEpoch = headers();
    withEpoch.set('Sluice-Epoch', '0000abcd');
    const bad = ['', 'null', '{"position":0}', '{"position":2}\n{"position":4}', 'no json', Uint8Array.of(0xff)];
    for (const payload of bad) nats.publish(names.subject, payload, { headers: withEpoch });
    nats.publish(names.subject, testRun(1).events[0]?.json);
    await nats.flush();
    await log.publish(testRun(7));
    await until(() => collector.has(7), 'the sound run arrives');
    expect(collector.positions).toEqual([7]);
    expect(collector.faults).toHaveLength(bad.length + 1);
  });

  it('keeps following when onRun throws', async () => {
    const log = await open();
    const faults: unknown[] = [];
    const seen: number[] = [];
    await log.follow({
      onFault: (error) => faults.push(error),
      onRun: ({ events }) => {
        seen.push(events.length);
        if (seen.length === 1) throw new Error('broken reader');
      },
    });
    await log.publish(testRun(1));
    await log.publish(testRun(2));
    await until(() => seen.length === 2, 'the second run arrives');
    expect(faults).toEqual([expect.objectContaining({ message: 'broken reader' })]);
  });

  it('publishes into a new stream after the stream was deleted, and its followers miss nothing', async () => {
    const log = await open();
    const collector = await new Collector().follow(await open());
    for (let round = 0; round < 3; round++) {
      const first = round * 20 + 1;
      for (const n of range(first, first + 9)) await log.publish(testRun(n));
      await until(() => collector.has(first + 9), 'the runs before the deletion arrive');
      await manager.streams.delete(names.stream);
      for (const n of range(first + 10, first + 19)) await log.publish(testRun(n));
      await until(() => collector.has(first + 19), 'the runs after the deletion arrive');
    }
    expect([...new Set(collector.positions)]).toEqual(range(1, 60));
  });

  it('leaves nothing of before in the stream when it forgets, and tells who was away meanwhile', async () => {
    const log = await open();
    const relay = await Relay.prepare(testNatsUrl());
    await relay.open();
    try {
      const forgotten: number[] = [];
      const positions: number[] = [];
      const away = await openTestLog(relay.url, names);
      opened.push(away);
      await away.follow({
        onRun: ({ events }) => positions.push(...events.map(({ event }) => event.position)),
        onForgotten: () => forgotten.push(positions.length),
      });
      for (const n of range(1, 5)) await log.publish(testRun(n));
      await until(() => positions.length === 5, 'the runs arrive');
      await relay.close();
      for (const n of range(6, 9)) await log.publish(testRun(n));
      await log.forget();
      const { state } = await manager.streams.info(names.stream);
      expect(state).toMatchObject({ messages: 1, first_seq: state.last_seq });
      await log.publish(testRun(10));
      await relay.open();
      await until(() => positions.includes(10), 'it comes back');
      // What it had not been given is gone, and it knows.
      expect(positions).toEqual([...range(1, 5), 10]);
      expect(forgotten[0]).toBe(5);
    } finally {
      await relay.close();
    }
  });

  it.each(['is trimmed away', 'is lost with the stream'])(
    'tells who was away to forget, also where the mark %s',
    async (how) => {
      const log = await open({ retention: { ...TEST_RETENTION, maxMessages: 5 } });
      const relay = await Relay.prepare(testNatsUrl());
      await relay.open();
      try {
        const away = await openTestLog(relay.url, names);
        opened.push(away);
        const collector = await new Collector().follow(away);
        for (const n of range(1, 3)) await log.publish(testRun(n));
        await until(() => collector.has(3), 'the runs arrive');
        await relay.close();
        await log.forget();
        if (how === 'is lost with the stream') await manager.streams.delete(names.stream);
        for (const n of range(4, 12)) await log.publish(testRun(n));
        expect(collector.forgotten).toBe(0);
        await relay.open();
        await until(() => collector.has(12), 'it comes back');
        await until(() => collector.forgotten > 0, 'it is told to forget');
      } finally {
        await relay.close();
      }
    },
  );

  it('attaches anew when its consumer was deleted', async () => {
    const log = await open();
    const collector = await new Collector().follow(log);
    await log.publish(testRun(1));
    await until(() => collector.has(1), 'the first run arrives');
    for await (const consumer of manager.consumers.list(names.stream)) {
      await manager.consumers.delete(names.stream, consumer.name);
    }
    for (const n of range(2, 5)) await log.publish(testRun(n));
    await until(() => collector.has(5), 'the later runs arrive');
    expect(collector.positions).toEqual(range(1, 5));
  });

  it('opens without a server, rejects until there is one, and lets go of a waiting follower', async () => {
    const faults: unknown[] = [];
    const log = await openJetStreamDeliveryLog({
      servers: 'nats://127.0.0.1:1',
      ...names,
      retention: TEST_RETENTION,
      onFault: (error) => faults.push(error),
    });
    const waiting = log.follow({ onRun: () => undefined });
    await expect(log.check()).rejects.toMatchObject({ code: 'delivery_log_unavailable' });
    await expect(log.publish(testRun(1))).rejects.toMatchObject({ code: 'delivery_log_unavailable' });
    expect(faults.length).toBeGreaterThan(0);
    await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'delivery_log_unavailable' }), log.close()]);
  });

  it('gives up a follower that cannot attach, and follows when the server comes later (G6)', async () => {
    const relay = await Relay.prepare(testNatsUrl());
    const log = await openTestLog(relay.url, names);
    opened.push(log);
    const early = new Collector();
    await expect(early.follow(log)).rejects.toMatchObject({ code: 'delivery_log_unavailable', retryable: true });
    await relay.open();
    const late = new Collector();
    const follows = () =>
      late.follow(log).then(
        () => true,
        () => false,
      );
    await until(follows, 'the log is followed');
    await log.publish(testRun(1, 3));
    await until(() => late.has(3), 'the run arrives');
    expect(late.positions).toEqual([1, 2, 3]);
    expect(early.positions).toEqual([]);
    // The follower that was given up is gone from the server too.
    expect(await manager.consumers.list(names.stream).next()).toHaveLength(1);
    await log.close();
    await relay.close();
  });

  it('tells its metrics hook what was published and received', async () => {
    const metrics: JetStreamMetric[] = [];
    const log = await open({ onMetric: (metric) => metrics.push(metric) });
    const collector = await new Collector().follow(log);
    await log.publish(testRun(1, 4));
    await until(() => collector.has(4), 'the run arrives');
    expect(metrics).toContainEqual(
      expect.objectContaining({ kind: 'published', events: 4, messages: 1, outcome: 'ok' }),
    );
    expect(metrics).toContainEqual(expect.objectContaining({ kind: 'received', events: 4 }));
    expect(metrics).toContainEqual({ kind: 'follower_attached', start: 'now' });
  });
});
