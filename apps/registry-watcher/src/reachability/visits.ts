import { SafeFetchError, type SafeFetch, type SafeFetchErrorCode, type SafeFetchRequest } from '@sluice/safe-fetch';
import { HostTurns, type HostTurnsOptions } from './host-turns';
import { PROBE_LIMITS, POLITENESS_LIMITS } from './limits';
import { retryAfterMs } from './retry-after';
import { Slots } from './slots';
import { Stay } from './stay';
import { unknown, unreachable, type UnknownCode, type Verdict } from './verdict';

export interface VisitsOptions {
  readonly fetch: SafeFetch;
  /** Most visits at a time, over all hosts. */
  readonly concurrency?: number;
  /** Longest time of one request. */
  readonly timeoutMs?: number;
  readonly politeness?: HostTurnsOptions;
  readonly onHoldOff?: () => void;
  readonly onHostForgotten?: () => void;
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
   * Sends a request; its answer is closed when `read` is done. A redirect to another host takes the visit there.
   * @throws SafeFetchError, NoTurn where a redirect leads to a host that is not to be visited now, and HeldOff where the host answers 429.
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

/** A redirect leads to a host whose turn did not come, which says nothing about the endpoint. */
class NoTurn extends SafeFetchError {
  constructor(readonly reason: UnknownCode) {
    super('busy', 'The host of a redirect is not to be visited now');
  }
}

/** What of a request's time may go into waiting for hosts of redirects; where it is more, a timeout says nothing about the endpoint. */
const MAX_WAITING_SHARE = 0.5;

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

/** Polite, bounded visits to the hosts of strangers: one at a time for each host, whoever leads there, a few at a time over all. */
export class Visits {
  private readonly turns: HostTurns;
  private readonly slots: Slots;
  private readonly timeoutMs: number;

  constructor(private readonly options: VisitsOptions) {
    const { onHostForgotten } = options;
    this.turns = new HostTurns({ ...options.politeness, ...(onHostForgotten && { onHostForgotten }) });
    this.slots = new Slots(options.concurrency ?? PROBE_LIMITS.concurrency);
    this.timeoutMs = options.timeoutMs ?? PROBE_LIMITS.timeoutMs;
  }

  get load(): { readonly running: number; readonly waiting: number; readonly hosts: number } {
    return {
      running: this.slots.running,
      waiting: this.slots.waiting + this.turns.waiting,
      hosts: this.turns.size,
    };
  }

  /**
   * Visits the host of a URL, and the hosts that its redirects lead to, one at a time. Errors of the network, aborts and refusals to wait
   * come out as verdicts; it rejects only with faults of `run` itself. `after`: where the same probe was just before; what was begun
   * at a crowded host can be finished there.
   */
  async visit(
    url: string,
    signal: AbortSignal,
    run: (visit: Visit) => Promise<Visited>,
    after?: string,
  ): Promise<Visited> {
    const host = hostOf(url);
    if (host === undefined) return { verdict: VERDICTS.invalid_url };
    const stay = new Stay(this.turns, this.slots, () => this.options.onHoldOff?.());
    try {
      const refused = await stay.goTo(host, signal, after !== undefined && hostOf(after) === host);
      if (refused !== undefined) return { verdict: unknown(refused) };
      const startedMs = performance.now();
      const waitedBeforeMs = stay.waitedMs;
      const waitedMs = () => stay.waitedMs - waitedBeforeMs;
      let durationMs: number | undefined;
      const noteRead = () => {
        durationMs ??= performance.now() - startedMs - waitedMs();
      };
      const visited = await settle(run(this.newVisit(stay, signal, noteRead)));
      noteRead();
      // Waiting for the turn of a redirect is a part of the request's time.
      const isForWaiting = visited.verdict.code === 'timeout' && waitedMs() > this.timeoutMs * MAX_WAITING_SHARE;
      return { ...visited, durationMs, ...(isForWaiting && { verdict: VERDICTS.busy }) };
    } finally {
      stay.leave();
    }
  }

  private newVisit(stay: Stay, signal: AbortSignal, noteRead: () => void): Visit {
    const { timeoutMs, options } = this;
    const beforeRedirect = async (url: string, ending: AbortSignal) => {
      const refused = await stay.goTo(hostOf(url) ?? '', ending);
      // That the request has no time left for waiting is not the wish of who probes.
      if (refused !== undefined) throw new NoTurn(refused === 'aborted' && !signal.aborted ? 'busy' : refused);
    };
    return {
      async request(url, request, read) {
        const defaults = { timeoutMs, idleTimeoutMs: timeoutMs, maxBytes: PROBE_LIMITS.maxAnswerBytes, beforeRedirect };
        const answer = await options.fetch.open(
          url,
          { ...defaults, maxRedirects: PROBE_LIMITS.maxRedirects, ...request },
          signal,
        );
        try {
          const askedMs = retryAfterMs(answer.headers.get('retry-after'), POLITENESS_LIMITS.maxHoldOffMs);
          if (answer.status === 429) {
            stay.holdOff(askedMs ?? POLITENESS_LIMITS.defaultHoldOffMs);
            throw new HeldOff();
          }
          if (answer.status === 503 && askedMs !== undefined) stay.holdOff(askedMs);
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
    if (error instanceof NoTurn) return { verdict: unknown(error.reason) };
    if (error instanceof SafeFetchError) return { verdict: VERDICTS[error.code] };
    if (error instanceof HeldOff) return { verdict: unknown('rate_limited') };
    throw error;
  }
}

/** Host and port, by which hosts are told apart; undefined for what is no http(s) URL. */
function hostOf(url: string): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.host === '') return undefined;
  // The same name, written as the end of all names.
  return parsed.host.replace(/\.(?=:\d+$|$)/, '');
}
