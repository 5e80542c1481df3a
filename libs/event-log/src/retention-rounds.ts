import type { RetentionBacklog, RetentionBounds, RetentionScope, RetentionStep } from './ports/event-retention';

/** A policy that has something to look at, and for how long that has been older than it is to become. */
export interface DuePolicy {
  readonly scope: RetentionScope;
  readonly overdueMs: number;
}

/** Why nothing is removed by any policy. */
export type RetentionHalt = Exclude<RetentionStep, { readonly kind: 'swept' | 'done' }>;

export interface RetentionRoundsOptions {
  /** The policies that have something to look at, the most overdue first. */
  due(): Promise<readonly DuePolicy[] | RetentionHalt>;
  /** One transaction for one policy; undefined where nothing is too old. */
  sweep(scope: RetentionScope, bounds: RetentionBounds): Promise<RetentionStep | undefined>;
}

/** Transactions of each policy before it is looked again which are due. */
const TURNS = 10;

/** Lets the policies that are due take turns, one transaction each, so that a large one holds up no other. */
export class RetentionRounds {
  private queue: RetentionScope[] = [];
  private turns = 0;
  private known: RetentionBacklog = { policies: 0, overdueMs: 0 };

  constructor(private readonly options: RetentionRoundsOptions) {}

  /** As of the last look. */
  get backlog(): RetentionBacklog {
    return this.known;
  }

  async step(bounds: RetentionBounds): Promise<RetentionStep> {
    // One step may take several turns: those that had nothing more count as well.
    if (this.turns <= 0 || this.queue.length === 0) {
      const due = await this.options.due();
      if ('kind' in due) return due;
      this.queue = due.map(({ scope }) => scope);
      this.turns = TURNS * due.length;
      this.known = { policies: due.length, overdueMs: due[0]?.overdueMs ?? 0 };
    }
    for (let scope = this.queue.shift(); scope; scope = this.queue.shift()) {
      this.turns--;
      const step = await this.options.sweep(scope, bounds);
      if (step === undefined) continue;
      this.queue.push(scope);
      return step;
    }
    return { kind: 'done' };
  }
}
