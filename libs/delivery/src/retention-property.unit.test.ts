import { BEFORE_FIRST, compileFilter, decodeCursor, type EventFilter, type StartPlace } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import type { RecordedEvent } from '@sluice/event-schema';
import * as fc from 'fast-check';
import { HostileDeliveryLog } from '../test/hostile-delivery-log';
import { erase, retire } from '../test/removing';
import { World } from '../test/world';
import type { Subscription } from './subscription';

const FILTERS: EventFilter[] = [
  { workspaceIds: [1] },
  { workspaceIds: [1, 2] },
  { workspaceIds: [2], entityIds: ['a', 'b'] },
  { workspaceIds: [1, 2], families: ['session'] },
];

/** Small bounds, so that short runs meet all of them. */
const LIMITS = {
  ringEvents: 8,
  warmUpEvents: 4,
  pendingEvents: 4,
  gapPageEvents: 3,
  pageEvents: 3,
  tailCheckMs: 1,
  tailGraceMs: 0,
};

/** Resumes from where it was whenever it is cut, and keeps what it got and what it was told. */
class Client {
  readonly received: number[] = [];
  /** Resets: where it was, and what was gone by then. */
  readonly told: { readonly after: number; readonly gone: ReadonlySet<number> }[] = [];
  begin: number | undefined;
  /** What was gone before it had begun. */
  goneBefore: ReadonlySet<number> = new Set();
  private subscription: Subscription | undefined;
  private at: StartPlace;

  constructor(
    private readonly world: World,
    readonly filter: EventFilter,
    readonly start: StartPlace,
    private readonly cutAt: 'position' | 'last event',
    private readonly gone: () => ReadonlySet<number>,
  ) {
    this.at = start;
  }

  async connect(): Promise<void> {
    this.subscription = await this.world.feed.subscribe({ filter: this.filter, start: this.at });
    const { startedAt } = this.subscription;
    this.begin ??= startedAt.position;
    // Until it has something it begins at what is kept, each time.
    if (this.at === 'latest') this.at = startedAt;
  }

  private get seen(): number {
    return typeof this.at === 'string' ? 0 : this.at.position;
  }

  take(mostItems: number): void {
    if (this.at === 'earliest') this.goneBefore = this.gone();
    for (let taken = 0; taken < mostItems; taken++) {
      const item = this.subscription?.take();
      if (!item) return;
      if (item.kind === 'events') {
        for (const { position, cursor } of item.events) {
          this.received.push(position);
          this.at = decodeCursor(cursor);
        }
      } else if (item.kind === 'reset') {
        this.told.push({ after: this.seen, gone: this.gone() });
        this.at = item.at;
      } else if (item.kind === 'end') {
        this.subscription = undefined;
      }
    }
  }

  cut(): void {
    if (!this.subscription) return;
    if (this.cutAt === 'position' && this.at !== 'earliest') this.at = this.subscription.position;
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
});
const client = fc.nat(4);
const few = fc.integer({ min: 1, max: 6 });
const scope = fc.record({
  workspaceId: fc.constantFrom('default' as const, 1, 2),
  family: fc.constantFrom('sandbox' as const, 'session' as const),
});
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      events: fc.array(event, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('retire' as const), scope, events: few }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('erase' as const), entityId: fc.constantFrom('a', 'c') }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('take' as const), client, items: few }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('connect' as const), client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('subscribe' as const),
      filter: fc.constantFrom(...FILTERS),
      start: fc.oneof(
        fc.constantFrom('earliest' as const, 'latest' as const),
        fc.double({ min: 0, max: 1, noNaN: true }),
      ),
      cutAt: fc.constantFrom('position' as const, 'last event' as const),
    }),
  },
);
const misdeeds = fc.record({
  drop: fc.constantFrom(0, 0.3, 1),
  duplicate: fc.constantFrom(0, 0.3),
  hold: fc.constantFrom(0, 0.3),
  split: fc.constantFrom(0, 0.3),
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('delivery, while events are removed', () => {
  it('shows each subscriber every matching event, or tells it that some are gone, in order and once (G2, G5)', async () => {
    const check = fc.asyncProperty(
      fc.integer(),
      misdeeds,
      fc.array(event, { maxLength: 20 }),
      fc.array(step, { minLength: 5, maxLength: 60 }),
      async (seed, misdeed, before, steps) => {
        const log = new HostileDeliveryLog(seed, misdeed);
        const world = new World(LIMITS, log);
        const all: RecordedEvent[] = [];
        const clients: Client[] = [];
        const erased = new Set<string>();
        let gone: ReadonlySet<number> = new Set();
        const lookWhatIsGone = async () => {
          const { position: upTo } = await world.reader.model.head();
          const { removed } = await world.reader.model.readAll({ after: BEFORE_FIRST, upTo, limit: 10_000 });
          gone = new Set(removed.map(({ position }) => position));
        };
        if (before.length > 0) all.push(...(await world.record(...before)).events.map((encoded) => encoded.event));
        await world.feed.start();
        for (const action of steps) {
          await lookWhatIsGone();
          const chosen = 'client' in action ? clients[action.client] : undefined;
          if (action.do === 'record') {
            all.push(...(await world.recordAndPublish(...action.events)).events.map((encoded) => encoded.event));
          } else if (action.do === 'retire') await retire(world, action.events, action.scope);
          else if (action.do === 'erase') {
            erased.add(action.entityId);
            await erase(world, 1, action.entityId, 2);
          } else if (action.do === 'take') chosen?.take(action.items);
          else if (action.do === 'cut') chosen?.cut();
          else if (action.do === 'connect') await chosen?.follow();
          else if (action.do === 'release') log.release();
          else if (action.do === 'turn') await turn();
          else if (clients.length < 5) {
            const { start } = action;
            const place = typeof start === 'number' ? await world.cursorAt(Math.floor(start * all.length)) : start;
            const added = new Client(world, action.filter, place, action.cutAt, () => gone);
            await added.connect();
            clients.push(added);
          }
        }
        // One more that all of them get, and after which there is nothing.
        const families = ['sandbox', 'session'] as const;
        const last = families.flatMap((family) =>
          [1, 2].map((workspaceId) => ({ family, workspaceId, entityId: 'a' })),
        );
        all.push(...(await world.recordAndPublish(...last)).events.map((encoded) => encoded.event));
        await world.caughtUp();
        await lookWhatIsGone();
        for (const each of clients) {
          const matches = compileFilter(each.filter);
          const due = all.filter((recorded) => matches(recorded) && recorded.position > (each.begin ?? 0));
          const end = due.at(-1)?.position ?? 0;
          await until(
            async () => (await each.follow(), each.received.includes(end)),
            'the client has the last one',
            5_000,
          );
          expect(each.received).toEqual([...new Set(each.received)].sort((a, b) => a - b));
          const received = new Set(each.received);
          const isTold = (position: number) =>
            each.told.some(({ after, gone: then }) => position > after && then.has(position));
          const missed = due.filter(({ position }) => !received.has(position));
          // What is kept is never skipped.
          expect(missed.filter(({ position }) => !gone.has(position)).map(({ position }) => position)).toEqual([]);
          const untold = missed.filter(({ position, workspaceId, family, entityId }) => {
            if (isTold(position) || each.goneBefore.has(position)) return false;
            return !(workspaceId === 1 && family === 'sandbox' && erased.has(entityId));
          });
          expect(untold.map(({ position }) => position)).toEqual([]);
        }
        await world.feed.stop();
      },
    );
    await fc.assert(check, { numRuns: 150 });
  });
});
