import { advance, MemoryReadModel, type PublisherGrant, type RecordedRange } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { Publisher, type PublisherOptions } from '../src/publisher';
import { envelope, range, RecordingDeliveryLog, TestSignals } from './tools';

describe('Publisher', () => {
  let model: MemoryReadModel;
  let deliveryLog: RecordingDeliveryLog;
  let test: TestSignals;
  let publishers: Publisher[];
  beforeEach(() => {
    model = new MemoryReadModel();
    deliveryLog = new RecordingDeliveryLog();
    test = new TestSignals();
    publishers = [];
  });
  afterEach(async () => {
    deliveryLog.resume();
    await Promise.all(publishers.map((publisher) => publisher.stop()));
  });

  async function start(holder: string, overrides: Partial<PublisherOptions> = {}): Promise<Publisher> {
    const publisher = new Publisher({ readModel: model, deliveryLog, signals: test.signals, holder, ...overrides });
    publishers.push(publisher);
    await publisher.start();
    return publisher;
  }
  const isActive = () => until(async () => (await test.value('sluice_projector_publisher_active')) === 1, 'active');
  const record = async (count: number) => {
    const envelopes = range(1, count).map((n) => envelope({ data: { n } }));
    return model.record({ envelopes, parked: [], checkpoints: new Map() });
  };
  const recordAndOffer = async (publisher: Publisher, count: number) => {
    const { epoch, recorded } = await record(count);
    publisher.offer(epoch, recorded);
  };
  const publishes = (to: number) =>
    until(() => deliveryLog.positions.length >= to, `${to} events are published`).then(() =>
      expect(deliveryLog.positions).toEqual(range(1, to)),
    );

  it('publishes what was recorded before it came, and what is recorded by others', async () => {
    await record(1_200);
    await start('a');
    await publishes(1_200);
    await record(3);
    await publishes(1_203);
    expect(await test.value('sluice_projector_published_events_total')).toBe(1_203);
  });

  it('publishes what it is offered in runs of bounded size, in order, without a read', async () => {
    const noReads = new Proxy(model, {
      get: (target, name) =>
        name === 'readAll'
          ? () => Promise.reject(new Error('read the model'))
          : (Reflect.get(target, name, target)?.bind?.(target) ?? Reflect.get(target, name, target)),
    });
    const publisher = await start('a', { readModel: noReads });
    await isActive();
    for (const count of [1, 5, 700, 1]) await recordAndOffer(publisher, count);
    await publishes(707);
    expect(Math.max(...deliveryLog.runs.map(({ events }) => events.length))).toBeLessThanOrEqual(500);
    expect(await test.value('sluice_projector_faults_total{place="publish"}')).toBe(0);
    expect(new Set(deliveryLog.runs.map(({ epoch }) => epoch)).size).toBe(1);
  });

  it('reads what is missing between what it is offered, and nothing else', async () => {
    const reading = jest.spyOn(model, 'readAll');
    const publisher = await start('a');
    await isActive();
    deliveryLog.pause();
    for (const _ of range(1, 5)) {
      await recordAndOffer(publisher, 3);
      await record(2);
    }
    deliveryLog.resume();
    await publishes(25);
    const ranges = reading.mock.calls.map(([{ after, upTo }]) => range(after + 1, upTo));
    expect(ranges.flat()).toEqual(range(1, 25).filter((position) => (position - 1) % 5 >= 3));
  });

  it('holds a bounded number of offers while the delivery log hangs, and misses nothing (G9)', async () => {
    const publisher = await start('a');
    await isActive();
    deliveryLog.pause();
    for (const _ of range(1, 13)) await recordAndOffer(publisher, 1_000);
    deliveryLog.resume();
    await publishes(13_000);
  });

  it('is one of many: the others stand by until it goes, and go on where it stopped', async () => {
    const first = await start('a');
    await isActive();
    const second = await start('b');
    const third = await start('c');
    await recordAndOffer(second, 10);
    await recordAndOffer(third, 10);
    await recordAndOffer(first, 10);
    await publishes(30);
    await first.stop();
    await record(5);
    await publishes(35);
    const grant = await model.acquire('d', 60_000);
    expect(grant).toBeUndefined();
  });

  it('does not ask for the right at every commit while it stands by', async () => {
    const first = await start('a');
    await isActive();
    let asked = 0;
    await start('b', {
      readModel: new Proxy(model, {
        get: (target, name) => {
          if (name === 'acquire') asked++;
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      }),
    });
    for (const _ of range(1, 300)) {
      await recordAndOffer(first, 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await publishes(300);
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(100);
  });

  it('publishes runs of bounded size, and keeps a bounded size of offers, whatever events weigh (G9)', async () => {
    const reads: number[] = [];
    const publisher = await start('a', {
      readModel: new Proxy(model, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            const answer: unknown = value.apply(target, args);
            if (name === 'readAll')
              void (answer as Promise<RecordedRange>).then(({ events }) => reads.push(events.length));
            return answer;
          };
        },
      }),
    });
    await isActive();
    deliveryLog.pause();
    const text = 'x'.repeat(200_000);
    // 20 MB in offers of 2 MB, and one of 20 MB: more than may wait.
    for (const count of [...range(1, 10).map(() => 10), 100]) {
      const envelopes = range(1, count).map((n) => envelope({ data: { n, text } }));
      const { epoch, recorded } = await model.record({ envelopes, parked: [], checkpoints: new Map() });
      publisher.offer(epoch, recorded);
    }
    deliveryLog.resume();
    await publishes(200);
    const sizes = deliveryLog.runs.map(({ events }) => events.reduce((sum, { json }) => sum + json.length, 0));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1024 * 1024);
    expect(reads.length).toBeGreaterThan(0);
    expect(Math.max(...reads)).toBeLessThanOrEqual(5);
  });

  it('publishes an event that alone is above the bound of a run', async () => {
    const publisher = await start('a');
    await isActive();
    const { epoch, recorded } = await model.record({
      envelopes: [envelope(), envelope({ data: { text: 'x'.repeat(2_000_000) } }), envelope()],
      parked: [],
      checkpoints: new Map(),
    });
    publisher.offer(epoch, recorded);
    await publishes(3);
  });

  it('takes over from one that died without a word, from its checkpoint', async () => {
    await record(20);
    const dead = (await model.acquire('dead', 50)) as PublisherGrant;
    await model.advance(dead, advance(dead.published, 12));
    await start('b');
    await until(() => deliveryLog.positions.length > 0, 'the lease runs out and is taken');
    expect(deliveryLog.positions[0]).toBe(13);
    const head = (await model.head()).position;
    await until(() => deliveryLog.positions.length >= head - 12, 'it catches up');
    expect(deliveryLog.positions).toEqual(range(13, deliveryLog.positions.length + 12));
    // The one that died cannot make its successor skip anything.
    expect(await model.advance(dead, head)).toBe(false);
  });

  it('stops publishing when its lease is lost, and says so', async () => {
    let isLost = false;
    const publisher = await start('a', {
      readModel: {
        acquire: (holder, leaseMs) => (isLost ? Promise.resolve(undefined) : model.acquire(holder, leaseMs)),
        advance: (grant, published) => (isLost ? Promise.resolve(false) : model.advance(grant, published)),
        release: (grant) => model.release(grant),
        head: () => model.head(),
        readAll: (options) => model.readAll(options),
        onRecorded: (listener) => model.onRecorded(listener),
        beginEpochIfLost: (witness) => model.beginEpochIfLost(witness),
      },
    });
    await recordAndOffer(publisher, 1);
    await publishes(1);
    isLost = true;
    await until(async () => (await test.value('sluice_projector_publisher_active')) === 0, 'it notices');
    await recordAndOffer(publisher, 5);
    await record(5);
    expect(deliveryLog.positions).toEqual([1]);
    isLost = false;
    await record(1);
    await until(() => deliveryLog.positions.at(-1) === 12, 'it publishes again');
    // From its stored checkpoint: it may repeat, and never leaves out.
    expect(deliveryLog.positions).toEqual([1, ...range(1, 12)]);
  });

  it('repeats, with growing pauses, while the delivery log is down, and recovers by itself (G6)', async () => {
    const publisher = await start('a');
    await isActive();
    deliveryLog.failNext = 4;
    const startedAt = performance.now();
    await recordAndOffer(publisher, 3);
    await publishes(3);
    // 50, 100, 200 and 400 ms, where nothing woke it.
    expect(performance.now() - startedAt).toBeGreaterThan(700);
    expect(deliveryLog.attempts).toBe(5);
    expect(await test.value('sluice_projector_faults_total{place="publish"}')).toBe(4);
    await recordAndOffer(publisher, 2);
    await publishes(5);
  });

  it('is not woken out of its pauses: events that come meanwhile do not turn into attempts', async () => {
    const publisher = await start('a');
    await isActive();
    deliveryLog.failNext = Infinity;
    for (const _ of range(1, 500)) {
      await recordAndOffer(publisher, 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(deliveryLog.attempts).toBeLessThan(100);
    deliveryLog.failNext = 0;
    await publishes(500);
  });

  it('survives a read model that is away', async () => {
    let failures = 3;
    await start('a', {
      readModel: {
        acquire: (holder, leaseMs) => model.acquire(holder, leaseMs),
        advance: (grant, published) => model.advance(grant, published),
        release: (grant) => model.release(grant),
        head: () => (failures-- > 0 ? Promise.reject(new Error('away')) : model.head()),
        readAll: (options) => model.readAll(options),
        onRecorded: (listener) => model.onRecorded(listener),
        beginEpochIfLost: (witness) => model.beginEpochIfLost(witness),
      },
    });
    await record(5);
    await publishes(5);
    expect(await test.value('sluice_projector_faults_total{place="publish"}')).toBe(3);
  });

  it('publishes what it was offered last before it stops, and leaves its place in the log', async () => {
    const publisher = await start('a');
    await isActive();
    deliveryLog.pause();
    for (const _ of range(1, 3)) await recordAndOffer(publisher, 600);
    await until(() => deliveryLog.attempts > 0, 'it publishes');
    const stopped = publisher.stop();
    deliveryLog.resume();
    await stopped;
    expect(deliveryLog.positions).toEqual(range(1, 1_800));
    expect(await test.value('sluice_projector_publisher_active')).toBe(0);
    expect(await model.acquire('b', 1_000)).toMatchObject({ published: 1_800 });
  });

  it('looks whether what it published is lost before it leaves its place (G4)', async () => {
    const publisher = await start('a');
    await isActive();
    await recordAndOffer(publisher, 1);
    await publishes(1);
    const [look, move] = [jest.spyOn(model, 'beginEpochIfLost'), jest.spyOn(model, 'advance')];
    await publisher.stop();
    const [looked = Infinity, moved = 0] = [look, move].map(({ mock }) => mock.invocationCallOrder.at(-1));
    expect(looked).toBe(moved - 1);
  });

  it('stops although the delivery log is down; its successor publishes the rest', async () => {
    const publisher = await start('a');
    await isActive();
    deliveryLog.failNext = 1_000;
    await recordAndOffer(publisher, 4);
    await until(() => deliveryLog.attempts > 0, 'it tries');
    await publisher.stop();
    deliveryLog.failNext = 0;
    await start('b');
    await publishes(4);
  });
});
