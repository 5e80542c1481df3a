import { backoffCeilingMs, halfJitterMs } from './backoff';
import { resolvePubSubConfig, type PubSubSettings } from './config';
import { LineConnection } from './connection';
import { MAX_RECONNECT_DELAY_MS } from './constants';
import { EventsPubSubError, toError } from './errors';
import { EventQueue } from './event-queue';
import { Heartbeat } from './heartbeat';
import { pendingConnect, type PendingConnect } from './pending-connect';
import { parseServerLine, subscribeLine, usableCursor } from './protocol';
import { TypedEmitter } from './typed-emitter';
import type { ConnectionState, PubSubClientConfig, SandboxEvent } from './types';

interface Session {
  connection: LineConnection;
  heartbeat: Heartbeat;
  answerTimer: ReturnType<typeof setTimeout>;
  subscribedAtMs: number | undefined;
}

/**
 * Live events of one sandbox over TCP or TLS.
 *
 * Events come in the order of the log. The client keeps the cursor of what it has seen and gives it to the server at each
 * reconnect, so a lost connection leaves no gap and no duplicate; when the server cannot honour it, 'reset' tells.
 * 'error' is emitted only when somebody listens; `connect()` and `for await` loops reject in any case.
 */
export class EventsPubSubClient extends TypedEmitter implements AsyncIterable<SandboxEvent> {
  private readonly settings: PubSubSettings;
  private readonly queues = new Set<EventQueue>();
  private state: ConnectionState = 'disconnected';
  private session: Session | undefined;
  private pending: PendingConnect | undefined;
  private reconnectTimer: ReturnType<typeof setTimeout> | undefined;
  private cursor: string | undefined;
  /** A subscription was acknowledged and has to be kept up until `disconnect()` or a terminal error. */
  private established = false;
  private failures = 0;

  constructor(config: PubSubClientConfig) {
    super();
    this.settings = resolvePubSubConfig(config);
    this.cursor = this.settings.cursor;
  }

  /**
   * Connects and subscribes; resolves once the server has acknowledged. While connecting, every call gets the same promise.
   * Always settles: rejects with EventsPubSubError when the server refuses, closes, or does not answer in time. A first
   * connect that fails is not tried again; an established subscription that is lost is.
   */
  connect(): Promise<void> {
    if (this.state === 'connected') return Promise.resolve();
    return (this.pending ?? this.open()).promise;
  }

  /**
   * Unsubscribes and closes; no 'disconnect' is emitted, and `for await` loops end after the events that they still hold.
   * A later `connect()` goes on from the kept cursor.
   */
  async disconnect(): Promise<void> {
    const { session, pending } = this;
    const reason = new EventsPubSubError('Disconnected by the caller', { code: 'disconnected' });
    this.established = false;
    this.state = 'disconnected';
    clearTimeout(this.reconnectTimer);
    this.reconnectTimer = undefined;
    this.endSession(reason);
    this.pending = undefined;
    pending?.reject(reason);
    this.giveUp();
    await session?.connection.close('UNSUBSCRIBE');
  }

  /** State of the connection; between two attempts to reconnect it is 'disconnected'. */
  getState(): ConnectionState {
    return this.state;
  }

  /** Cursor of the last event that was emitted, or where the stream starts; undefined on servers without cursors. */
  getCursor(): string | undefined {
    return this.cursor;
  }

  /** Replaces the access token for the next (re)connect. */
  setAccessToken(token: string): void {
    this.settings.accessToken = token;
  }

  /**
   * Sends a PING; resolves when the server has answered. Rejects with EventsPubSubError when not connected or when the
   * connection ends first; a caller that ignores the promise gets no unhandled rejection.
   */
  ping(): Promise<void> {
    const { session } = this;
    const answer =
      this.state === 'connected' && session !== undefined
        ? session.heartbeat.ping()
        : Promise.reject(new EventsPubSubError('Not connected', { code: 'not_connected' }));
    answer.catch(() => undefined);
    return answer;
  }

  /**
   * The events from now on, as `for await (const event of pubsub)`; connects when nothing else has. Holds a bounded number
   * of events; while they wait, the socket is paused for all listeners. Ends on `disconnect()`, throws when the
   * subscription is lost for good. Leaving the loop keeps the connection.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<SandboxEvent> {
    const queue = new EventQueue(this.settings.maxQueuedEvents, {
      onRoom: () => this.releaseIfRoom(),
      onReturn: (left) => {
        this.queues.delete(left);
        this.releaseIfRoom();
      },
    });
    this.queues.add(queue);
    // A failure reaches the loop through its queue.
    if (!this.established) this.connect().catch(() => undefined);
    return queue;
  }

  private open(): PendingConnect {
    clearTimeout(this.reconnectTimer);
    this.reconnectTimer = undefined;
    const pending = pendingConnect();
    this.pending = pending;
    this.state = 'connecting';
    try {
      const subscribe = subscribeLine(this.settings.sandboxId, this.settings.accessToken, this.cursor);
      this.session = this.openSession(subscribe);
    } catch (error) {
      this.closed(error instanceof EventsPubSubError ? error : localFailure(error));
    }
    return pending;
  }

  private openSession(subscribe: string): Session {
    const { connectTimeoutMs, heartbeatIntervalMs, heartbeatTimeoutMs } = this.settings;
    const connection = new LineConnection(this.settings, {
      onOpen: () => connection.send(subscribe),
      onData: () => heartbeat.heard(),
      onLine: (line) => this.onLine(line, session),
      onClose: (error) => this.closed(error),
    });
    const heartbeat = new Heartbeat({
      intervalMs: heartbeatIntervalMs,
      timeoutMs: heartbeatTimeoutMs,
      sendPing: () => connection.send('PING'),
      onSilent: (error) => connection.fail(error),
    });
    const answerTimer = setTimeout(() => {
      connection.fail(
        new EventsPubSubError(`No answer to SUBSCRIBE within ${connectTimeoutMs}ms`, { code: 'connect_timeout' }),
      );
    }, connectTimeoutMs);
    const session: Session = { connection, heartbeat, answerTimer, subscribedAtMs: undefined };
    return session;
  }

  private onLine(line: string, session: Session): void {
    const parsed = parseServerLine(line);
    switch (parsed.kind) {
      case 'ok':
        if (session.subscribedAtMs === undefined) this.subscribed(session, parsed.cursor);
        return;
      case 'event':
        this.cursor = usableCursor(parsed.event.cursor) ?? this.cursor;
        for (const queue of this.queues) queue.push(parsed.event, Buffer.byteLength(line));
        if (this.hasFullQueue()) this.hold(session);
        this.tell('event', parsed.event);
        return;
      case 'cursor':
        this.cursor = parsed.cursor;
        return;
      case 'reset':
        this.cursor = parsed.cursor;
        this.tell('reset', { cursor: parsed.cursor, reason: parsed.reason });
        return;
      case 'error':
        // While subscribed, a server that means it closes by itself; a refusal ends the attempt in any case.
        if (session.subscribedAtMs === undefined || !parsed.error.retryable) session.connection.fail(parsed.error);
        else this.tell('error', parsed.error);
        return;
      case 'malformed':
        this.tell(
          'error',
          new EventsPubSubError('The server sent an event that is not JSON', { code: 'malformed_event' }),
        );
        return;
      case 'pong':
        session.heartbeat.pong();
        return;
      case 'other':
        return;
    }
  }

  private subscribed(session: Session, cursor: string | undefined): void {
    const { pending } = this;
    clearTimeout(session.answerTimer);
    session.subscribedAtMs = performance.now();
    session.heartbeat.start();
    this.cursor = cursor ?? this.cursor;
    this.state = 'connected';
    this.established = true;
    this.pending = undefined;
    // Events in the same chunk wait until code after `await connect()` has had its turn to listen or to iterate.
    this.hold(session);
    setImmediate(() => {
      if (this.session === session) this.releaseIfRoom();
    });
    this.tell('connect');
    pending?.resolve();
  }

  private closed(error: EventsPubSubError | undefined): void {
    const { session, pending } = this;
    const wasConnected = session?.subscribedAtMs !== undefined;
    const reason = error ?? new EventsPubSubError('The server closed the connection', { code: 'connection_closed' });
    const keepUp = this.established && this.settings.autoReconnect && reason.retryable;
    this.failures = this.stayedUp(session) ? 1 : this.failures + 1;
    this.established = keepUp;
    this.state = reason.retryable ? 'disconnected' : 'error';
    this.pending = undefined;
    this.endSession(reason);
    if (keepUp) this.scheduleReconnect();
    else this.giveUp(reason);
    pending?.reject(reason);
    // Listeners come last: they find the state as it is now, and may call connect() or disconnect().
    if (error !== undefined || !wasConnected) this.tell('error', reason);
    if (wasConnected) this.tell('disconnect');
  }

  private stayedUp(session: Session | undefined): boolean {
    if (session?.subscribedAtMs === undefined) return false;
    return performance.now() - session.subscribedAtMs >= this.reconnectCeilingMs();
  }

  private reconnectCeilingMs(): number {
    return backoffCeilingMs(Math.max(0, this.failures - 1), this.settings.reconnectDelayMs, MAX_RECONNECT_DELAY_MS);
  }

  private scheduleReconnect(): void {
    this.reconnectTimer = setTimeout(() => {
      this.reconnectTimer = undefined;
      // A failed attempt has scheduled the next one by itself.
      this.connect().catch(() => undefined);
    }, halfJitterMs(this.reconnectCeilingMs()));
  }

  private endSession(reason: Error): void {
    if (this.session === undefined) return;
    clearTimeout(this.session.answerTimer);
    this.session.heartbeat.stop(reason);
    this.session = undefined;
  }

  private hasFullQueue(): boolean {
    for (const queue of this.queues) if (queue.isFull) return true;
    return false;
  }

  private hold(session: Session): void {
    session.heartbeat.setSuspended(true);
    session.connection.hold();
  }

  private releaseIfRoom(): void {
    const { session } = this;
    if (session?.subscribedAtMs === undefined || this.hasFullQueue()) return;
    session.heartbeat.setSuspended(false);
    session.connection.release();
  }

  /** The subscription is over: loops end, and a later one begins its back-off anew. */
  private giveUp(error?: Error): void {
    this.failures = 0;
    for (const queue of this.queues) queue.finish(error);
    this.queues.clear();
  }
}

/** Makes a pub/sub client; what is left out comes from the environment, then from the defaults. */
export function createPubSubClient(config: PubSubClientConfig): EventsPubSubClient {
  return new EventsPubSubClient(config);
}

function localFailure(error: unknown): EventsPubSubError {
  const cause = toError(error);
  return new EventsPubSubError(cause.message, { code: 'bad_request', cause });
}
