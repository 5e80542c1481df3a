import type { SessionStore } from '@sluice/agent-sessions';
import { WakeUp } from '@sluice/event-log';
import type { Clock } from '../clock';
import type { SessionJournal } from '../journal/session-journal';
import type { SessionSignals } from '../signals';
import { EngineFailed, type Engine, type EngineCall, type EngineTask } from './engine';
import { RunAnswers, type RunAnswersPorts } from './run-answers';
import { RunProcess, type ProcessUser } from './run-process';

export interface ProcessEngineOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** What of our own environment its processes have. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whom they run as; by default the user of this process. */
  readonly user?: ProcessUser | undefined;
  /** How often to look for answers of the user, when nobody says that something happened. */
  readonly pollIntervalMs: number;
  /** How long a process may take to end by itself, and then after SIGTERM. */
  readonly graceMs: number;
  /** How long a process that has ended may be ahead of its last report. */
  readonly lastReportMs: number;
}

export interface ProcessEnginePorts extends RunAnswersPorts {
  readonly journal: Pick<SessionJournal, 'execute'>;
  readonly store: Pick<SessionStore, 'load'>;
  readonly clock: Clock;
  readonly signals: Pick<SessionSignals, 'engineLine'>;
}

/** A receipt may be forgotten then, so that a run that is taken over later counts as started. */
const RECEIPT_LASTS_MS = 43_200_000;

/**
 * One process for each run, which is told by its standard input and reports by signed callbacks. Whoever started it holds
 * the claim of `run.start` until it has ended, and tells it what the user answers: so there is one process, at one place.
 * When that place is lost, the run is given up.
 */
export class ProcessEngine implements Engine {
  /** Those who wait for something to happen, by session. */
  private readonly waiting = new Map<string, WakeUp>();

  constructor(
    private readonly ports: ProcessEnginePorts,
    private readonly options: ProcessEngineOptions,
  ) {}

  /** Something happened to this session. */
  wake(sessionId: string): void {
    this.waiting.get(sessionId)?.wake();
  }

  async handle(task: EngineTask): Promise<void> {
    const { type, run_id: runId } = task.call;
    // What ends a run ends its process first; answers are told by who has the process, who is gone when they come here.
    if (type === 'run.input') throw new EngineFailed('The process that worked on this run is gone');
    if (type !== 'run.start' || runId === null) return;
    task.detach();
    await this.start(task, runId);
  }

  private async start(task: EngineTask, runId: string): Promise<void> {
    const { workspaceId, call, signal } = task;
    const sessionId = call.session_id;
    if (!(await this.isFirst(task, runId))) throw new EngineFailed('The process that worked on this run is gone');
    const answers = await RunAnswers.open(this.ports, { workspaceId, sessionId, runId });
    signal.throwIfAborted();
    const wakeUp = new WakeUp();
    const child = new RunProcess({
      command: this.options.command,
      environment: { ...this.options.environment, ...environmentOf(call) },
      user: this.options.user,
      onLine: (line) => this.ports.signals.engineLine(sessionId, runId, line),
      graceMs: this.options.graceMs,
    });
    this.waiting.set(sessionId, wakeUp);
    const onAbort = () => wakeUp.wake();
    signal.addEventListener('abort', onAbort);
    try {
      await this.talk(child, task, answers, wakeUp);
      await this.requireOver(task, runId, await child.ended);
    } finally {
      signal.removeEventListener('abort', onAbort);
      await child.end();
      if (this.waiting.get(sessionId) === wakeUp) this.waiting.delete(sessionId);
    }
  }

  /** Tells the process what there is until it has ended. */
  private async talk(child: RunProcess, { call, signal }: EngineTask, answers: RunAnswers, wakeUp: WakeUp) {
    let isRunning = true;
    void child.ended.then(() => {
      isRunning = false;
      wakeUp.wake();
    });
    let isTold = child.tell(call);
    while (isRunning) {
      signal.throwIfAborted();
      if (!isTold) throw new EngineFailed('The process of this run does not read what it is told');
      wakeUp.reset();
      const inputs = await answers.next();
      if (inputs.length > 0) isTold = child.tell({ ...call, type: 'run.input', input_events: inputs });
      // What ended meanwhile has woken us.
      else await wakeUp.sleep(this.options.pollIntervalMs);
    }
  }

  /** @throws EngineFailed when the process has ended and its run has not */
  private async requireOver({ workspaceId, call, signal }: EngineTask, runId: string, how: string): Promise<void> {
    const { lastReportMs, pollIntervalMs } = this.options;
    const wakeUp = new WakeUp();
    for (const endMs = performance.now() + lastReportMs; ;) {
      const stored = await this.ports.store.load(workspaceId, call.session_id);
      if (stored?.state.run?.id !== runId) return;
      signal.throwIfAborted();
      if (performance.now() >= endMs) break;
      await wakeUp.sleep(Math.min(pollIntervalMs, lastReportMs));
    }
    throw new EngineFailed(`The process of this run ${how} before the run was over`);
  }

  /** Remembers durably that the run has had its process. False when it had it before. */
  private async isFirst({ workspaceId, call, failures }: EngineTask, runId: string): Promise<boolean> {
    const { isRepeated, state } = await this.ports.journal.execute({
      workspaceId,
      sessionId: call.session_id,
      receipt: { key: `process/${runId}`, requestHash: 'process' },
      decide: (present) => ({ kind: 'accepted', state: present, events: [], dispatches: [] }),
    });
    const isOld = this.ports.clock.now() - (state?.run?.startedAtMs ?? 0) > RECEIPT_LASTS_MS;
    return !isRepeated && !(failures > 0 && isOld);
  }
}

function environmentOf({ session_id: sessionId, run_id: runId, callback }: EngineCall): Record<string, string> {
  return {
    RUNTIME_SESSION_ID: sessionId,
    RUNTIME_RUN_ID: runId ?? '',
    RUNTIME_CALLBACK_URL: callback?.url ?? '',
    RUNTIME_CALLBACK_SECRET: callback?.secret ?? '',
  };
}
