import { setMaxListeners } from 'node:events';
import { SluiceError } from '@sluice/event-log';
import type { RegistrySourceLimits } from '../limits';
import type { RegistrySourceSignals } from '../signals';
import type { Agreement, Answer } from './agreement';
import type { Endpoint } from './endpoint';
import { toRpcFailure, type RpcFailure } from './rpc-failure';
import { quantityOf } from './shapes';
import { pause } from './pause';

/** A question to the endpoints. */
export interface Question<T> {
  /** For error messages and signals: `logs`, `headers`. */
  readonly about: string;
  /** @throws RpcFailure */
  ask(endpoint: Endpoint, signal: AbortSignal): Promise<T>;
  /** What the answers so far are worth; undefined: another endpoint is asked. Given at least as many as have to agree. */
  decide(answers: readonly Answer<T>[]): Agreement<T> | undefined;
  /** Endpoints that do not have this block yet are not asked. */
  readonly reaches?: number;
  /** The larger, the sooner an endpoint is asked. */
  rank?(endpoint: Endpoint): number;
  /** Whoever is outvoted is quarantined: there is no honest way to differ. */
  readonly isSettled: boolean;
}

export interface PoolOptions {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  /** How many have to agree. */
  readonly needed: number;
  readonly limits: RegistrySourceLimits;
  readonly signals: RegistrySourceSignals;
}

interface Fault {
  readonly endpoint: Endpoint;
  readonly failure: RpcFailure;
}

/** Causes that an error names. */
const MAX_CAUSES = 4;

/** The endpoints of a chain: asked in their order, in so many at once as have to agree, others where these fail or differ. */
export class RpcPool {
  readonly needed: number;
  private readonly closing = new AbortController();

  constructor(private readonly options: PoolOptions) {
    this.needed = options.needed;
    // One for each request under way, of which there is a limit.
    setMaxListeners(0, this.closing.signal);
  }

  close(): void {
    this.closing.abort();
  }

  /** How many blocks a request for logs may span at enough endpoints. */
  get blocksPerRequest(): number {
    const ranges = this.options.endpoints.map(({ range }) => range.value).sort((a, b) => b - a);
    return ranges[Math.min(this.needed, ranges.length) - 1] ?? 1;
  }

  /** @throws SluiceError `chain_unavailable` */
  async ask<T>(question: Question<T>, signal?: AbortSignal): Promise<Agreement<T>> {
    const answers: Answer<T>[] = [];
    const faults: Fault[] = [];
    for (let round = 0; round < this.options.limits.maxRounds; round += 1) {
      if (round > 0 && !(await this.untilRested())) break;
      if (question.reaches !== undefined && this.reaching(question.reaches).length < this.needed)
        await this.tellHeads();
      const agreement = await this.askRound(question, answers, faults, signal);
      if (agreement !== undefined) return this.settle(question, agreement);
      // Enough have answered, and differently: asking them again at once would be guessing.
      if (answers.length >= this.needed || this.closing.signal.aborted || signal?.aborted === true) break;
    }
    throw this.unavailable(question.about, answers, faults);
  }

  /**
   * The newest block that enough endpoints say to have, and below it what the others say.
   * @throws SluiceError `chain_unavailable`
   */
  async heads(): Promise<readonly number[]> {
    const faults: Fault[] = [];
    for (let round = 0; round < this.options.limits.maxRounds; round += 1) {
      if (round > 0 && !(await this.untilRested())) break;
      const heads = await this.tellHeads(faults);
      if (heads.length >= this.needed) return heads.sort((a, b) => b - a).slice(this.needed - 1);
    }
    throw this.unavailable('head', [], faults);
  }

  /** Asks all for their head; waits for enough, and a little for the others. */
  private async tellHeads(faults: Fault[] = []): Promise<number[]> {
    const heads: number[] = [];
    const enough = new AbortController();
    const complete = new AbortController();
    const asked = this.awake().map(async (endpoint) => {
      const head = await this.askOne(endpoint, faults, this.closing.signal, async (signal) => {
        await endpoint.ensureChain(signal);
        const query = {
          method: 'eth_blockNumber',
          params: [],
          parse: (value: unknown) => quantityOf(value, 'a block number'),
        };
        return endpoint.call(query, signal);
      });
      if (head === undefined) return;
      endpoint.head = head.value;
      heads.push(head.value);
      if (heads.length >= this.needed) enough.abort();
    });
    void Promise.all(asked).then(() => {
      enough.abort();
      complete.abort();
    });
    // Two requests: the chain's id may have to be asked for first.
    await pause(2 * this.options.limits.requestTimeoutMs, enough.signal);
    await pause(this.options.limits.headGraceMs, complete.signal);
    return [...heads];
  }

  private async askRound<T>(
    question: Question<T>,
    answers: Answer<T>[],
    faults: Fault[],
    outer: AbortSignal | undefined,
  ): Promise<Agreement<T> | undefined> {
    const candidates = this.candidatesFor(question).filter(
      (candidate) => !answers.some((a) => a.endpoint === candidate),
    );
    const givenUp = new AbortController();
    setMaxListeners(0, givenUp.signal);
    const giveUp = (): void => givenUp.abort();
    const signals = outer === undefined ? [this.closing.signal] : [this.closing.signal, outer];
    for (const signal of signals) signal.addEventListener('abort', giveUp, { once: true });
    if (signals.some((signal) => signal.aborted)) giveUp();
    const running = new Map<Endpoint, Promise<void>>();
    const start = (): boolean => {
      const endpoint = candidates.shift();
      if (endpoint === undefined || givenUp.signal.aborted) return false;
      const asked = this.askOne(endpoint, faults, givenUp.signal, async (signal) => {
        await endpoint.ensureChain(signal);
        return question.ask(endpoint, signal);
      });
      running.set(
        endpoint,
        asked.then((answer) => {
          running.delete(endpoint);
          if (answer !== undefined) answers.push({ endpoint, value: answer.value });
        }),
      );
      return true;
    };
    try {
      for (;;) {
        while (answers.length + running.size < this.needed && start());
        if (running.size > 0) await this.untilAnswer(running, start);
        if (answers.length >= this.needed) {
          const agreement = question.decide(answers);
          if (agreement !== undefined) return agreement;
        }
        if (running.size === 0 && !(answers.length + candidates.length >= this.needed && start())) return undefined;
      }
    } finally {
      giveUp();
      for (const signal of signals) signal.removeEventListener('abort', giveUp);
    }
  }

  /** Until one of those that are asked is done. When that takes long, another one is asked beside them. */
  private async untilAnswer(running: ReadonlyMap<Endpoint, Promise<void>>, start: () => boolean): Promise<void> {
    const answered = new AbortController();
    const done = Promise.race(running.values()).then(() => answered.abort());
    await pause(this.options.limits.hedgeAfterMs, answered.signal);
    if (!answered.signal.aborted) {
      const slow = [...running.keys()];
      if (start()) for (const endpoint of slow) endpoint.noteSlow();
    }
    await (answered.signal.aborted ? done : Promise.race(running.values()));
  }

  /** What an endpoint answered; undefined where it failed, which is noted. Never throws. */
  private async askOne<T>(
    endpoint: Endpoint,
    faults: Fault[],
    signal: AbortSignal,
    ask: (signal: AbortSignal) => Promise<T>,
  ): Promise<{ readonly value: T } | undefined> {
    try {
      const value = await ask(signal);
      endpoint.noteSuccess();
      return { value };
    } catch (error) {
      const failure = toRpcFailure(error);
      if (failure.kind !== 'aborted') {
        endpoint.noteFailure(failure);
        faults.push({ endpoint, failure });
      }
      return undefined;
    }
  }

  private settle<T>(question: Question<T>, agreement: Agreement<T>): Agreement<T> {
    for (const { endpoint } of agreement.dissenting) {
      this.options.signals.disagreed({ endpoint: endpoint.label, about: question.about });
      if (question.isSettled) endpoint.quarantine();
    }
    return agreement;
  }

  private awake(): readonly Endpoint[] {
    const now = performance.now();
    return this.options.endpoints.filter(({ restsUntil }) => restsUntil <= now);
  }

  private reaching(number: number): readonly Endpoint[] {
    return this.awake().filter(({ head }) => head >= number);
  }

  private candidatesFor<T>(question: Question<T>): Endpoint[] {
    const candidates = question.reaches === undefined ? this.awake() : this.reaching(question.reaches);
    const rankOf = (endpoint: Endpoint): number => question.rank?.(endpoint) ?? 0;
    // The sort is stable: otherwise they stay in the order of the configuration.
    return [...candidates].sort((a, b) => Number(a.isAskedLast()) - Number(b.isAskedLast()) || rankOf(b) - rankOf(a));
  }

  /** Waits until one endpoint more may be asked. False: that would take too long. */
  private async untilRested(): Promise<boolean> {
    const { backOffBaseMs, maxRoundWaitMs } = this.options.limits;
    const waitMs = Math.max(backOffBaseMs, this.restMs());
    if (waitMs > maxRoundWaitMs || this.closing.signal.aborted) return false;
    await pause(waitMs, this.closing.signal);
    return !this.closing.signal.aborted;
  }

  /** Until as many are awake as have to agree. */
  private restMs(): number {
    const rests = this.options.endpoints.map(({ restsUntil }) => restsUntil).sort((a, b) => a - b);
    return Math.max(0, Math.ceil((rests[this.needed - 1] ?? 0) - performance.now()));
  }

  private unavailable(about: string, answers: readonly Answer<unknown>[], faults: readonly Fault[]): SluiceError {
    const said = answers.map(({ endpoint }) => endpoint.label);
    const why =
      answers.length >= this.needed
        ? `${said.join(', ')} differ`
        : `${said.length} of ${this.needed} needed endpoints answered`;
    const causes = new Set(faults.map(({ endpoint, failure }) => `${endpoint.label}: ${failure.message}`));
    const told = causes.size === 0 ? '' : ` (${[...causes].slice(-MAX_CAUSES).join('; ')})`;
    return new SluiceError('chain_unavailable', `${this.options.name}: no agreed ${about}: ${why}${told}`, {
      cause: faults.at(-1)?.failure,
      retryAfterMs: this.restMs(),
    });
  }
}
