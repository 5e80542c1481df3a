import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster, startEmbedded, type ClusterSystem, type EmbeddedSystem } from '../../e2e/system';
import { WebhookReceiver } from '../../e2e/webhook-receiver';
import type { EngineName, FaultClass } from './fault-class';
import { databaseUrlOf } from './raw-log';
import { steadyPorts } from './steady-ports';
import { isClean } from './table';
import { Trial, type TrialResult } from './trial';

/** Two of those whose replicas take over from each other: what one leaves behind, the other one has to go on with. */
const REPLICAS = 'projector=2,sse-stream=2,sessions=2,webhooks=2';

/** Containers cannot be frozen, nor their disks filled: brokers are processes of this machine. */
const NO_CONTAINERS = { DOCKER_HOST: 'unix:///nowhere' };

/** What came of one class on one engine. */
export type ClassOutcome =
  | { readonly kind: 'run'; readonly rounds: number; readonly result: TrialResult; readonly logs?: string }
  /** It was not run: something that it needs is missing here, or it does not apply to the engine. */
  | { readonly kind: 'left-out'; readonly reason: string; readonly isMissing: boolean }
  | { readonly kind: 'failed'; readonly error: string; readonly logs: string };

export interface RunOptions {
  /** How often each fault is done; what the class says where it is absent. */
  readonly rounds?: number;
  readonly log: (line: string) => void;
}

/** A system that runs, and all that belongs to it. */
interface Stage {
  readonly folder: string;
  readonly system: ClusterSystem | EmbeddedSystem;
  readonly receiver: WebhookReceiver;
  /** Ends it. @param keep leaves its folder where it is */
  readonly clear: (keep: boolean) => Promise<void>;
  trials: number;
}

/**
 * Runs classes on one engine, one after the other. They share a system as long as nothing goes wrong on it; a class with
 * settings or a ground of its own has one of its own. The folder of a system on which something went wrong is kept.
 */
export class ClassRunner {
  private shared: Stage | undefined;

  constructor(private readonly engine: EngineName) {}

  async run(faults: FaultClass, options: RunOptions): Promise<ClassOutcome> {
    const plan = faults[this.engine];
    if (plan === undefined) return { kind: 'left-out', reason: 'does not apply to this engine', isMissing: false };
    const needed = plan.needs?.();
    if (needed !== undefined) return { kind: 'left-out', reason: `needs ${needed}`, isMissing: true };
    const isAlone = plan.prepare !== undefined || plan.settings !== undefined;
    const folder = await makeFolder();
    let stage: Stage | undefined;
    let isWrong = true;
    try {
      stage = isAlone
        ? await setStage(this.engine, folder, plan)
        : (this.shared ??= await setStage(this.engine, folder));
      const rounds = options.rounds ?? plan.rounds;
      const result = await runOn(stage, faults, rounds, options.log);
      isWrong = !isClean(result);
      return { kind: 'run', rounds, result, ...(isWrong && { logs: stage.folder }) };
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { kind: 'failed', error: text, logs: stage?.folder ?? folder };
    } finally {
      if (isAlone || isWrong) {
        if (stage === this.shared) this.shared = undefined;
        await stage?.clear(isWrong);
      }
      if (stage !== undefined && stage.folder !== folder) await rm(folder, { recursive: true });
    }
  }

  /** Ends the system that classes shared. */
  async close(): Promise<void> {
    await this.shared?.clear(false);
    this.shared = undefined;
  }
}

/** As root, PostgreSQL runs as another user, who has to come here. */
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-faults-'));
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'data'));
  return folder;
}

async function setStage(
  engine: EngineName,
  folder: string,
  plan: Pick<NonNullable<FaultClass['cluster']>, 'prepare' | 'settings'> = {},
): Promise<Stage> {
  const dataDir = join(folder, 'data');
  const receiver = await WebhookReceiver.start();
  const ground = await plan.prepare?.(dataDir);
  const settings = {
    SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS: receiver.origin,
    ...plan.settings,
    ...ground?.settings,
  };
  const end = async (system?: ClusterSystem | EmbeddedSystem) => {
    await system?.stop(true);
    await receiver.stop();
    await ground?.clear();
  };
  try {
    const options = { dataDir, logFile: join(folder, 'system.log') };
    const system =
      engine === 'cluster'
        ? await startCluster({ SLUICE_CLUSTER_REPLICAS: REPLICAS, ...NO_CONTAINERS, ...settings }, options)
        : await startEmbedded({ ...(await steadyPorts()), ...settings }, options);
    const clear = async (keep: boolean) => {
      await end(system);
      if (!keep) await rm(folder, { recursive: true, force: true });
    };
    return { folder, system, receiver, trials: 0, clear };
  } catch (error) {
    await end();
    throw error;
  }
}

async function runOn(
  stage: Stage,
  faults: FaultClass,
  rounds: number,
  log: (line: string) => void,
): Promise<TrialResult> {
  const { system, receiver, folder } = stage;
  const trial = await Trial.start(system, receiver, { folder, number: ++stage.trials, log });
  try {
    if (system.engine === 'cluster') await faults.cluster?.run({ system, trial, rounds });
    else await faults.embedded?.run({ system, trial, rounds });
    return await trial.finish(await databaseUrlOf(system));
  } finally {
    await trial.close();
  }
}
