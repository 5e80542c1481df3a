import { compileFilter, SluiceError, type CursorPlace, type EventFilter, type StartPlace } from '@sluice/event-log';
import * as fc from 'fast-check';
import { HostileDeliveryLog } from '../test/hostile-delivery-log';
import { soon, World } from '../test/world';
import type { Subscription } from './subscription';

const FILTERS: EventFilter[] = [
  { workspaceIds: [1] },
  { workspaceIds: [1, 2] },
  { workspaceIds: [2], entityIds: ['a', 'b'] },
  { workspaceIds: [1], entityIds: ['a'], types: ['execution.*'] },
  { workspaceIds: [1, 2], families: ['session'], types: ['file.read', 'execution.started'] },
  { workspaceIds: [3] },
];

/** Small bounds, so that short runs meet all of them. */
const LIMITS = {
  ringEvents: 12,
  ringTurnEvents: 5,
  leastRingTurnEvents: 2,
  warmUpEvents: 4,
  pendingEvents: 6,
  sliceEvents: 3,
  gapPageEvents: 3,
  gapPageBytes: 700,
  pageEvents: 4,
  pageBytes: 900,
  scanPositions: 5,
  waitingPageBytes: 2_000,
  callerWaitingPageBytes: 900,
  leastPageBytes: 300,
  batchEvents: 3,
  concurrentPageReads: 2,
  callerPageReads: 1,
  tailCheckMs: 1,
  tailGraceMs: 0,
};

/** A client that resumes from the last cursor whenever it is cut, and keeps what it got. */
class Client {
  readonly received: number[] = [];
  private subscription: Subscription | undefined;
  private at: StartPlace;
  begin: CursorPlace | undefined;

  constructor(
    private readonly world: World,
    readonly filter: EventFilter,
    start: StartPlace,
    private readonly maxQueuedEvents: number,
    private readonly cutAt: 'position' | 'last event',
    private readonly caller: string,
  ) {
    this.at = start;
  }

  async connect(): Promise<void> {
    const { filter, maxQueuedEvents, caller } = this;
    this.subscription = await this.world.feed.subscribe({ filter, start: this.at, maxQueuedEvents, caller });
    if (this.subscription.reset) throw new Error('no reset is due');
    this.begin ??= this.subscription.startedAt;
    this.at = this.subscription.startedAt;
  }

  take(mostItems: number): void {
    for (let taken = 0; taken < mostItems; taken++) {
      const item = this.subscription?.take();
      if (!item) return;
      if (item.kind === 'events') {
        for (const { position, epoch } of item.events) {
          this.received.push(position);
          this.at = { epoch, position };
        }
      } else if (item.kind === 'end') {
        this.at = item.at;
        this.subscription = undefined;
      } else if (item.kind === 'reset') throw new SluiceError('internal', 'no reset is due');
    }
  }

  cut(): void {
    if (!this.subscription) return;
    if (this.cutAt === 'position') this.at = this.subscription.position;
    this.subscription.close();
    this.subscription = undefined;
  }

  async follow(): Promise<void> {
    if (!this.subscription) await this.connect();
    this.take(Infinity);
  }
}

const event = fc.record({
  workspaceId: fc.constantFrom(1, 2),
  entityId: fc.constantFrom('a', 'b', 'c'),
  family: fc.constantFrom('sandbox' as const, 'session' as const),
  type: fc.constantFrom('execution.started', 'execution.completed', 'file.read'),
});
const clientNumber = fc.nat(5);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      events: fc.array(event, { minLength: 1, maxLength: 9 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      client: clientNumber,
      items: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), client: clientNumber }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('connect' as const), client: clientNumber }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), calls: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      filter: fc.constantFrom(...FILTERS),
      start: fc.oneof(
        fc.constantFrom('earliest' as const, 'latest' as const),
        fc.double({ min: 0, max: 1, noNaN: true }),
      ),
      maxQueuedEvents: fc.integer({ min: 1, max: 6 }),
      cutAt: fc.constantFrom('position' as const, 'last event' as const),
      caller: fc.constantFrom('a', 'b'),
    }),
  },
);
const chance = fc.constantFrom(0, 0.2, 0.6);
const hostility = fc.record({ drop: fc.constantFrom(0, 0.2, 1), duplicate: chance, hold: chance, split: chance });

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
/** The read model may have been told to fail: whoever asks tries again. */
async function persist<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof SluiceError) || !error.retryable) throw error;
    }
  }
}

describe('delivery, whatever happens', () => {
  it('shows each subscriber every matching event after its cursor exactly once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        hostility,
        fc.array(event, { maxLength: 30 }),
        fc.array(step, { minLength: 5, maxLength: 60 }),
        async (seed, misdeeds, before, steps) => {
          const log = new HostileDeliveryLog(seed, misdeeds);
          const world = new World(LIMITS, log);
          if (before.length > 0) await world.record(...before);
          await world.feed.start();
          const clients: Client[] = [];
          for (const action of steps) {
            const client = 'client' in action ? clients[action.client] : undefined;
            if (action.do === 'record') await world.recordAndPublish(...action.events);
            else if (action.do === 'take') client?.take(action.items);
            else if (action.do === 'cut') client?.cut();
            else if (action.do === 'connect') await persist(async () => client?.follow());
            else if (action.do === 'release') log.release();
            else if (action.do === 'turn') await turn();
            else if (action.do === 'fail') world.reader.failNext(action.calls);
            else if (clients.length < 6) {
              const { position } = await world.reader.model.head();
              const { filter, start, maxQueuedEvents, cutAt, caller } = action;
              const place = typeof start === 'number' ? await world.cursorAt(Math.floor(start * position)) : start;
              const added = new Client(world, filter, place, maxQueuedEvents, cutAt, caller);
              await persist(() => added.connect());
              clients.push(added);
            }
          }
          world.reader.failNext(0);
          await world.caughtUp();
          const { events: recorded } = await world.reader.model.readAll({
            after: 0 as CursorPlace['position'],
            upTo: world.feed.head.position,
            limit: 10_000,
          });
          for (const client of clients) {
            const matches = compileFilter(client.filter);
            const due = recorded
              .filter((encoded) => encoded.event.position > (client.begin?.position ?? 0) && matches(encoded.event))
              .map((encoded) => encoded.event.position as number);
            await soon(
              async () => (await client.follow(), client.received.length >= due.length),
              'the client has everything',
            );
            await turn();
            await client.follow();
            expect(client.received).toEqual(due);
          }
          clients.forEach((client) => client.cut());
          expect(world.feed.counts).toMatchObject({ subscriptions: 0, liveSubscriptions: 0, pendingEvents: 0 });
          await world.feed.stop();
        },
      ),
      { numRuns: 300 },
    );
  });
});
