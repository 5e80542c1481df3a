import { connect } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import type { ConnectionLease } from '@sluice/access';
import type { SluiceError } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { afterReading } from '@sluice/nats-connection';
import { OwnServer, Relay } from '@sluice/nats-connection/conformance';
import { DOCUMENT_TTL_MS, MAX_WAITING_PER_KEY, SLOT_BUCKET_BYTES } from './options';
import { ChildReplica } from './testing/child-replica';
import { FAST_TIMING, TestReplicas, type TestReplica } from './testing/test-replicas';

const KEY = 'registry/key/a';
const LIMIT = 10;
const TOO_MANY = expect.objectContaining({ code: 'too_many_connections' });

/** Takes slots, and knows which of them it lost. */
class Holder {
  readonly leases: ConnectionLease[] = [];
  readonly lost: SluiceError[] = [];
  /** Answers that came after more than a second, but for what the process itself was late. */
  lateAnswers = 0;

  constructor(readonly replica: TestReplica) {}

  get held(): number {
    return this.replica.coordination.connectionSlots.held;
  }

  async take(slots: number): Promise<void> {
    for (let n = 0; n < slots; n++) {
      let isLate = false;
      // Goes the way of the bound itself, so that a busy process delays both.
      const timer = setTimeout(() => afterReading(() => (isLate = true)), 1_000);
      try {
        const { connectionSlots } = this.replica.coordination;
        this.leases.push(await connectionSlots.acquire(KEY, LIMIT, (reason) => this.lost.push(reason)));
      } finally {
        clearTimeout(timer);
        if (isLate) this.lateAnswers++;
      }
    }
  }

  /** How many slots were sought in vain. */
  get refusals(): number {
    return this.replica.metrics.filter((metric) => metric.kind === 'slot_sought' && metric.outcome === 'refused')
      .length;
  }

  get isShared(): boolean {
    return this.replica.coordination.connectionSlots.isShared;
  }
}

const neverLost = (reason: SluiceError) => {
  throw reason;
};

/** Takes all slots that are left, until those that were given back lately are among them. */
async function untilFull(holder: Holder): Promise<void> {
  for (let refusals = 0; refusals < 50 && holder.held < LIMIT;) {
    await holder.take(1).catch((error: unknown) => {
      expect(error).toEqual(TOO_MANY);
      refusals++;
    });
  }
}

describe('NatsConnectionSlots when NATS is lost', () => {
  let server: OwnServer;
  let replicas: TestReplicas;
  let relay: Relay;
  let child: ChildReplica | undefined;

  beforeAll(async () => {
    server = await OwnServer.start();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    replicas = new TestReplicas(server.url, FAST_TIMING);
    relay = await Relay.prepare(server.url);
  });
  afterEach(async () => {
    await child?.end('SIGKILL');
    await replicas.destroy();
    await relay.close();
  });

  const open = async (url?: string) => new Holder(await replicas.open(url === undefined ? {} : { servers: url }));

  /** What is in a bucket: how many values, and of the last one who holds how many slots. */
  async function stored(bucket: 'slotBucket' | 'replicaBucket') {
    const connection = await connect({ servers: server.url });
    try {
      const { streams } = await jetstreamManager(connection);
      const stream = `KV_${replicas.names[bucket]}`;
      const { messages } = (await streams.info(stream)).state;
      if (bucket === 'replicaBucket') return { messages, held: {} };
      const last = await streams.getMessage(stream, { last_by_subj: '>' });
      return { messages, held: last?.json<{ held: Record<string, number> }>().held ?? {} };
    } finally {
      await connection.close();
    }
  }

  it('keeps within the bounds of what it stores', async () => {
    await (await open()).take(1);
    const connection = await connect({ servers: server.url });
    const { streams } = await jetstreamManager(connection);
    const { config, state } = await streams.info(`KV_${replicas.names.slotBucket}`);
    expect(config).toMatchObject({
      max_age: DOCUMENT_TTL_MS * 1e6,
      max_bytes: SLOT_BUCKET_BYTES,
      max_msgs_per_subject: 1,
    });
    expect(state.messages).toBe(1);
    await connection.close();
  });

  it('writes again what it holds, so that it is not forgotten', async () => {
    const holder = new Holder(await replicas.open({ documentRefreshMs: 1 }));
    await holder.take(3);
    const connection = await connect({ servers: server.url });
    const { streams } = await jetstreamManager(connection);
    await streams.purge(`KV_${replicas.names.slotBucket}`);
    await until(async () => {
      const { state } = await streams.info(`KV_${replicas.names.slotBucket}`);
      return state.messages === 1;
    }, 'the document is there again');
    await connection.close();
    const other = await open();
    await expect(other.take(LIMIT)).rejects.toEqual(TOO_MANY);
    expect([holder.held, other.held, holder.lost]).toEqual([3, LIMIT - 3, []]);
  });

  it('counts alone while it is cut off, and gives back what was too much afterwards', async () => {
    await relay.open();
    const [here, cutOff] = [await open(), await open(relay.url)];
    await here.take(6);
    await cutOff.take(2);
    await relay.close();
    await until(() => !cutOff.isShared, 'it knows that it is cut off');
    await cutOff.take(LIMIT - 2);
    await expect(cutOff.take(1)).rejects.toEqual(TOO_MANY);
    expect(cutOff.lateAnswers).toBe(0);
    expect(cutOff.replica.faults).toHaveLength(1);
    await here.take(2);
    expect([here.held, cutOff.held]).toEqual([8, LIMIT]);
    await relay.open();
    await until(() => cutOff.held === LIMIT - 8, 'it has lost what was too much');
    expect(cutOff.lost).toHaveLength(8);
    expect(cutOff.lost).toEqual(Array.from({ length: 8 }, () => TOO_MANY));
    expect(here.lost).toEqual([]);
    // It is the newest that were lost.
    cutOff.leases[0]?.release();
    cutOff.leases[1]?.release();
    await until(() => cutOff.held === 0, 'the oldest were still held');
    await untilFull(here);
    expect(here.held).toBe(LIMIT);
  });

  it('answers while the server does not, counts alone after a while, and together again when it does', async () => {
    replicas = new TestReplicas(server.url);
    const [one, other] = [await open(), await open()];
    await one.take(4);
    await other.take(4);
    server.freeze();
    try {
      // For a moment's delay nobody goes beyond the limit, and not too many wait for it to be over.
      const slots = other.replica.coordination.connectionSlots;
      const crowd = Array.from({ length: MAX_WAITING_PER_KEY + 5 }, () => slots.acquire('crowd', LIMIT, neverLost));
      await expect(one.take(1)).rejects.toEqual(TOO_MANY);
      expect(one.refusals).toBe(1);
      const answers = await Promise.allSettled(crowd);
      expect(answers).toEqual(crowd.map(() => ({ status: 'rejected', reason: TOO_MANY })));
      expect(other.refusals).toBe(crowd.length);
      await until(() => !one.isShared && !other.isShared, 'they know that they are not counted');
      await one.take(3);
      await other.take(LIMIT - 4);
      await expect(other.take(1)).rejects.toEqual(TOO_MANY);
    } finally {
      server.thaw();
    }
    expect([one.lateAnswers, other.lateAnswers]).toEqual([0, 0]);
    expect([one.held, other.held]).toEqual([7, LIMIT]);
    await until(() => one.held + other.held === LIMIT, 'no more than the limit are held');
    expect(one.lost.length + other.lost.length).toBe(7);
    await until(() => one.isShared && other.isShared, 'both are counted again');
    for (const holder of [one, other]) await expect(holder.take(1)).rejects.toEqual(TOO_MANY);
    expect(one.held + other.held).toBe(LIMIT);
  });

  it('takes no slot away for one that may be dead, until it is known, and then not at all', async () => {
    await relay.open();
    const [observer, cutOff] = [await open(), await open(relay.url)];
    await cutOff.take(4);
    child = ChildReplica.start({
      options: { servers: server.url, names: replicas.names, ...replicas.timing },
      key: KEY,
      limit: LIMIT,
      slots: 6,
    });
    await until(() => child?.held === 6, 'the child holds its slots');
    await relay.close();
    await until(() => !cutOff.isShared, 'it is cut off');
    await child.end('SIGKILL');
    await cutOff.take(6);
    await until(async () => (await stored('replicaBucket')).messages === 1, 'only the observer is heard');
    await relay.open();
    await until(() => cutOff.isShared, 'it is counted again');
    await until(async () => Object.values((await stored('slotBucket')).held).join() === '10', 'it has what it held');
    expect([cutOff.held, cutOff.lost]).toEqual([LIMIT, []]);
    await expect(observer.take(1)).rejects.toEqual(TOO_MANY);
  });

  it('starts without NATS, counts alone, and is counted as soon as it is there', async () => {
    const [here, early] = [await open(), await open(relay.url)];
    await early.take(3);
    expect(early.lateAnswers).toBe(0);
    await relay.open();
    await until(() => early.isShared, 'it is counted');
    await until(async () => Object.values((await stored('slotBucket')).held).join() === '3', 'it has what it held');
    await untilFull(here);
    expect([here.held, early.held]).toEqual([LIMIT - 3, 3]);
  });

  it.each([
    ['killed', { signal: 'SIGKILL', wipeData: false }],
    ['killed and emptied', { signal: 'SIGKILL', wipeData: true }],
  ] as const)('keeps every slot, and gives no further ones, after the server was %s', async (_, how) => {
    const holders = [await open(), await open(), await open()];
    for (const [index, holder] of holders.entries()) await holder.take([5, 3, 2][index] ?? 0);
    await server.restart(how);
    await until(() => holders.every(({ isShared }) => isShared), 'all are counted again');
    if (how.wipeData) {
      const isWritten = async () =>
        Object.values((await stored('slotBucket')).held)
          .sort()
          .join() === '2,3,5';
      await until(isWritten, 'all have written what they hold');
    }
    for (const holder of holders) await expect(holder.take(1)).rejects.toEqual(TOO_MANY);
    expect(holders.map(({ held }) => held)).toEqual([5, 3, 2]);
    expect(holders.flatMap(({ lost }) => lost)).toEqual([]);
    const outcomes = holders.map(({ replica }) => replica.faults.length);
    expect(Math.max(...outcomes)).toBeLessThanOrEqual(2);
  });
});
