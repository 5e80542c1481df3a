import { request, type ClientRequest } from 'node:http';
import { until } from '@sluice/event-log/conformance';
import { SseParser } from '@sluice/sse-protocol';
import { WebSocket } from 'ws';
import type { ClusterSystem } from './system';

/** A workspace of its own, so that what other tests stored is not seen. */
const WORKSPACE_ID = 3;
const SSE_SUBSCRIBERS = 45;
const SOCKET_SUBSCRIBERS = 15;
const WRITERS = 4;
const TIMEOUT_MS = 120_000;
const RECONNECT_DELAY_MS = 50;

/** A subscriber that comes back to whichever replica answers, with its cursor. */
abstract class Follower {
  readonly seen: string[] = [];
  /** Why streams that were open ended, as they were told. */
  readonly ends: string[] = [];
  resets = 0;
  isOpen = false;
  protected cursor = '';
  private isClosed = false;

  constructor(
    protected readonly baseUrl: string,
    protected readonly apiKey: string,
  ) {}

  protected abstract open(onEnd: () => void): void;
  protected abstract drop(): void;

  start(): void {
    if (this.isClosed) return;
    let hasEnded = false;
    this.open(() => {
      this.isOpen = false;
      if (hasEnded) return;
      hasEnded = true;
      setTimeout(() => this.start(), RECONNECT_DELAY_MS);
    });
  }

  close(): void {
    this.isClosed = true;
    this.drop();
  }
}

class SseFollower extends Follower {
  private call: ClientRequest | undefined;

  protected open(onEnd: () => void): void {
    const headers = { 'x-api-key': this.apiKey, ...(this.cursor === '' ? {} : { 'last-event-id': this.cursor }) };
    const call = request(`${this.baseUrl}/v1/stream`, { headers, agent: false }, (response) => {
      response.on('error', onEnd).on('close', onEnd);
      if (response.statusCode !== 200) return void response.resume();
      const parser = new SseParser({ lastEventId: this.cursor });
      response.on('data', (chunk: Buffer) => {
        for (const output of parser.feed(chunk)) {
          if (output.kind === 'event') this.receive(output.type, output.data);
        }
        this.cursor = parser.lastEventId;
        this.isOpen = this.cursor !== '';
      });
    });
    this.call = call;
    call.on('error', onEnd).end();
  }

  protected drop(): void {
    this.call?.destroy();
  }

  private receive(name: string, data: string): void {
    if (name === 'reset') this.resets++;
    else if (name === 'end') {
      this.ends.push((JSON.parse(data) as { code: string }).code);
    } else this.seen.push((JSON.parse(data) as { id: string }).id);
  }
}

interface SocketMessage {
  readonly type: string;
  readonly cursor?: string;
  readonly code?: string;
  readonly reset?: unknown;
  readonly events?: readonly { readonly id: string }[];
}

class SocketFollower extends Follower {
  private socket: WebSocket | undefined;

  protected open(onEnd: () => void): void {
    const url = `${this.baseUrl.replace('http', 'ws')}/v1/socket`;
    const socket = new WebSocket(url, { headers: { 'x-api-key': this.apiKey } });
    this.socket = socket;
    socket.on('open', () => {
      const place = this.cursor === '' ? {} : { cursor: this.cursor };
      socket.send(JSON.stringify({ type: 'subscribe', id: 's', filter: {}, credit: 100, ...place }));
    });
    socket.on('message', (data: Buffer) => this.receive(socket, JSON.parse(data.toString()) as SocketMessage));
    socket.on('error', onEnd).on('close', (code) => {
      // A replica that is not there yet refuses: that ends nothing.
      if (this.isOpen) this.ends.push(String(code));
      onEnd();
    });
  }

  protected drop(): void {
    this.socket?.terminate();
  }

  private receive(socket: WebSocket, message: SocketMessage): void {
    if (message.type === 'subscribed') this.isOpen = true;
    if (message.type === 'reset' || message.reset !== undefined) this.resets++;
    const events = message.events ?? [];
    this.seen.push(...events.map(({ id }) => id));
    if (message.cursor !== undefined) this.cursor = message.cursor;
    if (events.length > 0) socket.send(JSON.stringify({ type: 'credit', id: 's', events: events.length }));
  }
}

/**
 * Restarts all replicas of `sse-stream`, one by one, while events are stored: every subscriber sees every event once and
 * in order, and the subscribers of one replica are not sent away at once.
 */
export async function assertRollingRestartLosesNothing(system: ClusterSystem): Promise<void> {
  const { baseUrl } = system.dev();
  const apiKey = await issueKey(system);
  const followers = [
    ...Array.from({ length: SSE_SUBSCRIBERS }, () => new SseFollower(baseUrl, apiKey)),
    ...Array.from({ length: SOCKET_SUBSCRIBERS }, () => new SocketFollower(baseUrl, apiKey)),
  ];
  /** Of each writer, in its order. */
  const stored = Array.from({ length: WRITERS }, (): string[] => []);
  let isWriting = true;
  try {
    for (const follower of followers) follower.start();
    await until(() => followers.every(({ isOpen }) => isOpen), 'all subscribers are there', TIMEOUT_MS);
    const writing = Promise.all(
      stored.map(async (own, writer) => {
        for (let n = 0; isWriting; n++) own.push(await store(baseUrl, apiKey, `roll-${writer}`, n));
      }),
    );
    await system.roll('sse-stream');
    isWriting = false;
    await writing;
    await until(
      () => followers.every(({ seen }) => seen.length >= stored.flat().length),
      'every subscriber has everything',
      TIMEOUT_MS,
    );
  } finally {
    isWriting = false;
    for (const follower of followers) follower.close();
  }
  const [first] = followers;
  expect(first?.seen).toHaveLength(stored.flat().length);
  for (const own of stored) {
    const ofWriter = new Set(own);
    expect(first?.seen.filter((id) => ofWriter.has(id))).toEqual(own);
  }
  for (const { seen, resets } of followers) {
    expect(seen).toEqual(first?.seen);
    expect(resets).toBe(0);
  }
  assertTold(followers.flatMap(({ ends }) => ends));
}

/** All were told that the replica shuts down; that the ends are spread is tested with the app, on its own clock. */
function assertTold(ends: readonly string[]): void {
  expect(new Set(ends)).toEqual(new Set(['shutting_down', '1012']));
  expect(ends.length).toBeGreaterThanOrEqual(SSE_SUBSCRIBERS);
}

async function store(baseUrl: string, apiKey: string, sandboxId: string, n: number): Promise<string> {
  const response = await fetch(`${baseUrl}/events?ack=log`, {
    method: 'POST',
    headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ sandboxId, type: 'roll', data: { n } }),
  });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
  return ((await response.json()) as { data: { eventId: string } }).data.eventId;
}

async function issueKey(system: ClusterSystem): Promise<string> {
  const { baseUrl, adminKey } = system.dev();
  const response = await fetch(`${baseUrl}/v1/admin/keys`, {
    method: 'POST',
    headers: { 'x-api-key': adminKey, 'content-type': 'application/json' },
    body: JSON.stringify({ workspaceId: WORKSPACE_ID, role: 'writer', name: 'rolling restart' }),
  });
  return ((await response.json()) as { apiKey: string }).apiKey;
}
