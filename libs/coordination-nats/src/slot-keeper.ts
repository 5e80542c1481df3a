import { noSlotLeft, slotLost, slotsClosed, type ConnectionLease } from '@sluice/access';
import type { SluiceError } from '@sluice/event-log';
import { afterReading, unavailable } from '@sluice/nats-connection';
import { allot, isSameHeld, sumOf, viewOf, withOwn, type Allotment } from './allotment';
import {
  ACQUIRE_TIMEOUT_MS,
  CONFLICT_PAUSE_MS,
  MAX_CONFLICTS,
  MAX_NAMED_REPLICAS,
  MAX_WAITING_PER_KEY,
  type CoordinationMetric,
} from './options';
import type { Replica, ReplicaState, Standing } from './replica';
import { decodeDocument, documentName, encodeDocument } from './slot-document';

interface Slot {
  readonly limit: number;
  readonly onLost: (reason: SluiceError) => void;
}

interface Waiting extends Slot {
  /** The caller has its answer, so a slot that comes now is given back. */
  isAnswered: boolean;
  answer(outcome: Slot | SluiceError): void;
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
 * The slots of one key that this replica holds. The document about the key says at least as many at any time: it is
 * written before a slot is given and after one was given back. All who wait at the same time share a write.
 */
export class SlotKeeper {
  /** The oldest first. */
  private held: Slot[] = [];
  private waiting: Waiting[] = [];
  /** Something changed that the document does not say yet. */
  private isDirty = false;
  /** Some slots wait for it to be found out whether others are dead. */
  private isUndecided = false;
  private writtenAtMs = performance.now();
  private settling: Promise<void> | undefined;

  constructor(
    private readonly key: string,
    private readonly options: KeeperOptions,
  ) {}

  /** Slots held here. */
  get count(): number {
    return this.held.length;
  }

  acquire(limit: number, onLost: (reason: SluiceError) => void): Promise<ConnectionLease> {
    if (this.waiting.length >= MAX_WAITING_PER_KEY) {
      this.countRefusal();
      return Promise.reject(noSlotLeft());
    }
    return new Promise<ConnectionLease>((resolve, reject) => {
      const late = () => {
        if (waiting.isAnswered) return;
        // Somebody may be writing for it; whoever does not hear the others counts alone.
        this.waiting = this.waiting.filter((each) => each !== waiting);
        if (this.options.replica.isShared) this.refuse(waiting);
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

  private release(slot: Slot): void {
    const index = this.held.indexOf(slot);
    if (index === -1) return;
    this.held.splice(index, 1);
    this.rewrite();
  }

  private settleSoon(): void {
    this.settling ??= this.settle().finally(() => {
      this.settling = undefined;
      const isLeft = this.waiting.length > 0 || (this.isDirty && this.options.replica.isShared);
      if (isLeft) this.settleSoon();
      else if (this.held.length === 0) this.options.onIdle(this.key);
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
      const held = withOwn(plan.elsewhere, id, plan.allotment.count);
      const isOld = this.writtenAtMs === -Infinity && held.size > 0;
      if (!isOld && isSameHeld(held, document.held)) return this.carryOut(plan.allotment);
      const written = await slots.write(name, encodeDocument({ key: this.key, held }), revision);
      if (written !== undefined) {
        this.writtenAtMs = performance.now();
        return this.carryOut(plan.allotment);
      }
      this.options.onMetric({ kind: 'slot_conflict' });
      const pauseMs = Math.random() * CONFLICT_PAUSE_MS * Math.min(attempt, 10);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    throw unavailable('Others write about this key all the time');
  }

  /** Who gets slots by a document. The dead are looked for only when somebody would get none because of them. */
  private async plan(document: Parameters<typeof viewOf>[0]) {
    const { replica } = this.options;
    const { secured, elsewhere } = viewOf(document, (other) => replica.isOwn(other));
    const allotBeside = (others: ReadonlyMap<string, number>) => allot(sumOf(others), secured, this.held, this.waiting);
    const allotment = allotBeside(elsewhere);
    const isTight = allotment.lost.length + allotment.refused.length > 0 || elsewhere.size > MAX_NAMED_REPLICAS;
    if (!isTight) return { allotment, elsewhere };
    const states = new Map(
      await Promise.all([...elsewhere.keys()].map(async (other) => [other, await replica.stateOf(other)] as const)),
    );
    const without = (...gone: readonly (ReplicaState | undefined)[]) =>
      new Map([...elsewhere].filter(([other]) => !gone.includes(states.get(other))));
    const possible = without('dead');
    // Nobody loses a slot to those who may be dead: it is decided when they had the time to come back.
    const { lost } = allotBeside(without('dead', 'unheard'));
    this.isUndecided = [...states.values()].includes('unheard');
    return { allotment: { ...allotBeside(possible), lost }, elsewhere: possible };
  }

  private carryOut({ lost, granted, refused }: Allotment<Slot, Waiting>): void {
    const settled = new Set<Waiting>([...granted, ...refused]);
    this.waiting = this.waiting.filter((each) => !settled.has(each));
    for (const waiting of granted) {
      if (waiting.isAnswered) this.isDirty = true;
      else this.give(waiting, 'shared');
    }
    for (const waiting of refused) if (!waiting.isAnswered) this.refuse(waiting);
    for (const slot of lost) {
      const index = this.held.indexOf(slot);
      if (index === -1) continue;
      this.held.splice(index, 1);
      this.options.onMetric({ kind: 'slot_lost' });
      slot.onLost(slotLost());
    }
  }

  private answerAlone(waiting: Waiting): void {
    if (this.held.length < waiting.limit) this.give(waiting, 'alone');
    else this.refuse(waiting);
  }

  private give(waiting: Waiting, outcome: 'shared' | 'alone'): void {
    const slot: Slot = { limit: waiting.limit, onLost: waiting.onLost };
    this.held.push(slot);
    this.options.onMetric({ kind: 'slot_sought', outcome });
    waiting.answer(slot);
  }

  private refuse(waiting: Waiting): void {
    this.countRefusal();
    waiting.answer(noSlotLeft());
  }

  private countRefusal(): void {
    this.options.onMetric({ kind: 'slot_sought', outcome: 'refused' });
  }
}
