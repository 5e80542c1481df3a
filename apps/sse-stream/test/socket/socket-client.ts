import type { IncomingMessage } from 'node:http';
import { until } from '@sluice/event-log/conformance';
import { WebSocket } from 'ws';
import type { z } from 'zod';
import { socketServerMessageSchema, workspaceServerMessageSchema } from '../../src/socket/messages';

/** Parsed JSON, which tests may look into. */
export type Json = ReturnType<typeof JSON.parse>;

export interface SocketOpenOptions {
  readonly key?: string;
  readonly bearer?: string;
  readonly headers?: Record<string, string>;
}

/** An answer by HTTP instead of a connection. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly body: Json,
  ) {
    super(`refused with ${status}`);
  }
}

/** A client of either door. It holds every message of the server against the schemas that are published. */
export class SocketClient {
  readonly texts: string[] = [];
  readonly messages: Json[] = [];
  /** What did not fit its schema. */
  readonly misfits: unknown[] = [];
  /** Code and reason, once it is closed. */
  end: { readonly code: number; readonly reason: string } | undefined;

  private constructor(
    readonly webSocket: WebSocket,
    schema: z.ZodType,
  ) {
    webSocket.on('message', (data: Buffer, isBinary) => {
      const text = data.toString();
      const message: Json = JSON.parse(text);
      const parsed = schema.safeParse(message);
      if (isBinary || !parsed.success) this.misfits.push(parsed.error ?? 'binary');
      this.texts.push(text);
      this.messages.push(message);
    });
    webSocket.on('error', () => undefined);
    webSocket.on('close', (code, reason) => (this.end = { code, reason: reason.toString() }));
  }

  /** Resolves when the connection is open. @throws Refused */
  static open(baseUrl: string, path: string, { key, bearer, headers }: SocketOpenOptions = {}): Promise<SocketClient> {
    const schema = path.startsWith('/ws') ? workspaceServerMessageSchema : socketServerMessageSchema;
    const webSocket = new WebSocket(`${baseUrl.replace('http', 'ws')}${path}`, {
      headers: {
        ...(key === undefined ? {} : { 'x-api-key': key }),
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...headers,
      },
    });
    // Listens before the first message can come.
    const client = new SocketClient(webSocket, schema);
    return new Promise((resolve, reject) => {
      webSocket.once('open', () => resolve(client));
      webSocket.once('error', reject);
      webSocket.once('unexpected-response', (_request, response) => {
        void readBody(response).then((body) => reject(new Refused(response.statusCode ?? 0, body)));
      });
    });
  }

  say(message: Json): void {
    this.webSocket.send(JSON.stringify(message));
  }

  sayText(text: string | Buffer): void {
    this.webSocket.send(text, { binary: false });
  }

  of(type: string, id?: string): Json[] {
    return this.messages.filter((message) => message.type === type && (id === undefined || message.id === id));
  }

  /** The message of a type, the so-manieth. */
  async receives(type: string, count = 1): Promise<Json> {
    await until(() => this.of(type).length >= count, `${count} of ${type}`);
    return this.of(type)[count - 1];
  }

  /** Recorded events of `/v1/socket`. */
  events(id?: string): Json[] {
    return this.of('events', id).flatMap(({ events }) => events);
  }

  positions(id?: string): number[] {
    return this.events(id).map(({ position }) => position);
  }

  async receivesEvents(count: number, id?: string): Promise<Json[]> {
    await until(() => this.events(id).length >= count, `${count} events`);
    return this.events(id);
  }

  async closed(): Promise<{ readonly code: number; readonly reason: string }> {
    await until(() => this.end !== undefined, 'the connection is closed');
    if (!this.end) throw new Error('not closed');
    return this.end;
  }

  pause(): void {
    this.webSocket.pause();
  }

  resume(): void {
    this.webSocket.resume();
  }

  /** Goes without a word. */
  destroy(): void {
    this.webSocket.terminate();
  }
}

async function readBody(response: IncomingMessage): Promise<Json> {
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text === '' ? undefined : JSON.parse(text);
}
