import { SafeFetchError, type SafeFetch, type SafeFetchErrorCode, type SafeFetchRequest } from '@sluice/safe-fetch';
import { HostTurns, type HostTurnsOptions } from './host-turns';
import { PROBE_LIMITS, POLITENESS_LIMITS } from './limits';
import { retryAfterMs } from './retry-after';
import { Slots } from './slots';
import { unknown, unreachable, type Verdict } from './verdict';

export interface VisitsOptions {
  readonly fetch: SafeFetch;
  /** Most visits at a time, over all hosts. */
  readonly concurrency?: number;
  /** Longest time of one request. */
  readonly timeoutMs?: number;
  readonly politeness?: HostTurnsOptions;
  readonly onHoldOff?: () => void;
}

/** The head of an answer, with its body as it comes. */
export interface VisitAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly finalUrl: string;
  readonly body: AsyncIterable<Uint8Array>;
}

/** What can be done during a visit. */
export interface Visit {
  /**
   * Sends a request; its answer is closed when `read` is done.
   * @throws SafeFetchError, and HeldOff where the host answers 429.
   */
  request<T>(url: string, request: SafeFetchRequest, read: (answer: VisitAnswer) => Promise<T>): Promise<T>;
}

/** What a visit came to. */
export interface Visited {
  readonly verdict: Verdict;
  /** Status of the last answer. */
  readonly status?: number;
  /** Where the last answer came from. */
  readonly finalUrl?: string;
  /** From the first request to the end of its answer, as far as that was read. */
  readonly durationMs?: number;
}

/** The host answered 429: whatever it is, it is not for us now. */
class HeldOff extends Error {
  override readonly name = 'HeldOff';
}

const VERDICTS: Readonly<Record<SafeFetchErrorCode, Verdict>> = {
  invalid_url: unreachable('invalid_url'),
  refused_address: unreachable('refused_address'),
  too_large: unreachable('too_large'),
  timeout: unreachable('timeout'),
  too_many_redirects: unreachable('too_many_redirects'),
  unreachable: unreachable('unreachable'),
  busy: unknown('busy'),
  aborted: unknown('aborted'),
};

/** Polite, bounded visits to the hosts of strangers: one at a time for each host, a few at a time over all. */
export class Visits {
  private readonly turns: HostTurns;
  private readonly slots: Slots;

  constructor(private readonly options: VisitsOptions) {
    this.turns = new HostTurns(options.politeness);
    this.slots = new Slots(options.concurrency ?? PROBE_LIMITS.concurrency);
  }

  get load(): { readonly running: number; readonly waiting: number; readonly hosts: number } {
    return {
      running: this.slots.running,
      waiting: this.slots.waiting + this.turns.waiting,
      hosts: this.turns.size,
    };
  }

  /**
   * Visits the host of a URL. Errors of the network, aborts and refusals to wait come out as verdicts; it rejects only with faults
   * of `run` itself. `after`: the URL that the same probe visited just before; what was begun at a crowded host can be finished there.
   */
  async visit(
    url: string,
    signal: AbortSignal,
    run: (visit: Visit) => Promise<Visited>,
    after?: string,
  ): Promise<Visited> {
    const host = hostOf(url);
    if (host === undefined) return { verdict: VERDICTS.invalid_url };
    const turn = await this.turns.take(host, signal, after !== undefined && hostOf(after) === host);
    if (typeof turn === 'string') return { verdict: unknown(turn === 'held_off' ? 'rate_limited' : turn) };
    let holdOffMs: number | undefined;
    const noteHoldOff = (askedMs: number) => {
      holdOffMs = Math.max(askedMs, holdOffMs ?? 0);
    };
    const free = await this.slots.take(signal);
    try {
      if (free === undefined) return { verdict: VERDICTS.aborted };
      const startedMs = performance.now();
      let durationMs: number | undefined;
      const noteRead = () => {
        durationMs ??= performance.now() - startedMs;
      };
      const visited = await settle(run(this.newVisit(signal, noteHoldOff, noteRead)));
      noteRead();
      return { ...visited, durationMs };
    } finally {
      free?.();
      turn.end(holdOffMs);
      if (holdOffMs !== undefined) this.options.onHoldOff?.();
    }
  }

  private newVisit(signal: AbortSignal, noteHoldOff: (askedMs: number) => void, noteRead: () => void): Visit {
    const { fetch, timeoutMs = PROBE_LIMITS.timeoutMs } = this.options;
    return {
      async request(url, request, read) {
        const defaults = { timeoutMs, idleTimeoutMs: timeoutMs, maxBytes: PROBE_LIMITS.maxAnswerBytes };
        const answer = await fetch.open(
          url,
          { ...defaults, maxRedirects: PROBE_LIMITS.maxRedirects, ...request },
          signal,
        );
        try {
          const askedMs = retryAfterMs(answer.headers.get('retry-after'), POLITENESS_LIMITS.maxHoldOffMs);
          if (answer.status === 429) {
            noteHoldOff(askedMs ?? POLITENESS_LIMITS.defaultHoldOffMs);
            throw new HeldOff();
          }
          if (answer.status === 503 && askedMs !== undefined) noteHoldOff(askedMs);
          return await read(answer);
        } finally {
          noteRead();
          answer.close();
        }
      },
    };
  }
}

async function settle(running: Promise<Visited>): Promise<Visited> {
  try {
    return await running;
  } catch (error) {
    if (error instanceof SafeFetchError) return { verdict: VERDICTS[error.code] };
    if (error instanceof HeldOff) return { verdict: unknown('rate_limited') };
    throw error;
  }
}

/** Host and port, by which hosts are told apart; undefined for what is no http(s) URL. */
function hostOf(url: string): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  return parsed !== undefined && /^https?:$/.test(parsed.protocol) && parsed.host !== '' ? parsed.host : undefined;
}
