import type { Logger } from './logger';

/** A thing that is stopped or closed at the end. */
export interface DrainStep {
  readonly name: string;
  run(): Promise<void>;
}

/**
 * The time of a drain. Each phase ends by its share of the whole, so that a phase that hangs cannot take the time of
 * those after it; what a phase does not use is left to the next.
 */
export class DrainBudget {
  private readonly startedAtMs = performance.now();

  constructor(private readonly timeoutMs: number) {}

  /** Milliseconds until the given share (0 to 1) of the whole time has passed. */
  untilMs(share: number): number {
    return Math.max(0, this.timeoutMs * share - this.elapsedMs);
  }

  get elapsedMs(): number {
    return performance.now() - this.startedAtMs;
  }
}

/**
 * Runs one step for at most the given time. Never rejects: failures and time-outs are logged, as those after it must run.
 *
 * @returns whether the step ended well and in time.
 */
export async function runBounded(step: DrainStep, timeoutMs: number, logger: Logger): Promise<boolean> {
  const startedAtMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(() => resolve('timeout'), timeoutMs);
  });
  const fields = () => ({ step: step.name, durationMs: Math.round(performance.now() - startedAtMs) });
  try {
    const run = Promise.resolve().then(() => step.run());
    if ((await Promise.race([run, timeout])) === 'timeout') {
      run.catch((error: unknown) => logger.warn('drain step failed late', { ...fields(), error }));
      logger.warn('drain step timed out', fields());
      return false;
    }
    logger.info('drain step done', fields());
    return true;
  } catch (error) {
    logger.error('drain step failed', { ...fields(), error });
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs steps from the last to the first, each with an even part of the time that is left until `share`. */
export async function runReversed(
  steps: readonly DrainStep[],
  budget: DrainBudget,
  share: number,
  logger: Logger,
): Promise<void> {
  let left = steps.length;
  for (const step of [...steps].reverse()) {
    await runBounded(step, budget.untilMs(share) / left, logger);
    left -= 1;
  }
}
