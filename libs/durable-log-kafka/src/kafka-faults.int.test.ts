import { randomBytes } from 'node:crypto';
import { decodeUtf8, type Lane, type LogBatch } from '@sluice/event-log';
import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import type { EncodedEnvelope, EventEnvelope } from '@sluice/event-schema';
import { openKafkaDurableLog, type KafkaDurableLog } from './kafka-durable-log';
import type { KafkaDurableLogOptions } from './options';
import { startPrivateBroker, type PrivateBroker } from './testing/private-broker';

const RECOVERY_DEADLINE_MS = 90_000;
jest.setTimeout(240_000);

/** Appends until it is taken: by its id an event is there once, and a busy machine may miss the short limits of a test. */
function untilStored(log: KafkaDurableLog, event: EncodedEnvelope): Promise<void> {
  const store = () =>
    log.append([event]).then(
      () => true,
      () => false,
    );
  return until(store, 'the log takes appends', RECOVERY_DEADLINE_MS);
}

/** Keeps what a projector keeps: each event once, and the checkpoints. */
class Projection {
  readonly numbers = new Map<string, unknown[]>();
  private readonly ids = new Set<string>();
  private readonly checkpoints = new Map<Lane, number>();

  readonly loadCheckpoints = async (lanes: readonly Lane[]) =>
    new Map([...this.checkpoints].filter(([lane]) => lanes.includes(lane)));

  readonly handle = async (batch: LogBatch) => {
    for (const { value } of batch.records) {
      const { id, entityId, data } = JSON.parse(decodeUtf8(value)) as EventEnvelope;
      if (this.ids.has(id)) continue;
      this.ids.add(id);
      this.numbers.set(entityId, [...(this.numbers.get(entityId) ?? []), data['n']]);
    }
    for (const [lane, { to }] of batch.checkpoints) this.checkpoints.set(lane, to);
  };

  has(id: string): boolean {
    return this.ids.has(id);
  }

  get size(): number {
    return this.ids.size;
  }
}

describe('KafkaDurableLog on a broker that fails', () => {
  let broker: PrivateBroker;
  const opened: KafkaDurableLog[] = [];

  beforeAll(async () => {
    broker = await startPrivateBroker();
  });
  afterAll(() => broker.stop());
  afterEach(async () => {
    broker.thaw();
    await Promise.all(opened.splice(0).map((log) => log.close()));
  });

  const open = async (options: Partial<KafkaDurableLogOptions> = {}) => {
    const log = await openKafkaDurableLog({
      brokers: broker.brokers,
      clientId: 'sluice-test',
      topic: `test-${randomBytes(6).toString('hex')}.events.v1`,
      partitions: 3,
      replicationFactor: 1,
      createTopic: true,
      ...options,
    });
    opened.push(log);
    return log;
  };

  /** Resolves when the broker is silent: a process stops some time after it was told to. */
  const freeze = async (log: KafkaDurableLog) => {
    broker.freeze();
    const isSilent = () =>
      log.check().then(
        () => false,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'log_unavailable', retryable: true });
          return true;
        },
      );
    await until(isSilent, 'the broker is silent');
  };

  it('keeps every acknowledged event, in order, when the broker is killed under load', async () => {
    const log = await open({ limits: { appendTimeoutMs: 1_000, rebalanceTimeoutMs: 2_000 } });
    const projection = new Projection();
    const { loadCheckpoints, handle } = projection;
    await log.follow({ group: 'killed', maxBatchRecords: 100, loadCheckpoints, handle });
    let isWriting = true;
    const written: number[] = [];
    const writers = [0, 1, 2, 3].map(async (writer) => {
      let n = 0;
      for (; isWriting; n++) {
        const event = sandboxEnvelope({ entityId: `s-${writer}`, data: { n } });
        await untilStored(log, event);
      }
      written[writer] = n;
    });
    await until(() => projection.size > 100, 'the log is in use');
    await broker.kill();
    const before = projection.size;
    await until(() => projection.size > before + 100, 'the follower goes on', RECOVERY_DEADLINE_MS);
    isWriting = false;
    await Promise.all(writers);
    const total = written.reduce((sum, n) => sum + n, 0);
    await until(() => projection.size >= total, 'everything arrives', RECOVERY_DEADLINE_MS);
    for (const [writer, n] of written.entries()) {
      expect(projection.numbers.get(`s-${writer}`)).toEqual(Array.from({ length: n }, (_, i) => i));
    }
    expect(projection.size).toBe(total);
    await expect(log.check()).resolves.toBeUndefined();
  });

  it('rejects while the broker is silent, and never takes a later append for an earlier one', async () => {
    const limits = { requestTimeoutMs: 300, connectionTimeoutMs: 300, appendTimeoutMs: 500, checkTimeoutMs: 200 };
    const log = await open({ limits });
    const projection = new Projection();
    const { loadCheckpoints, handle } = projection;
    await untilStored(log, sandboxEnvelope({ data: { n: 0 } }));
    await freeze(log);
    const unknown = sandboxEnvelope({ data: { n: 1 } });
    await expect(log.append([unknown])).rejects.toMatchObject({ code: 'log_unavailable', retryable: true });
    broker.thaw();
    // As many events as the one whose outcome is unknown, for the same lane.
    const later = sandboxEnvelope({ data: { n: 2 } });
    await untilStored(log, later);
    await untilStored(log, unknown);
    await log.follow({ group: 'silent', maxBatchRecords: 100, loadCheckpoints, handle });
    await until(() => projection.size >= 3, 'the events arrive', RECOVERY_DEADLINE_MS);
    expect({ later: projection.has(later.event.id), unknown: projection.has(unknown.event.id) }).toEqual({
      later: true,
      unknown: true,
    });
  });

  it('tries what waits once each while the broker is silent', async () => {
    const limits = { requestTimeoutMs: 100, connectionTimeoutMs: 100, appendTimeoutMs: 200, maxSendEvents: 1 };
    let failedAttempts = 0;
    const log = await open({
      limits,
      onMetric: ({ name }) => (failedAttempts += name === 'append_attempt_failed' ? 1 : 0),
    });
    await untilStored(log, sandboxEnvelope());
    await freeze(log);
    await expect(log.append([sandboxEnvelope()])).rejects.toMatchObject({ code: 'log_unavailable' });
    failedAttempts = 0;
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => log.append([sandboxEnvelope()])));
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(10);
    expect(failedAttempts).toBe(10);
  });

  it('closes while the broker is silent, and follows nobody after', async () => {
    const limits = { requestTimeoutMs: 300, connectionTimeoutMs: 300, leaveTimeoutMs: 500, closeTimeoutMs: 1_000 };
    const log = await open({ limits });
    const projection = new Projection();
    const { loadCheckpoints, handle } = projection;
    await log.follow({ group: 'closed', maxBatchRecords: 100, loadCheckpoints, handle });
    await untilStored(log, sandboxEnvelope());
    await until(() => projection.size === 1, 'the event arrives');
    await freeze(log);
    const hanging = log.append([sandboxEnvelope()]).catch((error: unknown) => error);
    await log.close();
    broker.thaw();
    expect(await hanging).toMatchObject({ code: 'log_unavailable' });
    await expect(log.check()).rejects.toMatchObject({ code: 'log_unavailable' });
  });

  it('opens without a broker when it has no topic to create, and says clearly that none is there', async () => {
    const options = { brokers: ['127.0.0.1:1'], limits: { topicTimeoutMs: 500, appendTimeoutMs: 200 } };
    const log = await open({ ...options, createTopic: false });
    const unavailable = { code: 'log_unavailable', retryable: true };
    await expect(log.check()).rejects.toMatchObject(unavailable);
    await expect(log.append([sandboxEnvelope()])).rejects.toMatchObject(unavailable);
    await expect(log.ends()).rejects.toMatchObject(unavailable);
    await expect(open(options)).rejects.toMatchObject(unavailable);
  });
});
