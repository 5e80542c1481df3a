import { ConnectionBudget, type CredentialWatch } from '@sluice/access';
import type { SluiceError } from '@sluice/event-log';
import type { Duplex } from 'node:stream';
import type { WebSocket } from '@sluice/service-runtime';
import type { RawData } from 'ws';
import type { OpenStream } from '@sluice/event-streams';
import { CLOSE_CODES, type CloseReason } from './close-codes';
import type { SocketLimits } from './limits';
import type { Session, Wire } from './session';
import { SocketOutput } from './socket-output';
import type { SocketEnd, SocketFacts, SocketSignals } from './socket-signals';

export interface SocketConnectionOptions {
  readonly webSocket: WebSocket;
  /** What the WebSocket reads from and writes to. */
  readonly transport: Duplex;
  readonly facts: SocketFacts;
  readonly limits: SocketLimits;
  readonly signals: SocketSignals;
  /** Calls back when the caller's credential is no longer accepted. */
  watchCaller(onEnded: (reason: SluiceError) => void): CredentialWatch;
}

/**
 * One WebSocket, from its opening handshake to its end.
 *
 * ```
 *   open     messages are answered one after another, subscriptions are written
 *     │ end: last words, then the close frame, behind all that waits
 *     ▼
 *  closing   until the peer has read all that and answered; what it says is not looked at any more
 *     ▼
 *  closed    both sides closed, or destroyed because the peer took too long or was silent
 * ```
 */
export class SocketConnection implements Wire, OpenStream {
  readonly output: SocketOutput;
  readonly over: Promise<void>;
  private readonly budget: ConnectionBudget;
  private session: Session | undefined;
  private watch: CredentialWatch | undefined;
  private phase: 'open' | 'closing' | 'closed' = 'open';
  private closingEndsAtMs = Infinity;
  private hasSaidGoodbye = false;
  /** Messages that came and were not handled yet; no more than the budget lets through. */
  private readonly inbox: string[] = [];
  private isWorking = false;
  /** In succession. */
  private faultyMessages = 0;
  private pingedAtMs = performance.now();
  private heardSincePing = true;

  constructor(private readonly options: SocketConnectionOptions) {
    const { webSocket, transport, limits, signals } = options;
    this.budget = new ConnectionBudget(limits.messagesPerSecond, limits.messageBurst, performance.now());
    this.output = new SocketOutput(webSocket, transport, limits, (bytes) => signals.sent(bytes));
    this.over = new Promise((resolve) => webSocket.once('close', () => resolve()));
    signals.opened(options.facts.door);
    webSocket.on('message', (data, isBinary) => this.read(data, isBinary));
    // Answered by the WebSocket itself; so they cost the peer as much as a message.
    webSocket.on('ping', () => this.heardPing());
    webSocket.on('pong', () => this.heard());
    webSocket.on('error', (error) => this.settle(endOfError(error)));
    webSocket.on('close', (code) => this.closed(code));
  }

  get isOpen(): boolean {
    return this.phase === 'open';
  }

  /** To be called once, in the turn in which the connection was made. */
  start(session: Session): void {
    this.session = session;
    this.watch = this.options.watchCaller(({ code }) =>
      this.end(code === 'token_expired' ? 'token_expired' : 'revoked'),
    );
    this.isWorking = true;
    void Promise.resolve(session.start()).then(() => {
      this.isWorking = false;
      void this.work();
    });
  }

  shutDown(): void {
    this.end('shutting_down');
  }

  end(reason: CloseReason): void {
    if (!this.isOpen) return;
    this.session?.ending(reason);
    this.settle(reason);
    const { webSocket } = this.options;
    this.hasSaidGoodbye = true;
    webSocket.close(CLOSE_CODES[reason].code, CLOSE_CODES[reason].reason);
    // Or the answer to the close frame would not be read.
    webSocket.resume();
  }

  failed(error: unknown): void {
    this.options.signals.fault(error);
    this.end('internal');
  }

  understood(type: string): void {
    this.faultyMessages = 0;
    this.options.signals.message(this.options.facts.door, type);
  }

  misunderstood(): void {
    const { signals, facts, limits } = this.options;
    signals.faultyMessage(facts.door);
    if (++this.faultyMessages > limits.faultyMessages) this.end('policy');
  }

  /** To be called from time to time: everything that depends on time. */
  sweep(nowMs: number): void {
    const { limits } = this.options;
    if (this.phase === 'closed') return;
    if (this.phase === 'closing') {
      if (nowMs < this.closingEndsAtMs) return;
      this.closingEndsAtMs = Infinity;
      this.destroy();
      return;
    }
    const { stalledSinceMs } = this.output;
    if (stalledSinceMs !== undefined && nowMs - stalledSinceMs >= limits.stallTimeoutMs) this.end('slow_subscriber');
    else if (nowMs - this.pingedAtMs >= limits.pingIntervalMs) this.ping(nowMs);
  }

  private ping(nowMs: number): void {
    // While it is behind nothing of it is read either, and another clock runs.
    if (this.output.isBlocked) this.heardSincePing = true;
    else if (!this.heardSincePing) {
      this.settle('silent');
      this.destroy();
      return;
    } else {
      this.heardSincePing = false;
      this.options.webSocket.ping();
      this.session?.heartbeat();
    }
    this.pingedAtMs = nowMs;
  }

  private read(data: RawData, isBinary: boolean): void {
    if (!this.heard()) return;
    if (isBinary || !Buffer.isBuffer(data)) return this.end('unsupported_data');
    this.inbox.push(data.toString());
    void this.work();
  }

  private heardPing(): void {
    // The WebSocket cuts a peer that pings on and does not read the answers.
    const { webSocket } = this.options;
    if (webSocket.readyState === webSocket.OPEN) this.heard();
    else this.settle('rate_limited');
  }

  /** Counts a frame that came in; false when it is not to be looked at. */
  private heard(): boolean {
    if (!this.isOpen) return false;
    this.heardSincePing = true;
    if (!this.budget.take(performance.now())) this.end('rate_limited');
    else if (this.output.isBlocked) void this.work();
    return this.isOpen;
  }

  /** One message after another; input stops while an answer is awaited or the peer does not read its answers. */
  private async work(): Promise<void> {
    const { webSocket } = this.options;
    if (this.isWorking) return webSocket.pause();
    this.isWorking = true;
    try {
      while (this.isOpen) {
        if (this.output.isBlocked) {
          webSocket.pause();
          this.output.onceDrained(this.workOn);
          return;
        }
        const text = this.inbox.shift();
        if (text === undefined) break;
        const answering = this.session?.handle(text);
        if (answering) {
          webSocket.pause();
          await answering;
        }
      }
    } catch (error) {
      this.failed(error);
    } finally {
      this.isWorking = false;
    }
    if (webSocket.isPaused) webSocket.resume();
  }

  private readonly workOn = () => void this.work();

  /** The end has begun, whoever began it. */
  private settle(reason: SocketEnd): void {
    if (!this.isOpen) return;
    const { signals, facts, limits } = this.options;
    signals.ending(facts, reason);
    this.phase = 'closing';
    this.closingEndsAtMs = performance.now() + limits.endGraceMs;
    this.inbox.length = 0;
    this.output.close();
    this.watch?.cancel();
    this.session?.close();
  }

  private destroy(): void {
    this.options.webSocket.terminate();
  }

  private closed(code: number): void {
    this.settle(code === LOST ? 'lost' : 'client');
    this.phase = 'closed';
    const { signals, facts } = this.options;
    if (this.hasSaidGoodbye && code === LOST) signals.unanswered();
    signals.closed(facts.door);
  }
}

/** What is told of a connection that went without a close frame. */
const LOST = 1006;

/** The WebSocket has closed by itself after these. */
function endOfError(error: Error & { code?: unknown }): SocketEnd {
  switch (error.code) {
    case 'WS_ERR_INVALID_UTF8':
      return 'invalid_text';
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
      return 'message_too_big';
    // A message in too many fragments.
    case 'WS_ERR_TOO_MANY_BUFFERED_PARTS':
      return 'policy';
    default:
      return typeof error.code === 'string' && error.code.startsWith('WS_ERR_') ? 'protocol_error' : 'lost';
  }
}
