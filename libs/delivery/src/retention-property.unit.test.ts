import {
  BEFORE_FIRST,
  compileFilter,
  decodeCursor,
  mayMatch,
  type CursorPlace,
  type EventFilter,
  type RemovedEvent,
  type StartPlace,
} from '@sluice/event-log';
import type { RecordedEvent } from '@sluice/event-schema';
import * as fc from 'fast-check';
import { HostileDeliveryLog } from '../test/hostile-delivery-log';
import { erase, retire } from '../test/removing';
import { soon, World } from '../test/world';
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

/** What is gone, as it was found when it had gone: its revision tells by which removal. */
class Gone {
  private readonly found = new Map<number, RemovedEvent>();

  constructor(private readonly world: World) {}

  get positions(): ReadonlySet<number> {
    return new Set(this.found.keys());
  }

  /** The newest removal. */
  get revision(): number {
    return Math.max(0, ...[...this.found.values()].map(({ revision }) => revision));
  }

  /** To be called after each removal. */
  async look(): Promise<void> {
    const { model } = this.world.reader;
    const { position: upTo } = await model.head();
    const { removed } = await model.readAll({ after: BEFORE_FIRST, upTo, limit: 10_000 });
    for (const event of removed) if (!this.found.has(event.position)) this.found.set(event.position, event);
  }

  /** The removals, later than a known one, of what comes after a position and may match. */
  news(filter: EventFilter, after: number, known: number): number[] {
    return [...this.found.values()].flatMap(({ position, floor, revision, workspaceId, family }) => {
      // Nobody is told of what was erased.
      const isNews = revision > known && position > after && floor >= position;
      return isNews && mayMatch(filter, workspaceId, family) ? [revision] : [];
    });
  }
}

/** Resumes from where it was whenever it is cut, and keeps what it got and what it was told. */
class Client {
  readonly received: number[] = [];
  /** Resets: where it was, and what was gone by then. */
  readonly told: { readonly after: number; readonly gone: ReadonlySet<number> }[] = [];
  /** Resets that told nothing that had not been told, or known, before, or that would be told again. */
  readonly faults: string[] = [];
  begin: number | undefined;
  /** What was gone before it had begun. */
  goneBefore: ReadonlySet<number> = new Set();
  /** It knows of these removals at least. */
  private known = 0;
  private subscription: Subscription | undefined;
  private at: StartPlace;

  constructor(
    private readonly world: World,
    readonly filter: EventFilter,
    readonly start: StartPlace,
    private readonly cutAt: 'position' | 'last event',
    private readonly gone: Gone,
  ) {
    this.at = start;
  }

  async connect(): Promise<void> {
    if (this.at === 'earliest') {
      this.goneBefore = this.gone.positions;
      this.known = this.gone.revision;
    }
    this.subscription = await this.world.feed.subscribe({ filter: this.filter, start: this.at });
    const { startedAt } = this.subscription;
    this.begin ??= startedAt.position;
    // Who goes by events alone begins at what is kept, each time, until it has one.
    if (this.at === 'latest' || this.cutAt === 'position') this.at = startedAt;
  }

  private get seen(): number {
    return typeof this.at === 'string' ? 0 : this.at.position;
  }

  take(mostItems: number): void {
    for (let taken = 0; taken < mostItems; taken++) {
      const item = this.subscription?.take();
      if (!item) return;
      if (item.kind === 'events') {
        for (const { position, cursor } of item.events) {
          this.received.push(position);
          this.at = decodeCursor(cursor);
        }
      } else if (item.kind === 'reset') {
        this.tell(item.at);
        this.at = item.at;
      } else if (item.kind === 'end') {
        this.subscription = undefined;
      }
    }
  }

  private tell(at: CursorPlace): void {
    const news = this.gone.news(this.filter, this.seen, this.known);
    if (news.length === 0) this.faults.push(`a reset at ${at.position} that tells nothing`);
    // Which of them it was told of only the feed knows: the oldest at least.
    else this.known = Math.min(...news);
    const toKnow = this.gone.news(this.filter, at.position, at.revision ?? 0);
    if (toKnow.some((revision) => revision <= this.known))
      this.faults.push(`${at.position} does not know what was told`);
    this.told.push({ after: this.seen, gone: this.gone.positions });
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
});
const client = fc.nat(4);
const few = fc.integer({ min: 1, max: 6 });
const scope = fc.record({
  workspaceId: fc.constantFrom('default' as const, 1, 1, 2, 2),
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
  it('shows each subscriber every matching event, or tells it once that some are gone, in order (G2, G5)', async () => {
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
        const gone = new Gone(world);
        if (before.length > 0) all.push(...(await world.record(...before)).events.map((encoded) => encoded.event));
        await world.feed.start();
        for (const action of steps) {
          const chosen = 'client' in action ? clients[action.client] : undefined;
          if (action.do === 'record') {
            all.push(...(await world.recordAndPublish(...action.events)).events.map((encoded) => encoded.event));
          } else if (action.do === 'retire') {
            await retire(world, action.events, action.scope);
            await gone.look();
          } else if (action.do === 'erase') {
            erased.add(action.entityId);
            await erase(world, 1, action.entityId, 2);
            await gone.look();
          } else if (action.do === 'take') chosen?.take(action.items);
          else if (action.do === 'cut') chosen?.cut();
          else if (action.do === 'connect') await chosen?.follow();
          else if (action.do === 'release') log.release();
          else if (action.do === 'turn') await turn();
          else if (clients.length < 5) {
            const { start } = action;
            const place = typeof start === 'number' ? await world.cursorAt(Math.floor(start * all.length)) : start;
            const added = new Client(world, action.filter, place, action.cutAt, gone);
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
        for (const each of clients) {
          const matches = compileFilter(each.filter);
          const due = all.filter((recorded) => matches(recorded) && recorded.position > (each.begin ?? 0));
          const end = due.at(-1)?.position ?? 0;
          await soon(async () => (await each.follow(), each.received.includes(end)), 'the client has the last one');
          expect(each.received).toEqual([...new Set(each.received)].sort((a, b) => a - b));
          const received = new Set(each.received);
          const isTold = (position: number) =>
            each.told.some(({ after, gone: then }) => position > after && then.has(position));
          const missed = due.filter(({ position }) => !received.has(position));
          // What is kept is never skipped.
          expect(
            missed.filter(({ position }) => !gone.positions.has(position)).map(({ position }) => position),
          ).toEqual([]);
          const untold = missed.filter(({ position, workspaceId, family, entityId }) => {
            if (isTold(position) || each.goneBefore.has(position)) return false;
            return !(workspaceId === 1 && family === 'sandbox' && erased.has(entityId));
          });
          expect(untold.map(({ position }) => position)).toEqual([]);
          expect(each.faults).toEqual([]);
        }
        await world.feed.stop();
      },
    );
    await fc.assert(check, { numRuns: 150 });
  });
});
