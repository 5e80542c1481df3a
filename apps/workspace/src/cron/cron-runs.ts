import type { CronJob } from '@sluice/event-schema';
import { isAgentType, MAIN_AGENT } from '../agents/agent-types';
import type { Clock } from '../clock';
import { wholeAnswer } from '../runs/collect-answer';
import { RunFailed, type Responder, type ScriptRunner } from '../runs/responder';
import { cronCompleted, type CronRun } from '../runs/run';
import type { RunExecutor } from '../runs/run-executor';
import type { RunPlace } from '../runs/run-pool';
import { shortened, wellFormed } from '../runs/well-formed';

/** Most characters of a run's output that are kept. */
const MAX_OUTPUT_LENGTH = 10_000;

/** Executes jobs whose run is on record. */
export class CronRuns {
  constructor(
    private readonly executor: RunExecutor,
    private readonly responder: Responder,
    private readonly scripts: ScriptRunner | undefined,
    private readonly clock: Clock,
  ) {}

  get runsScripts(): boolean {
    return this.scripts !== undefined;
  }

  start(place: RunPlace, job: CronJob, run: CronRun, isOurs?: Promise<boolean | undefined>): void {
    const work = async (signal: AbortSignal) => {
      const output = wellFormed(await this.execute(job, run, signal));
      return cronCompleted(run, job.job_type, shortened(output, MAX_OUTPUT_LENGTH), this.clock.now());
    };
    this.executor.start(place, run, work, isOurs);
  }

  private execute(job: CronJob, { workspaceId }: CronRun, signal: AbortSignal): Promise<string> {
    if (job.job_type === 'script') {
      if (!this.scripts) throw new RunFailed('Script jobs are refused: no sandbox runner is configured');
      return this.scripts.run({ workspaceId, script: job.script ?? '', signal });
    }
    if (job.agent !== MAIN_AGENT && !isAgentType(job.agent)) throw new RunFailed(`Unknown agent: ${job.agent}`);
    return wholeAnswer(this.responder, { agentId: job.agent, prompt: job.message ?? '', history: [], signal });
  }
}
