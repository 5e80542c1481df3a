import { SluiceError, type Lane } from '@sluice/event-log';
import type { Admin, Kafka } from 'kafkajs';
import type { KafkaSettings } from './options';
import { within } from './waiting';

interface LaneBounds {
  /** The first index that the lane still has. */
  readonly starts: ReadonlyMap<Lane, number>;
  /** The index that the next record will have at the earliest. */
  readonly ends: ReadonlyMap<Lane, number>;
}

/** Questions about the topic, over one connection that is opened anew after a failure. */
export class KafkaAdmin {
  private admin: Promise<Admin> | undefined;
  private checking: Promise<void> | undefined;
  private closed = false;

  constructor(
    private readonly kafka: Kafka,
    private readonly settings: KafkaSettings,
  ) {}

  /** @throws SluiceError `log_unavailable` */
  bounds(): Promise<LaneBounds> {
    const { topic, limits } = this.settings;
    return this.ask(limits.requestTimeoutMs, async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return {
        starts: new Map(offsets.map(({ partition, low }) => [partition as Lane, Number(low)])),
        ends: new Map(offsets.map(({ partition, high }) => [partition as Lane, Number(high)])),
      };
    });
  }

  /** Resolves when the topic is known to a broker. @throws SluiceError `log_unavailable` */
  check(): Promise<void> {
    const { topic, limits } = this.settings;
    this.checking ??= this.ask(limits.checkTimeoutMs, async (admin) => {
      await admin.fetchTopicMetadata({ topics: [topic] });
    }).finally(() => {
      this.checking = undefined;
    });
    return this.checking;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.discard();
  }

  private async ask<T>(timeoutMs: number, question: (admin: Admin) => Promise<T>): Promise<T> {
    if (this.closed) throw new SluiceError('log_unavailable', 'The log is closed');
    this.admin ??= this.open();
    const { admin } = this;
    try {
      return await within(timeoutMs, 'the answer', admin.then(question));
    } catch (error) {
      if (this.admin === admin) void this.discard();
      throw new SluiceError('log_unavailable', 'The durable log cannot be reached', { cause: error });
    }
  }

  private async open(): Promise<Admin> {
    const admin = this.kafka.admin();
    try {
      await admin.connect();
    } catch (error) {
      await admin.disconnect().catch(() => undefined);
      throw error;
    }
    return admin;
  }

  private async discard(): Promise<void> {
    const { admin } = this;
    this.admin = undefined;
    const left = admin?.then((opened) => opened.disconnect());
    if (left) await within(this.settings.limits.requestTimeoutMs, 'disconnecting', left).catch(() => undefined);
  }
}
