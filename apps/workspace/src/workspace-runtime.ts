import { randomUUID } from 'node:crypto';
import type { EventFeed } from '@sluice/delivery';
import { KeyedLocks, toSluiceError, type DurableLog } from '@sluice/event-log';
import type { WorkspaceDocuments } from '@sluice/projections';
import { PollingWorker, type Worker } from '@sluice/service-runtime';
import type { Clock } from './clock';
import type { WorkspaceConfig } from './config';
import { CronClaims } from './cron/cron-claims';
import { CronRescheduler } from './cron/cron-rescheduler';
import { CronRuns } from './cron/cron-runs';
import { CronScheduler } from './cron/cron-scheduler';
import { EntityCommands } from './journal/entity-commands';
import { WorkspaceJournal, type JournalReader } from './journal/workspace-journal';
import type { Responder, ScriptRunner } from './runs/responder';
import { RunExecutor } from './runs/run-executor';
import { RunPool } from './runs/run-pool';
import { RunReaper } from './runs/run-reaper';
import type { WorkspaceSignals } from './signals';

/** What the app needs of the outside. */
export interface WorkspacePorts {
  readonly config: WorkspaceConfig;
  readonly log: Pick<DurableLog, 'append'>;
  readonly feed: Pick<EventFeed, 'expect'>;
  readonly reader: JournalReader;
  readonly documents: WorkspaceDocuments;
  readonly responder: Responder;
  readonly scripts: ScriptRunner | undefined;
  readonly clock: Clock;
  readonly signals: WorkspaceSignals;
  /** How long to wait until it is on record who has a due time; then it is tried again. Default 10 s. */
  readonly claimWaitMs?: number;
}

const CLAIM_WAIT_MS = 10_000;

/** What commands and loops share: one of each per process. */
export interface WorkspaceRuntime {
  readonly journal: WorkspaceJournal;
  readonly commands: EntityCommands;
  readonly executor: RunExecutor;
  readonly claims: CronClaims;
  readonly rescheduler: CronRescheduler;
  readonly cronRuns: CronRuns;
  readonly scheduler: CronScheduler;
  readonly reaper: RunReaper;
}

export function createWorkspaceRuntime(ports: WorkspacePorts): WorkspaceRuntime {
  const { config, log, feed, reader, documents, responder, scripts, clock, signals } = ports;
  const { projectionWaitMs, runs, cron } = config;
  const journal = new WorkspaceJournal(log, feed, reader, { projectionWaitMs }, clock, signals);
  const locks = new KeyedLocks((reason) => signals.refusedChange(reason === 'key' ? 'entity' : reason));
  const commands = new EntityCommands(locks, journal, projectionWaitMs);
  const pool = new RunPool(runs, signals);
  const executor = new RunExecutor(pool, journal, feed, clock, signals);
  const claims = new CronClaims(journal, clock, signals, {
    replicaId: randomUUID(),
    runTimeoutMs: runs.timeoutMs,
    claimWaitMs: ports.claimWaitMs ?? CLAIM_WAIT_MS,
  });
  const rescheduler = new CronRescheduler(documents, journal, clock, signals);
  const cronRuns = new CronRuns(executor, responder, scripts, clock);
  const shared = { documents, journal, locks, claims, rescheduler, executor, pool, runs: cronRuns, clock, signals };
  const scheduler = new CronScheduler({ ...shared, graceMs: cron.graceMs });
  const reaper = new RunReaper(documents, journal, clock, signals);
  return { journal, commands, executor, claims, rescheduler, cronRuns, scheduler, reaper };
}

/** The loops of the app. Stopped in reverse: no more runs are begun, and then those that go on are broken off. */
export function workersOf({ executor, scheduler, reaper }: WorkspaceRuntime, ports: WorkspacePorts): Worker[] {
  const { pollIntervalMs } = ports.config.cron;
  const onFault = (loop: 'scheduler' | 'reaper') => (error: unknown) => ports.signals.fault(loop, toSluiceError(error));
  return [
    { name: 'runs', start: () => Promise.resolve(), stop: () => executor.stop() },
    new PollingWorker('run reaper', pollIntervalMs, (signal) => reaper.poll(signal), onFault('reaper')),
    new PollingWorker('cron scheduler', pollIntervalMs, (signal) => scheduler.poll(signal), onFault('scheduler')),
  ];
}
