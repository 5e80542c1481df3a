import { JetStreamApiCodes } from '@nats-io/jetstream';
import { createInbox, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import type { RecordedRun } from '@sluice/event-log';
import { type SteadyConnection, toUnavailable, unavailable, within } from '@sluice/nats-connection';
import {
  HEADER_ALLOWANCE_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_UNACKNOWLEDGED_MESSAGES,
  PUBLISH_TIMEOUT_MS,
  PUBLISH_WINDOW_MESSAGES,
  type JetStreamDeliveryLogOptions,
} from './options';
import { splitRun, type RunMessage } from './run-codec';
import type { StreamKeeper } from './stream';

/** Header that names the numbering of the run's positions. */
export const EPOCH_HEADER = 'Sluice-Epoch';

const MESSAGE_ID_HEADER = 'Nats-Msg-Id';

/** Nobody took the message: the stream is missing or JetStream is not ready. */
class NoStream extends Error {
  constructor() {
    super('No stream takes the subject');
  }
}

interface PendingAck {
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Publishes runs and counts the acknowledgements itself: a plain publish with a reply subject of its own costs a
 * fraction of a request for each message.
 */
export class RunPublisher {
  private readonly pending = new Map<string, PendingAck>();
  private connected: NatsConnection | undefined;
  private inbox = '';
  private lastToken = 0;
  private streamKnown = false;

  constructor(
    private readonly connection: SteadyConnection,
    private readonly stream: StreamKeeper,
    private readonly options: JetStreamDeliveryLogOptions,
  ) {
    connection.listen({
      onUp: (nats) => this.expectAcks(nats),
      onDown: () => this.abandonAcks(),
    });
  }

  /** @throws SluiceError `delivery_log_unavailable`; some of the run's messages may be stored then */
  async publish(run: RecordedRun): Promise<void> {
    const startedAtMs = performance.now();
    let outcome: 'ok' | 'failed' = 'failed';
    let messages: readonly RunMessage[] = [];
    try {
      messages = this.split(run);
      try {
        await this.send(run, messages);
      } catch (error) {
        if (!(error instanceof NoStream)) throw error;
        this.options.onFault?.(unavailable(`Stream ${this.options.stream} is missing and is created again`));
        await this.send(run, messages);
      }
      outcome = 'ok';
    } catch (error) {
      throw toUnavailable(error, 'The run could not be published');
    } finally {
      this.options.onMetric?.({
        kind: 'published',
        events: run.events.length,
        messages: messages.length,
        bytes: messages.reduce((total, { payload }) => total + payload.length, 0),
        durationMs: performance.now() - startedAtMs,
        outcome,
      });
    }
  }

  private split(run: RecordedRun): readonly RunMessage[] {
    const serverLimit = this.connection.use().info?.max_payload ?? MAX_PAYLOAD_BYTES;
    const { maxPayloadBytes = MAX_PAYLOAD_BYTES } = this.options;
    const { messages, tooLarge } = splitRun(run, Math.min(serverLimit - HEADER_ALLOWANCE_BYTES, maxPayloadBytes));
    for (const { event } of tooLarge) {
      this.options.onFault?.(unavailable(`Event ${event.id} is larger than a NATS message and is not delivered`));
    }
    return messages;
  }

  private async send({ epoch }: RecordedRun, messages: readonly RunMessage[]): Promise<void> {
    try {
      if (!this.streamKnown) await this.stream.ensure();
      this.streamKnown = true;
      for (let first = 0; first < messages.length; first += PUBLISH_WINDOW_MESSAGES) {
        const window = messages.slice(first, first + PUBLISH_WINDOW_MESSAGES);
        await allSettledOrFirstError(window.map((message) => this.sendOne(epoch, message)));
      }
    } catch (error) {
      this.streamKnown = false;
      throw error;
    }
  }

  /** Writes the message before it first waits, so calls keep their order. */
  private async sendOne(epoch: string, { messageId, payload }: RunMessage): Promise<void> {
    const nats = this.connection.use();
    if (this.pending.size >= MAX_UNACKNOWLEDGED_MESSAGES) {
      throw unavailable('Too many messages wait for their acknowledgement');
    }
    const token = (++this.lastToken).toString(36);
    const acknowledged = new Promise<void>((resolve, reject) => this.pending.set(token, { resolve, reject }));
    const messageHeaders = headers();
    messageHeaders.set(EPOCH_HEADER, epoch);
    messageHeaders.set(MESSAGE_ID_HEADER, messageId);
    const { publishTimeoutMs = PUBLISH_TIMEOUT_MS, subject } = this.options;
    try {
      nats.publish(subject, payload, { headers: messageHeaders, reply: `${this.inbox}.${token}` });
      await within(acknowledged, publishTimeoutMs, 'The acknowledgement of a run');
    } finally {
      this.pending.delete(token);
    }
  }

  private expectAcks(nats: NatsConnection): void {
    // The client renews its subscriptions itself when the same connection comes back.
    if (this.connected === nats) return;
    this.connected = nats;
    this.inbox = createInbox();
    nats.subscribe(`${this.inbox}.*`, {
      callback: (error, message) => {
        if (error) this.options.onFault?.(unavailable('Acknowledgements cannot be received', error));
        else this.takeAck(message);
      },
    });
  }

  private abandonAcks(): void {
    this.streamKnown = false;
    for (const { reject } of this.pending.values()) reject(unavailable('The connection was lost'));
    this.pending.clear();
  }

  private takeAck(message: Msg): void {
    const pending = this.pending.get(message.subject.slice(this.inbox.length + 1));
    if (!pending) return;
    const fault = faultOf(message);
    if (fault) pending.reject(fault);
    else pending.resolve();
  }
}

/** What an acknowledgement says against the message being stored; nothing when it is, or was stored before. */
function faultOf(message: Msg): Error | undefined {
  if (message.headers?.code === 503) return new NoStream();
  try {
    const ack = message.json<{ stream?: string; seq?: number; error?: { err_code?: number; description?: string } }>();
    if (ack.error) {
      if (ack.error.err_code === JetStreamApiCodes.StreamNotFound) return new NoStream();
      return unavailable(`JetStream refused the run: ${ack.error.description ?? 'no reason given'}`);
    }
    return typeof ack.seq === 'number' ? undefined : unavailable('JetStream acknowledged without a sequence');
  } catch (error) {
    return unavailable('The acknowledgement cannot be read', error);
  }
}

/** Waits for all, so that nothing is left unhandled, then fails with the first error. */
async function allSettledOrFirstError(promises: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(promises)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
