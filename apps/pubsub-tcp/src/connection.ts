import { ConnectionBudget, limitKeyOf, type CredentialWatch, type Principal } from '@sluice/access';
import { encodeCursor, SluiceError, toSluiceError, type ErrorCode } from '@sluice/event-log';
import {
  CommandParser,
  DEFAULT_COMMAND_LIMITS,
  encodeLineError,
  type CommandLimits,
  type CommandOutput,
  type Dialect,
} from '@sluice/resp-protocol';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { PubSubLimits } from './limits';
import { LineSession } from './line-session';
import { Output } from './output';
import { RespSession } from './resp-session';
import type { PubSubPorts, Session, Wire } from './session';
import type { ConnectionEnd, ConnectionFacts } from './signals';

/**
 * One socket, from its first byte to its last.
 *
 * ```
 *   open       commands are answered one after another, subscriptions are written
 *     │ end, quit, or the peer's FIN: the last frame is written whole, then FIN
 *     ▼
 *  flushing    until the last byte has left; input is read and discarded
 *     ▼
 *  lingering   until the peer closes; input is read and discarded, as unread input would turn our FIN into RST
 *     ▼
 *   closed     both closed, or destroyed because one of the two took too long
 * ```
 */
export class Connection implements Wire {
  readonly remoteAddress: string;
  readonly output: Output;
  private readonly parser: CommandParser;
  private readonly budget: ConnectionBudget;
  private session: Session | undefined;
  private phase: 'open' | 'flushing' | 'lingering' | 'closed' = 'open';
  private phaseEndsAtMs = Infinity;
  /** Since when nobody is admitted. */
  private strangerSinceMs: number | undefined = performance.now();
  private watched: { readonly principal: Principal; readonly watch: CredentialWatch } | undefined;
  private readsAsAdmitted = false;
  /** Bytes came that were not yet looked at. */
  private hasUnread = false;
  private isWorking = false;
  private inputEnded = false;

  constructor(
    readonly connectionId: number,
    private readonly socket: Socket,
    private readonly ports: PubSubPorts,
    private readonly onClosed: (connection: Connection) => void,
  ) {
    const { limits, signals } = ports;
    this.remoteAddress = socket.remoteAddress ?? 'unknown';
    this.parser = new CommandParser(commandLimits(limits, false));
    this.budget = new ConnectionBudget(limits.commandsPerSecond, limits.commandBurst, performance.now());
    this.output = new Output(socket, limits, (bytes) => signals.sent(bytes));
    signals.connectionOpened();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, limits.keepAliveMs);
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('end', () => this.peerEnded());
    socket.on('finish', () => this.flushed());
    socket.on('error', () => this.settle('lost'));
    socket.on('close', () => this.closed());
  }

  get isOpen(): boolean {
    return this.phase === 'open';
  }

  end(error: SluiceError): void {
    if (!this.isOpen) return;
    // Redis clients take an error that no command asked for as a fault, some as a fatal one; after FIN alone they come back.
    if (this.dialect === 'resp' && error.code === 'shutting_down') return this.finish(error.code);
    const place = this.session?.place;
    const cursor = place ? ` ${encodeCursor(place)}` : '';
    this.finish(error.code, encodeLineError(`${error.code} ${error.message}${cursor}`));
  }

  quit(lastFrame: Buffer): void {
    this.finish('client', lastFrame);
  }

  authenticationFailed(code: ErrorCode): void {
    this.ports.signals.authenticationFailed(this.facts(), code);
  }

  subscribed(what: string): void {
    this.ports.signals.subscribed(this.facts(), what);
  }

  /** To be called from time to time: everything that depends on time. */
  sweep(nowMs: number): void {
    if (!this.isOpen) {
      if (nowMs >= this.phaseEndsAtMs) this.destroy();
      return;
    }
    const { limits } = this.ports;
    const principal = this.session?.principal;
    this.watchCredential(principal);
    if (!this.isOpen) return;
    this.strangerSinceMs = principal ? undefined : (this.strangerSinceMs ?? nowMs);
    const { blockedSinceMs } = this.output;
    if (this.strangerSinceMs !== undefined && nowMs - this.strangerSinceMs >= limits.authenticationTimeoutMs) {
      this.end(new SluiceError('unauthorized', 'No credentials came in time; each line ends by CR LF'));
    } else if (blockedSinceMs !== undefined && nowMs - blockedSinceMs >= limits.stallTimeoutMs) {
      this.end(new SluiceError('slow_subscriber', 'The subscriber did not keep up; resume from the last cursor'));
    } else {
      this.session?.heartbeat(nowMs);
    }
  }

  /** Closes at once, for when there is no time left. */
  destroy(): void {
    if (this.phase === 'closed') return;
    this.ports.signals.connectionDestroyed();
    // What has not left ends within a line, which a client might take for the beginning of its next connection. A reset
    // says that this was no orderly end.
    const isCutOff = this.socket.writableLength > 0 && !(this.socket instanceof TLSSocket);
    // By itself the first would wait for the bytes that are not leaving.
    if (isCutOff) this.socket.resetAndDestroy();
    this.socket.destroy();
  }

  /** A connection may change its credentials; the ones it has now are watched until it ends. */
  private watchCredential(principal: Principal | undefined): void {
    if (principal === this.watched?.principal) return;
    this.watched?.watch.cancel();
    this.watched = principal && {
      principal,
      watch: this.ports.gate.watch(principal, (reason) => this.end(reason)),
    };
  }

  private get dialect(): Dialect | undefined {
    return this.parser.dialect;
  }

  private facts(): ConnectionFacts {
    const { connectionId, remoteAddress, dialect } = this;
    const principal = this.session?.principal;
    return { connectionId, remoteAddress, dialect, principalId: principal && limitKeyOf(principal) };
  }

  /** The socket is paused while commands wait, but a chunk that was on its way already is still handed over. */
  private read(chunk: Buffer): void {
    if (!this.isOpen) return;
    this.parser.push(chunk);
    this.hasUnread = true;
    void this.work();
  }

  /** What is behind a command is read once that is answered: its answer decides how much may be asked. */
  private nextCommand(): CommandOutput | undefined {
    const isAdmitted = this.session?.principal !== undefined;
    if (isAdmitted !== this.readsAsAdmitted) {
      this.readsAsAdmitted = isAdmitted;
      this.parser.setLimits(commandLimits(this.ports.limits, isAdmitted));
    }
    const command = this.parser.next();
    this.session ??= this.openSession();
    this.hasUnread = command !== undefined;
    return command;
  }

  private openSession(): Session | undefined {
    if (this.dialect === undefined) return undefined;
    this.ports.signals.dialectKnown(this.dialect);
    return this.dialect === 'line' ? new LineSession(this, this.ports) : new RespSession(this, this.ports);
  }

  /** One command after another; input stops while an answer is awaited or the peer does not read its answers. */
  private async work(): Promise<void> {
    if (this.isWorking) return;
    this.isWorking = true;
    try {
      while (this.isOpen) {
        if (this.output.isBlocked) {
          this.socket.pause();
          this.output.onceDrained(() => void this.work());
          return;
        }
        const command = this.nextCommand();
        if (command === undefined) break;
        const answering = this.answer(command);
        if (answering) {
          this.socket.pause();
          await answering;
        }
      }
    } catch (error) {
      this.ports.signals.fault(error);
      this.end(toSluiceError(error));
    } finally {
      this.isWorking = false;
    }
    this.socket.resume();
    if (this.inputEnded && this.isOpen) this.finish('client');
  }

  private answer(output: CommandOutput): void | Promise<void> {
    const { session } = this;
    if (!session) return;
    if (output.kind === 'error') {
      this.ports.signals.protocolError(output.code);
      return this.finish('protocol_error', session.encodeProtocolError(output));
    }
    this.ports.signals.command(output.dialect, output.name);
    if (!this.budget.take(performance.now())) {
      return this.end(new SluiceError('rate_limited', 'Too many commands on this connection'));
    }
    return session.handle(output);
  }

  /** The peer sends no more; what it asked for before is still answered. */
  private peerEnded(): void {
    this.inputEnded = true;
    if (this.isOpen && !this.isWorking && !this.hasUnread) this.finish('client');
  }

  private finish(reason: ConnectionEnd, lastFrame?: Buffer): void {
    if (!this.isOpen) return;
    if (lastFrame) this.output.write(lastFrame);
    this.settle(reason);
    this.socket.end();
    this.socket.resume();
  }

  /** The end has begun, whoever began it. */
  private settle(reason: ConnectionEnd): void {
    if (!this.isOpen) return;
    this.ports.signals.connectionEnding(this.facts(), reason);
    this.phase = 'flushing';
    this.phaseEndsAtMs = performance.now() + this.ports.limits.flushGraceMs;
    this.hasUnread = false;
    this.parser.close();
    this.output.close();
    this.watchCredential(undefined);
    this.session?.close();
  }

  private flushed(): void {
    if (this.phase !== 'flushing') return;
    this.phase = 'lingering';
    this.phaseEndsAtMs = performance.now() + this.ports.limits.lingerMs;
  }

  private closed(): void {
    this.settle('lost');
    this.phase = 'closed';
    this.ports.signals.connectionClosed(this.dialect);
    this.onClosed(this);
  }
}

function commandLimits(limits: PubSubLimits, isAdmitted: boolean): Partial<CommandLimits> {
  const { maxBulkBytes, maxCommandBytes } = DEFAULT_COMMAND_LIMITS;
  return isAdmitted
    ? { maxWords: limits.maxWords, maxBulkBytes, maxCommandBytes }
    : {
        maxWords: limits.strangerWords,
        maxBulkBytes: limits.strangerCommandBytes,
        maxCommandBytes: limits.strangerCommandBytes,
      };
}
