import type { ConnectionLease, Principal } from '@sluice/access';
import { toSluiceError, type SluiceError } from '@sluice/event-log';
import {
  encodeArray,
  encodeBulk,
  encodeError,
  encodeInteger,
  encodeMap,
  encodeNull,
  encodePong,
  encodeSimple,
  type Command,
  type ProtocolError,
  type RespVersion,
} from '@sluice/resp-protocol';
import { readHello } from './resp-hello';
import {
  credentialRefusal,
  encodeRefusal,
  isBadCredential,
  NOT_AUTHENTICATED,
  RespRefusal,
  wrongArity,
} from './resp-refusal';
import { RespSubscriptions } from './resp-subscriptions';
import type { PubSubPorts, Session, Wire } from './session';

const OK = encodeSimple('OK');
/** What the ready check of Redis clients looks for. */
const INFO = encodeBulk(
  '# Server\r\nredis_mode:standalone\r\n# Persistence\r\nloading:0\r\n# Replication\r\nrole:master\r\n',
);

interface CommandEntry {
  /** Least and most arguments. */
  readonly arity: readonly [number, number];
  /** Allowed before anybody is admitted. */
  readonly open?: true;
  /** Allowed in RESP2 while subscribed, where a client takes every reply for a message. */
  readonly whileSubscribed?: true;
  readonly run: (session: RespSession, args: readonly string[]) => void | Promise<void>;
}

/** The RESP dialect: what a Redis client needs in order to subscribe. Errors are replies; the connection goes on. */
export class RespSession implements Session {
  private static readonly commands: ReadonlyMap<string, CommandEntry> = new Map(
    Object.entries<CommandEntry>({
      AUTH: { arity: [1, 2], open: true, run: (session, args) => session.authenticate(args.at(-1) ?? '') },
      HELLO: { arity: [0, Infinity], open: true, run: (session, args) => session.hello(args) },
      QUIT: { arity: [0, Infinity], open: true, whileSubscribed: true, run: ({ wire }) => wire.quit(OK) },
      RESET: { arity: [0, 0], open: true, whileSubscribed: true, run: (session) => session.reset() },
      PING: { arity: [0, 1], whileSubscribed: true, run: (session, [message]) => session.ping(message) },
      ECHO: { arity: [1, 1], run: ({ wire }, [message = '']) => wire.output.write(encodeBulk(message)) },
      SELECT: { arity: [1, 1], run: (session, [index]) => session.select(index) },
      INFO: { arity: [0, Infinity], run: ({ wire }) => wire.output.write(INFO) },
      COMMAND: { arity: [0, Infinity], run: (session, [what]) => session.describeCommands(what) },
      CLIENT: { arity: [1, Infinity], run: (session, args) => session.client(args) },
      SUBSCRIBE: {
        arity: [1, Infinity],
        whileSubscribed: true,
        run: (session, names) => session.subscribe('channel', names),
      },
      PSUBSCRIBE: {
        arity: [1, Infinity],
        whileSubscribed: true,
        run: (session, names) => session.subscribe('pattern', names),
      },
      UNSUBSCRIBE: {
        arity: [0, Infinity],
        whileSubscribed: true,
        run: (session, names) => session.subscriptions.unsubscribe('channel', names, session.version),
      },
      PUNSUBSCRIBE: {
        arity: [0, Infinity],
        whileSubscribed: true,
        run: (session, names) => session.subscriptions.unsubscribe('pattern', names, session.version),
      },
    }),
  );
  private readonly subscriptions: RespSubscriptions;
  private version: RespVersion = 2;
  private identity: { readonly principal: Principal; readonly lease: ConnectionLease } | undefined;
  private clientName = '';
  private failures = 0;

  constructor(
    private readonly wire: Wire,
    private readonly ports: PubSubPorts,
  ) {
    this.subscriptions = new RespSubscriptions(wire, ports, (error) => this.fail(error));
  }

  get principal(): Principal | undefined {
    return this.identity?.principal;
  }

  get place() {
    return this.subscriptions.place;
  }

  handle({ name, args }: Command): void | Promise<void> {
    try {
      const running = this.permitted(name, args).run(this, args);
      return running && running.catch((error: unknown) => this.refuse(error));
    } catch (error) {
      this.refuse(error);
    }
  }

  encodeProtocolError({ message }: ProtocolError): Buffer {
    return encodeError(`Protocol error: ${message}`);
  }

  /** Redis clients ask by PING themselves. */
  heartbeat(): void {}

  close(): void {
    this.subscriptions.close();
    this.identity?.lease.release();
    this.identity = undefined;
  }

  private permitted(name: string, args: readonly string[]): CommandEntry {
    const entry = RespSession.commands.get(name);
    if (!this.identity && !entry?.open) throw NOT_AUTHENTICATED;
    if (!entry) throw new RespRefusal('unknown command');
    if (this.version === 2 && this.subscriptions.size > 0 && !entry.whileSubscribed) {
      throw new RespRefusal(
        `Can't execute '${name.toLowerCase()}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
      );
    }
    const [least, most] = entry.arity;
    if (args.length < least || args.length > most) throw wrongArity(name);
    return entry;
  }

  private async authenticate(credential: string): Promise<void> {
    await this.admit(credential);
    if (this.wire.isOpen) this.wire.output.write(OK);
  }

  private async hello(args: readonly string[]): Promise<void> {
    const hello = readHello(args, this.ports.limits.clientNameLength);
    if (hello.credential !== undefined) await this.admit(hello.credential);
    if (!this.wire.isOpen) return;
    if (!this.identity) {
      throw new RespRefusal('HELLO needs AUTH <user> <token> on a connection that is not authenticated', 'NOAUTH');
    }
    // The frames of running subscriptions are of the version in which they were made.
    if (hello.version !== undefined && hello.version !== this.version) this.assertNotSubscribed('HELLO');
    this.version = hello.version ?? this.version;
    this.clientName = hello.clientName ?? this.clientName;
    this.wire.output.write(this.describeServer());
  }

  private async admit(credential: string): Promise<void> {
    this.assertNotSubscribed('AUTH');
    const { gate } = this.ports;
    try {
      const principal = await gate.admit(this.wire.remoteAddress, credential);
      if (!this.wire.isOpen) return;
      const lease = gate.openConnection(principal);
      this.identity?.lease.release();
      this.identity = { principal, lease };
    } catch (error) {
      const known = toSluiceError(error);
      if (isBadCredential(known)) this.countFailure(known);
      if (known.code === 'internal') this.ports.signals.fault(error);
      throw credentialRefusal(known);
    }
  }

  private countFailure(error: SluiceError): void {
    this.wire.authenticationFailed(error.code);
    if (++this.failures >= this.ports.limits.authenticationFailures) this.wire.end(error);
  }

  private async subscribe(kind: 'channel' | 'pattern', names: readonly string[]): Promise<void> {
    if (!this.identity) throw NOT_AUTHENTICATED;
    await this.subscriptions.subscribe(kind, names, this.identity.principal, this.version);
  }

  private ping(message: string | undefined): void {
    this.wire.output.write(encodePong(this.version, this.subscriptions.size > 0, message));
  }

  private select(index: string | undefined): void {
    if (index !== '0') throw new RespRefusal('DB index is out of range');
    this.wire.output.write(OK);
  }

  private describeCommands(what: string | undefined): void {
    this.wire.output.write(what?.toUpperCase() === 'COUNT' ? encodeInteger(0) : encodeArray([]));
  }

  private client([what = '', ...args]: readonly string[]): void {
    const { output } = this.wire;
    switch (what.toUpperCase()) {
      case 'ID':
        return output.write(encodeInteger(this.wire.connectionId));
      case 'GETNAME':
        return output.write(this.clientName === '' ? encodeNull(this.version) : encodeBulk(this.clientName));
      case 'SETNAME':
        if (args.length !== 1) throw wrongArity('client|setname');
        this.clientName = (args[0] ?? '').slice(0, this.ports.limits.clientNameLength);
        return output.write(OK);
      case 'SETINFO':
        if (args.length !== 2) throw wrongArity('client|setinfo');
        return output.write(OK);
      default:
        throw new RespRefusal('unknown subcommand');
    }
  }

  /** As new: nobody admitted, nothing subscribed, RESP2. */
  private reset(): void {
    this.close();
    this.version = 2;
    this.clientName = '';
    this.wire.output.write(encodeSimple('RESET'));
  }

  private describeServer(): Buffer {
    return encodeMap(this.version, [
      [encodeBulk('server'), encodeBulk('sluice')],
      [encodeBulk('version'), encodeBulk('0.1.0')],
      [encodeBulk('proto'), encodeInteger(this.version)],
      [encodeBulk('id'), encodeInteger(this.wire.connectionId)],
      [encodeBulk('mode'), encodeBulk('standalone')],
      [encodeBulk('role'), encodeBulk('master')],
      [encodeBulk('modules'), encodeArray([])],
    ]);
  }

  private assertNotSubscribed(command: string): void {
    if (this.subscriptions.size > 0) throw new RespRefusal(`${command} is not possible while subscribed`);
  }

  private refuse(error: unknown): void {
    if (!this.wire.isOpen) return;
    if (!(error instanceof RespRefusal) && toSluiceError(error).code === 'internal') this.ports.signals.fault(error);
    this.wire.output.write(encodeRefusal(error));
  }

  /** A subscription that ends takes its connection along: a channel that fell silent could not be told from a quiet one. */
  private fail(error: unknown): void {
    const known = toSluiceError(error);
    if (known.code === 'internal') this.ports.signals.fault(error);
    this.wire.end(known);
  }
}
