import { EventFeed } from '@sluice/delivery';
import { openMemoryEngine, type Engine } from '@sluice/engine';
import { SluiceError, type DurableLog } from '@sluice/event-log';
import type { CronJob, EventEnvelope, WorkspaceEventType } from '@sluice/event-schema';
import { createLogger, MetricsRegistry, parseSettings, readEnv } from '@sluice/service-runtime';
import { toWorkspaceConfig, workspaceSettings, type RunConfig } from '../src/config';
import { draftOf } from '../src/journal/workspace-draft';
import { BuiltInResponder } from '../src/runs/built-in-responder';
import type { Responder } from '../src/runs/responder';
import { createWorkspaceSignals } from '../src/signals';
import { createWorkspaceRuntime, type WorkspaceRuntime } from '../src/workspace-runtime';
import { TestProjection } from '@sluice/engine/conformance';

/** When the simulated time begins. */
export const START_MS = Date.UTC(2026, 0, 1);

/** A log whose process dies at one of its appends: before the append, or before its answer. */
export class MortalLog implements Pick<DurableLog, 'append'> {
  isDead = false;
  private appendsLeft = Infinity;
  private storesLast = false;

  constructor(private readonly log: DurableLog) {}

  dieAt(appends: number, storesLast: boolean): void {
    this.appendsLeft = appends;
    this.storesLast = storesLast;
  }

  /** Done once, just before the next append: what another process writes meanwhile. */
  before: (() => Promise<unknown>) | undefined;

  async append(...events: Parameters<DurableLog['append']>): Promise<void> {
    const { before } = this;
    this.before = undefined;
    await before?.();
    if (!this.isDead && --this.appendsLeft <= 0) {
      this.isDead = true;
      if (this.storesLast) await this.log.append(...events);
    }
    // Not to be tried again: nobody is there to do so.
    if (this.isDead) throw new SluiceError('invalid_request', 'The process is dead');
    await this.log.append(...events);
  }
}

export interface StartReplica {
  readonly responder?: Responder;
  readonly runs?: Partial<RunConfig>;
  readonly claimWaitMs?: number;
}

export interface Replica extends WorkspaceRuntime {
  readonly log: MortalLog;
  /** The runs that it began, in their order. */
  readonly begun: string[];
}

/** Several replicas of the app on one log, with a clock that the test sets. */
export class Replicas {
  readonly clock = { nowMs: START_MS, now: () => this.clock.nowMs };
  readonly metrics = new MetricsRegistry();

  private constructor(
    readonly engine: Engine,
    readonly projection: TestProjection,
    private readonly feed: EventFeed,
  ) {}

  static async open(): Promise<Replicas> {
    const engine = openMemoryEngine();
    const feed = new EventFeed({
      deliveryLog: await engine.deliveryLog(),
      reader: await engine.readModel(),
      limits: { lookUpDelayMs: 2 },
    });
    await feed.start();
    return new Replicas(engine, await TestProjection.start(engine), feed);
  }

  async start({ responder = new BuiltInResponder(), claimWaitMs, runs }: StartReplica = {}): Promise<Replica> {
    const { engine, feed, clock } = this;
    const log = new MortalLog(await engine.durableLog());
    const config = toWorkspaceConfig(parseSettings(workspaceSettings, readEnv(workspaceSettings, {})));
    const runtime = createWorkspaceRuntime({
      config: { ...config, runs: { ...config.runs, ...runs } },
      log,
      feed,
      reader: await engine.readModel(),
      documents: await engine.workspaceDocuments(),
      responder,
      scripts: undefined,
      clock,
      ...(claimWaitMs !== undefined && { claimWaitMs }),
      signals: createWorkspaceSignals(this.metrics, createLogger({ service: 'test', level: 'silent' })),
    });
    const begun: string[] = [];
    const start = runtime.cronRuns.start.bind(runtime.cronRuns);
    runtime.cronRuns.start = (...call) => {
      begun.push(call[2].runId);
      start(...call);
    };
    return { ...runtime, log, begun };
  }

  /** Puts a job on record, due first after `next_run_at`. */
  async addJob(by: Replica, job: Partial<CronJob> & { id: string }, workspaceId = 1): Promise<CronJob> {
    const whole: CronJob = {
      name: job.id,
      job_type: 'agent',
      message: 'work',
      ...(job.cron === undefined && { every: 1 }),
      agent: 'main',
      enabled: true,
      notifications: { in_app: true, system: false, channel_ids: [] },
      catch_up: 'all',
      next_run_at: START_MS + 1_000,
      created_at: START_MS,
      updated_at: START_MS,
      ...job,
    };
    await by.journal.append({ workspaceId }, [draftOf('cron_job_created', { job: whole })]);
    return whole;
  }

  /** What is on record, each event once. */
  recorded(...types: WorkspaceEventType[]): EventEnvelope[] {
    const firsts = new Map<string, EventEnvelope>();
    for (const event of this.projection.logged) if (!firsts.has(event.id)) firsts.set(event.id, event);
    return [...firsts.values()].filter(({ type }) => (types as string[]).includes(type));
  }

  async close(): Promise<void> {
    await this.feed.stop();
    await this.projection.stop();
    await this.engine.close();
  }
}

/** Random numbers below 1 that are the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
