import { SluiceError } from '@sluice/event-log';

/** How long one check may take before it counts as failed. */
export const CHECK_TIMEOUT_MS = 1_000;
/** How long an outcome is given again without asking. */
export const CHECK_CACHE_MS = 500;
/** Calls of one check that have timed out and still not ended; at this many, no further call is made. */
const MAX_HANGING_CALLS = 4;

/** Whether one thing that the service needs can be used now. */
export interface ReadyCheck {
  /** Stable and short: it is shown, and is a metric label. */
  readonly name: string;
  /** Resolves when usable, rejects when not. Must stop when the signal aborts. */
  check(signal: AbortSignal): Promise<void>;
}

export type ReadyStatus = 'ready' | 'not_ready' | 'starting' | 'draining';

/** What `/ready` answers: 200 for `ready`, 503 for all else. A check is `ok` or a short error code. */
export interface ReadyReport {
  readonly status: ReadyStatus;
  readonly checks?: Readonly<Record<string, string>>;
}

export interface ReadinessOptions {
  readonly checkTimeoutMs?: number;
  readonly cacheMs?: number;
  /** A monotonic clock in milliseconds. */
  readonly nowMs?: () => number;
}

/** Whether the service can serve now: its phase, and its checks run in parallel, at most once per cache time. */
export class Readiness {
  private phase: 'starting' | 'running' | 'draining' = 'starting';
  private last: { readonly report: ReadyReport; readonly atMs: number } | undefined;
  private running: Promise<ReadyReport> | undefined;
  private readonly hanging = new Map<string, number>();
  private readonly checkTimeoutMs: number;
  private readonly cacheMs: number;
  private readonly nowMs: () => number;

  constructor(
    private readonly checks: readonly ReadyCheck[],
    options: ReadinessOptions = {},
  ) {
    this.checkTimeoutMs = options.checkTimeoutMs ?? CHECK_TIMEOUT_MS;
    this.cacheMs = options.cacheMs ?? CHECK_CACHE_MS;
    this.nowMs = options.nowMs ?? (() => performance.now());
  }

  /** The service has started: from now on the checks decide. */
  markStarted(): void {
    if (this.phase === 'starting') this.phase = 'running';
  }

  /** The service is going away and never becomes ready again. */
  markDraining(): void {
    this.phase = 'draining';
  }

  async report(): Promise<ReadyReport> {
    if (this.phase !== 'running') return { status: this.phase };
    if (this.last && this.nowMs() - this.last.atMs < this.cacheMs) return this.last.report;
    this.running ??= this.runChecks().finally(() => {
      this.running = undefined;
    });
    const report = await this.running;
    // A drain that began meanwhile outweighs what the checks found.
    return this.isDraining() ? { status: 'draining' } : report;
  }

  private isDraining(): boolean {
    return this.phase === 'draining';
  }

  private async runChecks(): Promise<ReadyReport> {
    const outcomes = await Promise.all(
      this.checks.map(async (check) => [check.name, await this.runCheck(check)] as const),
    );
    const isReady = outcomes.every(([, outcome]) => outcome === 'ok');
    const report: ReadyReport = { status: isReady ? 'ready' : 'not_ready', checks: Object.fromEntries(outcomes) };
    this.last = { report, atMs: this.nowMs() };
    return report;
  }

  private async runCheck({ name, check }: ReadyCheck): Promise<string> {
    const hanging = this.hanging.get(name) ?? 0;
    if (hanging >= MAX_HANGING_CALLS) return 'timeout';
    this.hanging.set(name, hanging + 1);
    const abort = new AbortController();
    const call = Promise.resolve()
      .then(() => check(abort.signal))
      .then(() => 'ok', shortCode)
      .finally(() => this.hanging.set(name, (this.hanging.get(name) ?? 1) - 1));
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<string>((resolve) => {
      timer = setTimeout(() => {
        resolve('timeout');
        abort.abort();
      }, this.checkTimeoutMs);
    });
    try {
      return await Promise.race([call, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function shortCode(error: unknown): string {
  if (error instanceof SluiceError) return error.code;
  const { code } = Object(error) as { code?: unknown };
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : 'failed';
}
