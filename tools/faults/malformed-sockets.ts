import { Ajv2020 } from 'ajv/dist/2020';
import { WebSocket } from 'ws';
import type { DevFile } from '../../e2e/system';
import { brokenBodies, hostileFields, type Json, type NewMark } from './malformed-kinds';

const ANSWER_TIMEOUT_MS = 20_000;
/** A message that is larger ends the connection, which is tried with frames. */
const MAX_MESSAGE_CHARS = 60_000;
/** On one connection: fewer frames than its burst. */
const INPUTS_OF_A_CONNECTION = 100;

/** One door of WebSockets, and its messages that are right. */
interface SocketDoor {
  readonly path: string;
  /** Its name in the AsyncAPI document. */
  readonly channel: string;
  readonly messages: readonly Json[];
  readonly ping: string;
  readonly pong: string;
  readonly refusal: string;
}

const FILTER = { families: ['sandbox'], entityIds: ['nobody'], types: ['nothing.*'], workspaceId: 1 };
const DOORS: readonly SocketDoor[] = [
  {
    path: '/v1/socket',
    channel: 'socket',
    messages: [
      { type: 'subscribe', id: 'a', filter: FILTER, cursor: 'latest', credit: 1, presence: { group: 'g', name: 'n' } },
      { type: 'credit', id: 'a', events: 1 },
      { type: 'unsubscribe', id: 'a' },
      { type: 'ping' },
    ],
    ping: '{"type":"ping"}',
    pong: 'pong',
    refusal: 'error',
  },
  {
    path: '/ws',
    channel: 'workspace-socket',
    messages: [
      { type: 'Subscribe', data: { channels: ['cron'] } },
      { type: 'Unsubscribe', data: { channels: ['cron'] } },
      { type: 'Ping' },
    ],
    ping: '{"type":"Ping"}',
    pong: 'Pong',
    refusal: 'Error',
  },
];

interface AsyncApi {
  readonly operations: Readonly<Record<string, { readonly messages: readonly { readonly $ref: string }[] }>>;
  readonly components: { readonly messages: Readonly<Record<string, { readonly payload: object }>> };
}

/** What came of hostile messages. */
export interface SocketOutcome {
  /** That had to be refused. */
  readonly sent: number;
  /** Of those. */
  readonly refused: number;
  readonly faults: readonly string[];
}

/** Sends each hostile kind in each field of each message, at both doors: refused by an error, on a connection that goes on. */
export async function attackSockets({ baseUrl, apiKey }: DevFile, newMark: NewMark): Promise<SocketOutcome> {
  const document = (await (await fetch(`${baseUrl}/asyncapi.json`)).json()) as AsyncApi;
  const outcome = { sent: 0, refused: 0, faults: [] as string[] };
  for (const door of DOORS) {
    const isMessage = messagesOf(document, door.channel);
    const inputs = door.messages
      .flatMap((message) => [
        ...hostileFields(message, [], newMark, ''),
        ...brokenBodies(message, newMark, '').filter(({ headers }) =>
          Object.values(headers).every((value) => value === ''),
        ),
      ])
      .filter(({ bytes }) => typeof bytes === 'string' && bytes.length < MAX_MESSAGE_CHARS);
    for (let first = 0; first < inputs.length; first += INPUTS_OF_A_CONNECTION) {
      const connection = await Connection.open(`${baseUrl.replace('http', 'ws')}${door.path}`, apiKey);
      for (const input of inputs.slice(first, first + INPUTS_OF_A_CONNECTION)) {
        const must = !isMessage(String(input.bytes));
        const types = await connection.ask(String(input.bytes), door, must);
        const isRefused = types.includes(door.refusal);
        if (must) outcome.sent++;
        if (must && isRefused) outcome.refused++;
        if (!types.includes(door.pong)) outcome.faults.push(`${door.path}, ${input.name}: ${types.join()}`);
        else if (must && !isRefused) outcome.faults.push(`${door.path}, ${input.name}: it was taken: ${types.join()}`);
        if (connection.hasEnded) break;
      }
      connection.close();
    }
  }
  return outcome;
}

/** Whether a text is a message that a client may send there. */
function messagesOf(document: AsyncApi, channel: string): (text: string) => boolean {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const names = (document.operations[`${channel}.receive`]?.messages ?? []).map(({ $ref }) => $ref.split('/').at(-1));
  const validators = names.map((name) =>
    ajv.compile(document.components.messages[`${channel}.${name}`]?.payload ?? false),
  );
  return (text) => {
    try {
      const value: unknown = JSON.parse(text);
      return validators.some((validate) => validate(value));
    } catch {
      return false;
    }
  };
}

const typeOf = (text: string): unknown => (JSON.parse(text) as { type?: unknown }).type;

/** A connection on which messages are answered one after the other. */
class Connection {
  hasEnded = false;
  private types: string[] = [];
  private onMessage: () => void = () => undefined;

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.types.push((JSON.parse(data.toString()) as { type: string }).type);
      this.onMessage();
    });
    socket
      .on('error', () => undefined)
      .on('close', (code) => {
        this.hasEnded = true;
        this.types.push(`closed ${code}`);
        this.onMessage();
      });
  }

  static async open(url: string, apiKey: string): Promise<Connection> {
    const socket = new WebSocket(url, { headers: { 'x-api-key': apiKey } });
    const connection = new Connection(socket);
    await new Promise<void>((resolve) => {
      socket.on('open', resolve).on('close', () => resolve());
    });
    return connection;
  }

  /** The types of all that was answered, with the answer to a ping behind it as the last. */
  async ask(text: string, { ping, pong }: SocketDoor, mustBeRefused: boolean): Promise<readonly string[]> {
    this.types = [];
    this.socket.send(text);
    this.socket.send(ping);
    const isPing = !mustBeRefused && typeOf(text) === typeOf(ping);
    const pongs = () => this.types.filter((type) => type === pong).length;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ANSWER_TIMEOUT_MS);
      const look = () => {
        if (!this.hasEnded && pongs() < (isPing ? 2 : 1)) return;
        clearTimeout(timer);
        resolve();
      };
      this.onMessage = look;
      look();
    });
    return this.types;
  }

  close(): void {
    this.socket.terminate();
  }
}
