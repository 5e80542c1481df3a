import { AckPolicy, DeliverPolicy, ReplayPolicy, type ConsumerConfig, type StreamInfo } from '@nats-io/jetstream';
import { createInbox, nanos, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { IDLE_HEARTBEAT_MS, SILENCE_LIMIT_MS } from './options';
import type { StreamKeeper } from './stream';

/** How far a follower has come in one incarnation of the stream. */
export interface StreamPlace {
  /** When the server made the stream: it tells a stream from one of the same name that was made later. */
  readonly created: string;
  readonly sequence: number;
}

/** Where an attachment starts, and why. */
export type AttachmentStart = 'now' | 'resumed' | 'behind' | 'new_stream' | 'tail_lost';

export function startAt(place: StreamPlace | undefined, { created, state }: StreamInfo): AttachmentStart {
  if (!place) return 'now';
  // Everything in a stream that was made since is news.
  if (created !== place.created) return 'new_stream';
  // A server that came back without its last messages gives their numbers out again.
  if (state.last_seq < place.sequence) return 'tail_lost';
  return state.first_seq > place.sequence + 1 ? 'behind' : 'resumed';
}

/** Whether a mark to forget (see forgetStream) may be among what the follower will not be given. */
export function mayMissMark(start: AttachmentStart): boolean {
  return start !== 'now' && start !== 'resumed';
}

export interface AttachmentOptions {
  readonly nats: NatsConnection;
  readonly keeper: StreamKeeper;
  readonly stream: string;
  readonly place: StreamPlace | undefined;
  /** A message of the stream, in stream order, without holes within one attachment. */
  onMessage(message: Msg): void;
}

/**
 * One ordered, unacknowledged consumer of the stream that pushes to a subject of our own. It ends itself, with a
 * reason, as soon as it may have missed something; it never mends itself.
 */
export class Attachment {
  readonly ended: Promise<string>;
  private resolveEnded: (reason: string) => void = () => undefined;
  private done = false;
  private confirmed = false;
  private created = '';
  private sequence: number;
  private deliveries = 0;
  private lastHeardMs = performance.now();
  private readonly subscriptions: Subscription[] = [];
  private readonly silenceTimer: NodeJS.Timeout;

  constructor(private readonly options: AttachmentOptions) {
    this.ended = new Promise((resolve) => (this.resolveEnded = resolve));
    this.sequence = options.place?.sequence ?? 0;
    this.silenceTimer = setInterval(() => {
      const silentMs = performance.now() - this.lastHeardMs;
      if (this.confirmed && silentMs > SILENCE_LIMIT_MS) this.end('the server fell silent');
    }, SILENCE_LIMIT_MS / 2);
  }

  /** How far it has come; meaningful once `attach` has resolved. */
  get place(): StreamPlace {
    return { created: this.created, sequence: this.sequence };
  }

  /** Resolves once the server has the consumer: whatever is stored from then on will come. */
  async attach(): Promise<AttachmentStart> {
    const { keeper, nats, stream, place } = this.options;
    const inbox = createInbox();
    this.subscribe(inbox, (message) => this.take(message));
    this.subscribe(`$JS.EVENT.ADVISORY.STREAM.*.${stream}`, ({ subject }) => this.hear(subject.split('.')[4]), 'hint');
    const info = await keeper.ensure();
    this.created = info.created;
    const start = startAt(place, info);
    if (start === 'new_stream') this.sequence = 0;
    const { consumers } = await keeper.manager();
    const { delivered } = await consumers.add(stream, {
      deliver_subject: inbox,
      ...startPolicy(start, this.sequence),
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      idle_heartbeat: nanos(IDLE_HEARTBEAT_MS),
      flow_control: true,
      mem_storage: true,
      num_replicas: 1,
    });
    // The first messages may have come before this answer.
    const startsAtEnd = start === 'now' || start === 'tail_lost';
    if (startsAtEnd && this.deliveries === 0) this.sequence = delivered.stream_seq;
    if (nats.isClosed()) this.end('the connection was closed');
    this.confirmed = true;
    this.lastHeardMs = performance.now();
    return start;
  }

  end(reason: string): void {
    if (this.done) return;
    this.done = true;
    clearInterval(this.silenceTimer);
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    this.resolveEnded(reason);
  }

  /** Without the messages there is no attachment; without the hints the missing heartbeats tell the same, later. */
  private subscribe(subject: string, take: (message: Msg) => void, purpose: 'messages' | 'hint' = 'messages'): void {
    const callback = (error: Error | null, message: Msg) => {
      if (this.done) return;
      if (!error) take(message);
      else if (purpose === 'messages') this.end(error.message);
    };
    this.subscriptions.push(this.options.nats.subscribe(subject, { callback }));
  }

  /** `DELETED`, `CREATED`, `UPDATED` … of the stream. Our own creation of it is heard before the consumer exists. */
  private hear(action: string | undefined): void {
    if (!this.confirmed) return;
    if (action === 'CREATED' || action === 'DELETED') this.end(`the stream was ${action.toLowerCase()}`);
  }

  private take(message: Msg): void {
    this.lastHeardMs = performance.now();
    const code = message.headers?.code ?? 0;
    if (code === 100) return this.takeControl(message);
    if (code !== 0) return this.end(message.headers?.description ?? `status ${code}`);
    const [sequence, delivery] = sequencesOf(message.reply ?? '');
    if (delivery !== this.deliveries + 1) return this.end('a message was missed');
    this.deliveries = delivery;
    this.sequence = sequence;
    this.options.onMessage(message);
  }

  /** Heartbeats and flow control; both say how many messages the server has sent before. */
  private takeControl(message: Msg): void {
    const { nats } = this.options;
    const stalled = message.headers?.get('Nats-Consumer-Stalled');
    if (message.reply) message.respond();
    else if (stalled) nats.publish(stalled);
    const sent = Number(message.headers?.get('Nats-Last-Consumer') || 0);
    if (sent > this.deliveries) this.end('a message was missed');
  }
}

function startPolicy(
  start: AttachmentStart,
  sequence: number,
): Pick<ConsumerConfig, 'deliver_policy' | 'opt_start_seq'> {
  if (start === 'resumed' || start === 'behind')
    return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: sequence + 1 };
  return { deliver_policy: start === 'new_stream' ? DeliverPolicy.All : DeliverPolicy.New };
}

/**
 * Stream sequence and delivery sequence from `$JS.ACK.<stream>.<consumer>.<count>.<stream seq>.<delivery seq>.…`, which
 * newer servers write with two more fields, domain and account, before the stream.
 */
export function sequencesOf(reply: string): readonly [sequence: number, delivery: number] {
  const fields = reply.split('.');
  const count = fields.length === 9 ? 4 : 6;
  return [Number(fields[count + 1]), Number(fields[count + 2])];
}
