import {
  CHECKPOINT_CHECK_MS,
  CheckpointLost,
  findLost,
  FOLLOW_REST,
  RETRY_DELAY_MS,
  SluiceError,
  type FollowLogOptions,
  type Lane,
  type LaneCheckpoints,
  type LogRecord,
} from '@sluice/event-log';
import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { BatchCoalescer, type CoalescedBatch } from './batch-coalescer';
import { createKafka } from './kafka-client';
import { LaneAssignment, LanesLost } from './lane-assignment';
import { OffsetCommitter } from './offset-committer';
import type { KafkaLogLine, KafkaSettings } from './options';
import { Backoff, pause, within } from './waiting';

/** What kafkajs logs, and says in no other way, when it starts a lane over. */
const OUT_OF_RANGE = /Offset out of range, resetting to default offset/;

export interface ConsumerSessionOptions {
  readonly settings: KafkaSettings;
  readonly follow: FollowLogOptions;
  /** The first index that each lane still has. */
  loadStarts(): Promise<ReadonlyMap<Lane, number>>;
}

/** One kafkajs consumer, from joining the group to leaving it. It is not repaired: the follower opens another one. */
export class ConsumerSession {
  private readonly consumer: Consumer;
  private readonly coalescer: BatchCoalescer;
  private readonly committer: OffsetCommitter;
  private assignment: LaneAssignment | undefined;
  private opening: Promise<void> | undefined;
  private joining: Promise<void> | undefined;
  private isEnding = false;
  private waitingBatches = 0;
  private heartbeat: (() => Promise<void>) | undefined;
  private heartbeatTimer: NodeJS.Timeout | undefined;
  private checkTimer: NodeJS.Timeout | undefined;
  private checking: Promise<void> | undefined;
  private lastSignAt = performance.now();
  private fail: (error: unknown) => void = () => undefined;

  /** Rejects when the consumer is dead or seems to be. Never resolves. */
  readonly failed = new Promise<never>((_, reject) => {
    this.fail = reject;
  });

  constructor(private readonly options: ConsumerSessionOptions) {
    const { settings, follow } = options;
    const { limits } = settings;
    this.failed.catch(() => undefined);
    const kafka = createKafka(settings, (line) => this.onLog(line));
    this.consumer = kafka.consumer({
      groupId: settings.groupIds?.[follow.group] ?? follow.group,
      allowAutoTopicCreation: false,
      sessionTimeout: limits.sessionTimeoutMs,
      rebalanceTimeout: limits.rebalanceTimeoutMs,
      heartbeatInterval: limits.heartbeatIntervalMs,
      minBytes: 1,
      maxWaitTimeInMs: limits.fetchWaitMs,
      maxBytes: limits.maxFetchBytes,
      maxBytesPerPartition: limits.maxFetchBytesPerPartition,
      retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: () => Promise.resolve(false) },
    });
    this.coalescer = new BatchCoalescer({
      maxBatchRecords: follow.maxBatchRecords,
      retryDelayMs: RETRY_DELAY_MS,
      rest: FOLLOW_REST,
      handle: (batch) => this.handle(batch),
      onFault: (error) => this.fault(error),
    });
    this.committer = new OffsetCommitter(limits.commitIntervalMs, (offsets) =>
      this.consumer.commitOffsets(
        [...offsets].map(([partition, offset]) => ({ topic: settings.topic, partition, offset: String(offset) })),
      ),
    );
  }

  /** Resolves when the group is joined, or when it is closed before that. */
  open(): Promise<void> {
    this.opening ??= this.join();
    return this.opening;
  }

  private async join(): Promise<void> {
    const { settings, follow } = this.options;
    const { consumer } = this;
    consumer.on(consumer.events.CRASH, ({ payload }) => this.fail(payload.error));
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const partitions = payload.memberAssignment[settings.topic] ?? [];
      this.assign(partitions.map((partition) => partition as Lane));
    });
    for (const event of [consumer.events.FETCH, consumer.events.HEARTBEAT] as const) {
      consumer.on(event, () => this.showLife());
    }
    await consumer.connect();
    if (this.isEnding) return;
    await consumer.subscribe({ topic: settings.topic, fromBeginning: true });
    if (this.isEnding) return;
    this.heartbeatTimer = setInterval(() => this.tick(), settings.limits.heartbeatIntervalMs);
    this.checkTimer = setInterval(() => {
      // One at a time: a store that hangs must not collect questions.
      this.checking ??= this.check().finally(() => (this.checking = undefined));
    }, follow.checkIntervalMs ?? CHECKPOINT_CHECK_MS);
    this.joining = consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      // All lanes of a fetch are given out at once, to be coalesced.
      partitionsConsumedConcurrently: Math.max(settings.partitions, 64),
      eachBatch: (payload) => this.eachBatch(payload),
    });
    settings.onMetric({ name: 'consumer_opened', group: follow.group });
    await Promise.race([this.joining, this.failed]);
  }

  /** Finishes the batch in hand and leaves the group; the leaving may go on behind when the brokers are slow. */
  async close(): Promise<void> {
    if (this.isEnding) return;
    this.isEnding = true;
    const reason = new LanesLost('The follower stops');
    this.assignment?.end(reason);
    await this.coalescer.drop(reason);
    clearInterval(this.heartbeatTimer);
    clearInterval(this.checkTimer);
    const { leaveTimeoutMs } = this.options.settings.limits;
    await within(leaveTimeoutMs, 'leaving the group', this.leave()).catch(() => undefined);
  }

  private async leave(): Promise<void> {
    // A consumer that is told to stop while it connects or joins goes on, and would then hold its lanes for ever.
    await this.opening?.catch(() => undefined);
    await this.joining?.catch(() => undefined);
    await this.committer.flush().catch(() => undefined);
    await this.consumer.disconnect();
  }

  /** Told synchronously, before the first fetch of the new assignment. */
  private assign(lanes: readonly Lane[]): void {
    this.showLife();
    const { settings, follow } = this.options;
    settings.onMetric({ name: 'lanes_assigned', group: follow.group, lanes: lanes.length });
    this.begin(lanes, new LanesLost('The group was rebalanced'));
  }

  /** Lets go of all that was fetched, and reads these lanes from what is stored. */
  private begin(lanes: readonly Lane[], reason: LanesLost): void {
    this.assignment?.end(reason);
    this.committer.clear();
    const assignment = new LaneAssignment(lanes);
    this.assignment = assignment;
    // The batch in hand may still store checkpoints of lanes that are loaded next.
    void this.coalescer.drop(reason).then(() => this.seekToCheckpoints(assignment));
  }

  private async seekToCheckpoints(assignment: LaneAssignment): Promise<void> {
    const backoff = new Backoff(RETRY_DELAY_MS);
    while (!assignment.signal.aborted && !this.isEnding) {
      try {
        const { checkpoints, starts } = await this.loadBounds(assignment.lanes);
        if (assignment.signal.aborted) return;
        for (const lane of assignment.lanes) this.seek(lane, checkpoints.get(lane), starts.get(lane) ?? 0);
        assignment.open(checkpoints);
        return;
      } catch (error) {
        this.fault(error);
        await pause(backoff.next(), assignment.signal);
      }
    }
  }

  private async loadBounds(lanes: readonly Lane[]): Promise<Record<'checkpoints' | 'starts', LaneCheckpoints>> {
    if (lanes.length === 0) return { checkpoints: new Map(), starts: new Map() };
    const { follow, loadStarts } = this.options;
    const [checkpoints, starts] = await Promise.all([follow.loadCheckpoints(lanes), loadStarts()]);
    return { checkpoints, starts };
  }

  private seek(lane: Lane, checkpoint: number | undefined, start: number): void {
    if (checkpoint !== undefined && checkpoint < start) this.outOfRange(lane, { checkpoint, start });
    const { topic } = this.options.settings;
    this.consumer.seek({ topic, partition: lane, offset: String(Math.max(checkpoint ?? start, start)) });
  }

  private async eachBatch({ batch, resolveOffset, heartbeat, isStale }: EachBatchPayload): Promise<void> {
    const { assignment } = this;
    if (!assignment || this.isEnding) return;
    this.heartbeat = heartbeat;
    this.waitingBatches++;
    try {
      await assignment.ready;
      // Fetched before the seek, from where the broker thought that the group was.
      if (isStale() || assignment.signal.aborted) return;
      const lane = batch.partition as Lane;
      const records = batch.messages.map((message) => toRecord(lane, message));
      await this.coalescer.push(records, (lastIndex) => {
        if (this.assignment !== assignment) return;
        resolveOffset(String(lastIndex));
        assignment.reach(lane, lastIndex + 1);
        this.committer.note(lane, lastIndex + 1);
      });
    } catch (error) {
      // Anything else was kafkajs's own and tells it what to do next, for example to join again.
      if (!(error instanceof LanesLost)) throw error;
    } finally {
      this.waitingBatches--;
    }
  }

  private async handle({ records, targets }: CoalescedBatch): Promise<void> {
    const { follow, settings } = this.options;
    const { assignment } = this;
    if (!assignment) throw new LanesLost('The follower has no lanes');
    const startedAt = performance.now();
    try {
      await follow.handle({ records, checkpoints: assignment.movesTo(targets) });
    } catch (error) {
      if (error instanceof CheckpointLost) this.goBack(assignment);
      throw error;
    }
    const durationMs = performance.now() - startedAt;
    settings.onMetric({ name: 'batch_handled', group: follow.group, records: records.length, durationMs });
  }

  /** What is stored may be lost while nothing comes. */
  private async check(): Promise<void> {
    const { assignment } = this;
    if (!assignment || assignment.checkpoints.size === 0) return;
    const expected = assignment.checkpoints;
    // A store that is away is told of by whoever has something to store.
    const stored = await this.options.follow.loadCheckpoints(assignment.lanes).catch(() => undefined);
    const lost = stored && findLost(expected, stored);
    if (lost && this.goBack(assignment)) this.fault(lost);
  }

  /** False when the lanes are given anew in any case. */
  private goBack(assignment: LaneAssignment): boolean {
    if (this.assignment !== assignment || this.isEnding) return false;
    this.begin(assignment.lanes, new LanesLost('What was stored is lost'));
    return true;
  }

  /** kafkajs sends heartbeats between batches only; a slow or repeated batch needs them meanwhile. */
  private tick(): void {
    if (this.waitingBatches > 0) {
      this.showLife();
      this.heartbeat?.().catch((error: unknown) => void this.coalescer.drop(error));
      return;
    }
    const silentMs = performance.now() - this.lastSignAt;
    if (silentMs > this.options.settings.limits.stallTimeoutMs) {
      this.fail(new SluiceError('log_unavailable', `The consumer gave no sign of life for ${Math.round(silentMs)} ms`));
    }
  }

  private showLife(): void {
    this.lastSignAt = performance.now();
  }

  private onLog(line: KafkaLogLine): void {
    this.options.settings.onLog(line);
    if (OUT_OF_RANGE.test(line.message)) this.outOfRange(line.fields['partition'], {});
  }

  private outOfRange(lane: unknown, details: Readonly<Record<string, number>>): void {
    const message = `Lane ${String(lane)} does not have the record to go on from; it is read from its beginning`;
    this.fault(new SluiceError('internal', message, { cause: details }));
  }

  private fault(error: unknown): void {
    this.options.follow.onFault?.(error);
  }
}

function toRecord(lane: Lane, { offset, value, timestamp }: KafkaMessage): LogRecord {
  return { lane, index: Number(offset), value: value ?? new Uint8Array(), appendedAt: Number(timestamp) };
}
