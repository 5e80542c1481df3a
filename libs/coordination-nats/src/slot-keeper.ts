import { noSlotLeft, slotLost, slotsClosed, type ConnectionLease } from '@sluice/access';
import type { SluiceError } from '@sluice/event-log';
import {
  ACQUIRE_TIMEOUT_MS,
  CONFLICT_PAUSE_MS,
  MAX_CONFLICTS,
  MAX_NAMED_REPLICAS,
  MAX_WAITING_PER_KEY,
  type CoordinationMetric,
} from './options';
import type { Replica, ReplicaState, Standing } from './replica';
import { isSameHeld, seat, sumOf, viewOf, withOwn, type Seating } from './seating';
import { decodeDocument, documentName, encodeDocument } from './slot-document';
import { afterReading } from './timing';
import { unavailable } from './unavailable';

interface Place {
  readonly limit: number;
  readonly onLost: (reason: SluiceError) => void;
}

interface Waiting extends Place {
  /** The caller has its answer, so a place that comes now is given back. */
  isAnswered: boolean;
  answer(outcome: Place | SluiceError): void;
}

/** What is shared by the keepers of one process. */
export interface KeeperOptions {
  readonly replica: Replica;
  readonly documentRefreshMs: number;
  onMetric(metric: CoordinationMetric): void;
  /** Nothing is left to be kept of this key. */
  onIdle(key: string): void;
}

/**
 * The places of one key that this replica holds. The document about the key says at least as many at any time: it is
 * written before a place is given and after one was given back. All who wait at the same time share a write.
 */
export class SlotKeeper {
  /** The oldest first. */
  private places: Place[] = [];
  private waiting: Waiting[] = [];
  /** Something changed that the document does not say yet. */
  private isDirty = false;
  /** Some places wait for it to be found out whether others are dead. */
  private isUndecided = false;
  private writtenAtMs = performance.now();
  private settling: Promise<void> | undefined;

  constructor(
    private readonly key: string,
    private readonly options: KeeperOptions,
  ) {}

  /** Places held here. */
  get count(): number {
    return this.places.length;
  }

  acquire(limit: number, onLost: (reason: SluiceError) => void): Promise<ConnectionLease> {
    if (this.waiting.length >= MAX_WAITING_PER_KEY) return Promise.reject(noSlotLeft());
    return new Promise<ConnectionLease>((resolve, reject) => {
      const late = () => {
        if (waiting.isAnswered) return;
        // Somebody may be writing for it; whoever does not hear the others counts alone.
        this.waiting = this.waiting.filter((each) => each !== waiting);
        if (this.options.replica.isShared) waiting.answer(noSlotLeft());
        else this.answerAlone(waiting);
      };
      const timer = setTimeout(() => afterReading(late), ACQUIRE_TIMEOUT_MS);
      const waiting: Waiting = {
        limit,
        onLost,
        isAnswered: false,
        answer: (outcome) => {
          clearTimeout(timer);
          waiting.isAnswered = true;
          if ('code' in outcome) reject(outcome);
          else resolve({ release: () => this.release(outcome) });
        },
      };
      if (this.options.replica.isAlone) return this.answerAlone(waiting);
      this.waiting.push(waiting);
      this.settleSoon();
    });
  }

  /** Nobody can be asked: who waits is counted here alone. */
  standAlone(): void {
    for (const waiting of this.waiting.splice(0)) this.answerAlone(waiting);
  }

  /** What is held has to be written again, under the new id of this replica. */
  rewrite(): void {
    this.isDirty = true;
    this.settleSoon();
  }

  /** Looks again at what was left open. True when the document was old and is written again. */
  refresh(isAllowed: boolean): boolean {
    const isOld = isAllowed && performance.now() - this.writtenAtMs > this.options.documentRefreshMs;
    if (isOld) this.writtenAtMs = -Infinity;
    if (isOld || this.isUndecided) this.rewrite();
    return isOld;
  }

  /** Refuses whoever waits, and resolves when what is being written is written. */
  async close(): Promise<void> {
    for (const waiting of this.waiting.splice(0)) waiting.answer(slotsClosed());
    await this.settling;
  }

  private release(place: Place): void {
    const index = this.places.indexOf(place);
    if (index === -1) return;
    this.places.splice(index, 1);
    this.rewrite();
  }

  private settleSoon(): void {
    this.settling ??= this.settle().finally(() => {
      this.settling = undefined;
      const isLeft = this.waiting.length > 0 || (this.isDirty && this.options.replica.isShared);
      if (isLeft) this.settleSoon();
      else if (this.places.length === 0) this.options.onIdle(this.key);
    });
  }

  /** Never rejects. */
  private async settle(): Promise<void> {
    const { replica } = this.options;
    await replica.attempted;
    while (this.waiting.length > 0 || this.isDirty) {
      const standing = await replica.standing();
      if (standing === undefined) break;
      try {
        await this.writeOnce(standing);
      } catch (error) {
        this.isDirty = true;
        replica.doubt(error);
      }
    }
    this.standAlone();
  }

  /** Brings the document up to date and answers all who wait now. Rejects when the others cannot be asked. */
  private async writeOnce({ id, slots }: Standing): Promise<void> {
    const name = documentName(this.key);
    this.isDirty = false;
    this.isUndecided = false;
    for (let attempt = 1; attempt <= MAX_CONFLICTS; attempt++) {
      const { revision, text } = await slots.read(name);
      const document = decodeDocument(this.key, text);
      const plan = await this.plan(document);
      const held = withOwn(plan.elsewhere, id, plan.seating.count);
      const isOld = this.writtenAtMs === -Infinity && held.size > 0;
      if (!isOld && isSameHeld(held, document.held)) return this.carryOut(plan.seating);
      const written = await slots.write(name, encodeDocument({ key: this.key, held }), revision);
      if (written !== undefined) {
        this.writtenAtMs = performance.now();
        return this.carryOut(plan.seating);
      }
      this.options.onMetric({ kind: 'slot_conflict' });
      const pauseMs = Math.random() * CONFLICT_PAUSE_MS * Math.min(attempt, 10);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    throw unavailable('Others write about this key all the time');
  }

  /** Who gets places by a document. The dead are looked for only when somebody would get none because of them. */
  private async plan(document: Parameters<typeof viewOf>[0]) {
    const { replica } = this.options;
    const { secured, elsewhere } = viewOf(document, (other) => replica.isOwn(other));
    const seatBeside = (others: ReadonlyMap<string, number>) => seat(sumOf(others), secured, this.places, this.waiting);
    const seating = seatBeside(elsewhere);
    const isTight = seating.lost.length + seating.refused.length > 0 || elsewhere.size > MAX_NAMED_REPLICAS;
    if (!isTight) return { seating, elsewhere };
    const states = new Map(
      await Promise.all([...elsewhere.keys()].map(async (other) => [other, await replica.stateOf(other)] as const)),
    );
    const without = (...gone: readonly (ReplicaState | undefined)[]) =>
      new Map([...elsewhere].filter(([other]) => !gone.includes(states.get(other))));
    const possible = without('dead');
    // Nobody loses a place to those who may be dead: it is decided when they had the time to come back.
    const { lost } = seatBeside(without('dead', 'unheard'));
    this.isUndecided = [...states.values()].includes('unheard');
    return { seating: { ...seatBeside(possible), lost }, elsewhere: possible };
  }

  private carryOut({ lost, granted, refused }: Seating<Place, Waiting>): void {
    const settled = new Set<Waiting>([...granted, ...refused]);
    this.waiting = this.waiting.filter((each) => !settled.has(each));
    for (const waiting of granted) {
      if (waiting.isAnswered) this.isDirty = true;
      else this.give(waiting, 'shared');
    }
    for (const waiting of refused) if (!waiting.isAnswered) this.refuse(waiting);
    for (const place of lost) {
      const index = this.places.indexOf(place);
      if (index === -1) continue;
      this.places.splice(index, 1);
      this.options.onMetric({ kind: 'slot_lost' });
      place.onLost(slotLost());
    }
  }

  private answerAlone(waiting: Waiting): void {
    if (this.places.length < waiting.limit) this.give(waiting, 'alone');
    else this.refuse(waiting);
  }

  private give(waiting: Waiting, outcome: 'shared' | 'alone'): void {
    const place: Place = { limit: waiting.limit, onLost: waiting.onLost };
    this.places.push(place);
    this.options.onMetric({ kind: 'slot_sought', outcome });
    waiting.answer(place);
  }

  private refuse(waiting: Waiting): void {
    this.options.onMetric({ kind: 'slot_sought', outcome: 'refused' });
    waiting.answer(noSlotLeft());
  }
}
