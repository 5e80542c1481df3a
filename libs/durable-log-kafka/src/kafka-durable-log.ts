import {
  AppendBatcher,
  refusedErasure,
  SluiceError,
  type ByteLog,
  type DurableLog,
  type FollowLogOptions,
  type LaneCheckpoints,
  type LogEntry,
  type LogFollower,
} from '@sluice/event-log';
import { entityKey, type EncodedEnvelope } from '@sluice/event-schema';
import { KafkaAdmin } from './kafka-admin';
import { KafkaAppender } from './kafka-appender';
import { createKafka } from './kafka-client';
import { KafkaFollower } from './kafka-follower';
import { ensureTopic } from './kafka-topic';
import { toSettings, type KafkaDurableLogOptions, type KafkaSettings } from './options';
import { within } from './waiting';

/**
 * Opens the durable log on a Kafka topic. With `createTopic` it resolves when the topic has all its leaders; without it,
 * it does not wait for the brokers, and `check` tells whether they are there.
 * @throws SluiceError `configuration`, or `log_unavailable` when the topic cannot be prepared in time
 */
export async function openKafkaDurableLog(options: KafkaDurableLogOptions): Promise<KafkaDurableLog> {
  const settings = toSettings(options);
  if (settings.createTopic) await ensureTopic(createKafka(settings), settings);
  return new KafkaDurableLog(settings);
}

/**
 * DurableLog on one Kafka topic. A lane is a partition, an index is an offset. A topic takes nothing back, so it erases nothing
 * by itself; `@sluice/durable-log-sealed` around it does.
 */
export class KafkaDurableLog implements DurableLog, ByteLog {
  readonly erasure = refusedErasure('A Kafka topic cannot forget single records');
  private readonly appender: KafkaAppender;
  private readonly batcher: AppendBatcher<LogEntry>;
  private readonly admin: KafkaAdmin;
  private readonly followers = new Set<KafkaFollower>();
  private knownEnds: { readonly askedAt: number; readonly ends: Promise<LaneCheckpoints> } | undefined;
  private closing: Promise<void> | undefined;

  /** Use `openKafkaDurableLog`. */
  constructor(private readonly settings: KafkaSettings) {
    const kafka = createKafka(settings);
    const { limits, onMetric } = settings;
    this.appender = new KafkaAppender(kafka, settings);
    this.admin = new KafkaAdmin(kafka, settings);
    this.batcher = new AppendBatcher({
      maxQueuedEvents: limits.maxQueuedEvents,
      maxQueuedBytes: limits.maxQueuedBytes,
      maxBatchEvents: limits.maxSendEvents,
      maxBatchBytes: limits.maxSendBytes,
      lingerMs: limits.appendLingerMs,
      send: (entries) => this.appender.send(entries),
      sizeOf: ({ value }) => value.byteLength,
      onQueue: (queued) => onMetric({ name: 'append_queue', ...queued }),
      onBatch: (batch) => onMetric({ name: 'append_batch', ...batch }),
    });
  }

  append(events: readonly EncodedEnvelope[]): Promise<void> {
    return this.appendEntries(events.map(({ event, json }) => ({ key: entityKey(event), value: Buffer.from(json) })));
  }

  async appendEntries(entries: readonly LogEntry[]): Promise<void> {
    await this.batcher.append(entries);
    this.knownEnds = undefined;
  }

  /** Resolves at once; the group is joined in the background, and joined again whenever that is needed. */
  follow(options: FollowLogOptions): Promise<LogFollower> {
    if (this.closing) return Promise.reject(new SluiceError('log_unavailable', 'The log is closed'));
    const follower = new KafkaFollower({
      settings: this.settings,
      follow: options,
      loadStarts: async () => (await this.admin.bounds()).starts,
    });
    this.followers.add(follower);
    follower.start();
    return Promise.resolve({
      stop: async () => {
        await follower.stop();
        this.followers.delete(follower);
      },
    });
  }

  /** As of at most `endsMaxAgeMs` ago, but never older than an own append. */
  ends(): Promise<LaneCheckpoints> {
    const { endsMaxAgeMs } = this.settings.limits;
    if (this.knownEnds && performance.now() - this.knownEnds.askedAt < endsMaxAgeMs) return this.knownEnds.ends;
    const known = { askedAt: performance.now(), ends: this.admin.bounds().then(({ ends }) => ends) };
    known.ends.catch(() => {
      if (this.knownEnds === known) this.knownEnds = undefined;
    });
    this.knownEnds = known;
    return known.ends;
  }

  async starts(): Promise<LaneCheckpoints> {
    return (await this.admin.bounds()).starts;
  }

  check(): Promise<void> {
    return this.admin.check();
  }

  close(): Promise<void> {
    this.closing ??= this.letGo();
    return this.closing;
  }

  private async letGo(): Promise<void> {
    const { closeTimeoutMs } = this.settings.limits;
    const flushed = within(closeTimeoutMs, 'storing what was appended', this.batcher.close()).catch(() => undefined);
    await Promise.all([flushed, ...[...this.followers].map((follower) => follower.stop())]);
    await Promise.all([this.appender.close(), this.admin.close()]);
  }
}
