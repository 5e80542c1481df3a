import { SluiceError } from '@sluice/event-log';
import type { RunConfig } from '../config';
import type { WorkspaceSignals } from '../signals';

type Task = () => Promise<void>;

/** A place for one run. It is used once: to start the run, or given back. */
export interface RunPlace {
  /**
   * Runs the task when its turn comes, and not before it is `ready`: until then it holds up nobody. Neither may reject.
   */
  start(task: Task, ready?: Promise<unknown>): void;
  /** Idempotent, and without effect after `start`. */
  release(): void;
}

/** Why there is no place: this process has no room, or the workspace has its most runs. */
export type NoPlace = 'queue' | 'workspace';

/** How many runs go on and wait in this process. Workspaces take turns, so that one with many runs holds up no other. */
export class RunPool {
  /** By workspace, in the order of their turns. */
  private readonly waiting = new Map<number, Task[]>();
  private readonly placesOf = new Map<number, number>();
  private places = 0;
  private running = 0;
  private readonly idle = new Set<() => void>();

  constructor(
    private readonly limits: Pick<RunConfig, 'concurrency' | 'queue' | 'perWorkspace'>,
    private readonly signals: Pick<WorkspaceSignals, 'runsChanged' | 'refusedRun'>,
  ) {}

  /** Why `count` more runs of a workspace have no place now; undefined when they have. */
  noPlace(workspaceId: number, count = 1): NoPlace | undefined {
    const { concurrency, queue, perWorkspace } = this.limits;
    if ((this.placesOf.get(workspaceId) ?? 0) + count > perWorkspace) return 'workspace';
    return this.places + count > concurrency + queue ? 'queue' : undefined;
  }

  /**
   * Places for all of `count` runs, or none: taken before anything is written about the runs.
   * @throws SluiceError `overloaded`
   */
  reserve(workspaceId: number, count = 1): RunPlace[] {
    const reason = this.noPlace(workspaceId, count);
    if (reason) {
      this.signals.refusedRun(reason);
      const message = reason === 'queue' ? 'Too many runs wait' : 'The workspace has its most runs going on';
      throw new SluiceError('overloaded', message, { retryAfterMs: 1_000 });
    }
    return Array.from({ length: count }, () => this.take(workspaceId));
  }

  /** Resolves when no place is taken. */
  async whenIdle(): Promise<void> {
    if (this.places > 0) await new Promise<void>((resolve) => this.idle.add(resolve));
  }

  private take(workspaceId: number): RunPlace {
    this.places++;
    this.placesOf.set(workspaceId, (this.placesOf.get(workspaceId) ?? 0) + 1);
    let isUsed = false;
    return {
      start: (task, ready) => {
        if (isUsed) throw new Error('A place is used once');
        isUsed = true;
        const whole = () => task().finally(() => this.giveBack(workspaceId));
        if (ready) void ready.then(() => this.line(workspaceId, whole));
        else this.line(workspaceId, whole);
      },
      release: () => {
        if (isUsed) return;
        isUsed = true;
        this.giveBack(workspaceId);
      },
    };
  }

  private line(workspaceId: number, task: Task): void {
    const tasks = this.waiting.get(workspaceId);
    if (tasks) tasks.push(task);
    else this.waiting.set(workspaceId, [task]);
    this.advance();
  }

  private advance(): void {
    while (this.running < this.limits.concurrency) {
      const task = this.takeNext();
      if (!task) break;
      this.running++;
      void task().finally(() => {
        this.running--;
        this.advance();
      });
    }
    this.tell();
  }

  private takeNext(): Task | undefined {
    for (const [workspaceId, tasks] of this.waiting) {
      const task = tasks.shift();
      // To the end of the line, so that the next turn is another's.
      this.waiting.delete(workspaceId);
      if (tasks.length > 0) this.waiting.set(workspaceId, tasks);
      return task;
    }
    return undefined;
  }

  private giveBack(workspaceId: number): void {
    this.places--;
    const left = (this.placesOf.get(workspaceId) ?? 1) - 1;
    if (left > 0) this.placesOf.set(workspaceId, left);
    else this.placesOf.delete(workspaceId);
    if (this.places > 0) return;
    for (const resolve of this.idle) resolve();
    this.idle.clear();
  }

  private tell(): void {
    let waiting = 0;
    for (const tasks of this.waiting.values()) waiting += tasks.length;
    this.signals.runsChanged(this.running, waiting);
  }
}
