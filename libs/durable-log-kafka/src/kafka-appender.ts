import { SluiceError, type LogEntry } from '@sluice/event-log';
import { CompressionTypes, Partitioners, type Kafka, type Producer } from 'kafkajs';
import { errorMarks } from './kafka-client';
import type { KafkaSettings } from './options';
import { toProduceRequests } from './produce-requests';
import { Backoff, pause, within } from './waiting';

const RETRY_DELAY_MS = { first: 50, maximum: 1_000 } as const;

/** A call into kafkajs that does not come back this long after the time for appending is over is abandoned. */
const ABANDON_GRACE_MS = 5_000;

/** The broker and the producer disagree about sequence numbers or identity: only a new producer helps. */
const LOST_PRODUCER = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
]);

/** The network or the cluster's state: the same producer may try the same records again. */
const PASSING = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSProtocolError',
]);

/** Trying again changes nothing. */
const PERMANENT = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'KafkaJSSASLAuthenticationError',
]);

/**
 * Stores batches of records, one at a time, through an idempotent producer.
 *
 * kafkajs gives the sequence numbers of a failed send to the next one. Were those of a send whose answer was lost, the
 * broker would take the next records for a repetition, and acknowledge them without storing them. So a producer only
 * ever repeats the same records; after a send that failed for good it is replaced by one with a new identity.
 */
export class KafkaAppender {
  private producer: Promise<Producer> | undefined;
  private readonly leaving = new Set<Promise<void>>();
  /** The last send failed: the next ones are tried once each, so that a long queue drains quickly. */
  private failing = false;
  private readonly closing = new AbortController();
  /** Rejects when the appender is closed: what is in flight then has an unknown outcome. Never resolves. */
  private readonly closed = new Promise<never>((_, reject) => {
    this.closing.signal.addEventListener('abort', () => reject(new Error('The log was closed')));
  });

  constructor(
    private readonly kafka: Pick<Kafka, 'producer'>,
    private readonly settings: KafkaSettings,
  ) {
    this.closed.catch(() => undefined);
  }

  /** @throws SluiceError `log_unavailable`; then none, some or all entries are stored. */
  async send(entries: readonly LogEntry[]): Promise<void> {
    const deadline = performance.now() + (this.failing ? 0 : this.settings.limits.appendTimeoutMs);
    try {
      for (const records of toProduceRequests(entries)) await this.sendUntil(deadline, records);
      this.failing = false;
    } catch (error) {
      this.failing = true;
      this.discardProducer();
      throw new SluiceError('log_unavailable', 'The durable log cannot be reached', { cause: error });
    }
  }

  /** Cuts retries short and lets go of the producer. */
  async close(): Promise<void> {
    this.closing.abort();
    this.discardProducer();
    await Promise.all(this.leaving);
  }

  private async sendUntil(deadline: number, records: readonly LogEntry[]): Promise<void> {
    const backoff = new Backoff(RETRY_DELAY_MS);
    for (;;) {
      try {
        const leftMs = Math.max(0, Math.round(deadline - performance.now()));
        const attempt = within(leftMs + ABANDON_GRACE_MS, 'storing', this.attempt(records));
        return await Promise.race([attempt, this.closed]);
      } catch (error) {
        this.settings.onMetric({ name: 'append_attempt_failed', error });
        const marks = errorMarks(error);
        const isPassing = marks.some((mark) => PASSING.has(mark)) && !marks.some((mark) => LOST_PRODUCER.has(mark));
        if (!isPassing) this.discardProducer();
        const delayMs = backoff.next();
        const isOver = performance.now() + delayMs > deadline || this.closing.signal.aborted;
        if (isOver || marks.some((mark) => PERMANENT.has(mark))) throw error;
        await pause(delayMs, this.closing.signal);
      }
    }
  }

  private async attempt(records: readonly LogEntry[]): Promise<void> {
    const { topic, compression, limits } = this.settings;
    this.producer ??= this.openProducer();
    const { producer: opening } = this;
    let producer: Producer;
    try {
      producer = await opening;
    } catch (error) {
      if (this.producer === opening) this.producer = undefined;
      throw error;
    }
    try {
      await producer.send({
        topic,
        acks: -1,
        // The broker gives up on its replicas before the request does on the broker.
        timeout: Math.ceil(limits.requestTimeoutMs * 0.8),
        compression: compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None,
        messages: records.map(({ key, value }) => ({ key, value: toBuffer(value) })),
      });
    } finally {
      // A retry inside kafkajs connects a producer again that was let go meanwhile.
      if (this.producer !== opening) await producer.disconnect().catch(() => undefined);
    }
  }

  private async openProducer(): Promise<Producer> {
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      // The least that kafkajs accepts for an idempotent producer.
      retry: { retries: 1 },
    });
    try {
      await producer.connect();
    } catch (error) {
      await producer.disconnect().catch(() => undefined);
      throw error;
    }
    this.settings.onMetric({ name: 'producer_opened' });
    return producer;
  }

  private discardProducer(): void {
    const { producer } = this;
    this.producer = undefined;
    if (!producer) return;
    const left = producer.then((opened) => opened.disconnect()).catch(() => undefined);
    const { requestTimeoutMs } = this.settings.limits;
    const leaving: Promise<void> = within(requestTimeoutMs, 'disconnecting', left)
      .catch(() => undefined)
      .finally(() => this.leaving.delete(leaving));
    this.leaving.add(leaving);
  }
}

function toBuffer(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
