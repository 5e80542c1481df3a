import { until } from '@sluice/event-log/conformance';
import type { EncodedEnvelope } from '@sluice/event-schema';
import * as fc from 'fast-check';
import type { SocketClient } from './socket-client';
import { sandboxEvent, startSockets, type SocketService } from './socket-service';

interface Filter {
  readonly entityIds?: readonly string[];
  readonly types?: readonly string[];
}

const FILTERS: readonly Filter[] = [{}, { entityIds: ['a'] }, { types: ['file.*'] }, { entityIds: ['b', 'c'] }];

/** One subscription as a client sees it that always resumes from the last cursor that it knows. */
class Reader {
  readonly received: number[] = [];
  private cursor = 'earliest';
  private client: SocketClient | undefined;
  private seen = 0;
  private granted = 0;
  private sentSinceSubscribed = 0;

  constructor(
    private readonly id: string,
    readonly filter: Filter,
    /** Resumes from events alone, or from whatever else gives a cursor too. */
    private readonly trustsMarks: boolean,
  ) {}

  subscribe(client: SocketClient, credit: number): void {
    if (this.client) return;
    this.client = client;
    this.seen = client.messages.length;
    this.granted = credit;
    this.sentSinceSubscribed = 0;
    client.say({ type: 'subscribe', id: this.id, filter: this.filter, cursor: this.cursor, credit });
  }

  grant(events: number): void {
    if (!this.client) return;
    this.granted += events;
    this.client.say({ type: 'credit', id: this.id, events });
  }

  /** Reads what has come. */
  read(): void {
    const { client } = this;
    if (!client) return;
    for (const message of client.messages.slice(this.seen)) {
      if (message.id !== this.id) continue;
      if (message.type === 'error') throw new Error(`refused: ${message.message}`);
      if (message.type === 'subscribed' && message.reset) throw new Error('no reset is due');
      if (message.type === 'unsubscribed') return this.leave();
      const events: { position: number }[] = message.events ?? [];
      this.received.push(...events.map(({ position }) => position));
      this.sentSinceSubscribed += events.length;
      if (this.sentSinceSubscribed > this.granted) throw new Error('more than was granted');
      if (message.cursor !== undefined && (events.length > 0 || this.trustsMarks)) this.cursor = message.cursor;
    }
    this.seen = client.messages.length;
  }

  /** Says goodbye, and reads what comes until it is answered. */
  async unsubscribe(): Promise<void> {
    const { client } = this;
    if (!client) return;
    const before = client.of('unsubscribed', this.id).length;
    client.say({ type: 'unsubscribe', id: this.id });
    await until(() => client.end !== undefined || client.of('unsubscribed', this.id).length > before, 'unsubscribed');
    this.read();
  }

  /** Its connection is gone: what was not read is lost. */
  leave(): void {
    this.client = undefined;
  }
}

const event = fc.record({
  entityId: fc.constantFrom('a', 'b', 'c'),
  type: fc.constantFrom('execution.started', 'file.read', 'file.written'),
  size: fc.constantFrom(0, 0, 500, 70_000),
});
const reader = fc.nat(2);
const credit = fc.constantFrom(0, 1, 2, 5, 100);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      events: fc.array(event, { minLength: 1, maxLength: 8 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('subscribe' as const), reader, credit }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('grant' as const), reader, credit: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), reader }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pause' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
);

describe('sockets, whatever happens', () => {
  let service: SocketService;
  beforeAll(async () => {
    // Small bounds, so that short runs meet them; cursors are told all the time.
    const small = { outputBytes: 600, joinedBytes: 400, batchesPerTurn: 1, pingIntervalMs: 60, sweepMs: 3 };
    service = await startSockets({ ...small, messagesPerSecond: 100_000, messageBurst: 100_000 });
  });
  afterAll(() => service.stop());

  it('sends no event without credit, and each subscriber that resumes all of them once, in order (G2, G5)', async () => {
    let workspaceId = 100;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ filter: fc.constantFrom(...FILTERS), trustsMarks: fc.boolean() }), {
          minLength: 3,
          maxLength: 3,
        }),
        fc.array(step, { minLength: 5, maxLength: 50 }),
        async (kinds, steps) => {
          workspaceId++;
          const key = await service.key({ workspaceId });
          const readers = kinds.map(({ filter, trustsMarks }, n) => new Reader(`r${n}`, filter, trustsMarks));
          const recorded: { position: number; entityId: string; type: string }[] = [];
          const connect = () => service.connect('/v1/socket', { key });
          let client = await connect();
          const cut = async () => {
            client.destroy();
            readers.forEach((each) => each.leave());
            client = await connect();
          };
          // All that was to be written before is written when it is answered.
          const settle = async () => {
            client.resume();
            const pongs = client.of('pong').length;
            client.say({ type: 'ping' });
            await until(() => client.end !== undefined || client.of('pong').length > pongs, 'it is settled');
          };
          for (const action of steps) {
            // One that paused for too long was silent.
            if (client.end) await cut();
            const one = 'reader' in action ? readers[action.reader] : undefined;
            if (action.do === 'record') {
              const envelopes = action.events.map(({ entityId, type, size }): EncodedEnvelope =>
                sandboxEvent({ workspaceId, entityId, type, data: { filler: 'x'.repeat(size) } }),
              );
              recorded.push(...(await service.record(...envelopes)).map(({ event: each }) => each));
            } else if (action.do === 'subscribe') one?.subscribe(client, action.credit);
            else if (action.do === 'grant') one?.grant(action.credit);
            else if (action.do === 'unsubscribe') {
              client.resume();
              await one?.unsubscribe();
            } else if (action.do === 'read') readers.forEach((each) => each.read());
            else if (action.do === 'turn') await new Promise((resolve) => setImmediate(resolve));
            else if (action.do === 'settle') await settle();
            else if (action.do === 'pause') client.pause();
            else await cut();
          }
          await settle();
          for (const each of readers) {
            const due = recorded.filter(({ entityId, type }) => matches(each.filter, entityId, type));
            await until(async () => {
              if (client.end) await cut();
              each.read();
              each.subscribe(client, 0);
              if (each.received.length >= due.length) return true;
              each.grant(7);
              return false;
            }, 'the reader has everything');
            await settle();
            each.read();
            expect(each.received).toEqual(due.map(({ position }) => position));
          }
          client.destroy();
        },
      ),
      { numRuns: 100 },
    );
    await until(async () => (await service.host.feed()).counts.subscriptions === 0, 'nothing is kept');
    expect(await service.metric('sluice_socket_subscriptions')).toBe(0);
  });
});

function matches({ entityIds, types }: Filter, entityId: string, type: string): boolean {
  return (entityIds?.includes(entityId) ?? true) && (types === undefined || type.startsWith('file.'));
}
