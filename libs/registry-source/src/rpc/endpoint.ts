import type { RegistrySourceLimits } from '../limits';
import type { RegistrySourceSignals, RequestOutcome } from '../signals';
import { HttpTransport } from './http-transport';
import { hiderOf } from './url-secrets';
import { decodeAnswers, encodeCalls, type RpcCall } from './json-rpc';
import { LearnedSize } from './learned-size';
import { isTooMuch, RpcFailure, toRpcFailure } from './rpc-failure';
import { quantityOf } from './shapes';
import { Slots } from './slots';

/** A call, and what its result has to be. `parse` throws RpcFailure `invalid`. */
export interface Query<T> extends RpcCall {
  parse(result: unknown): T;
}

export interface EndpointOptions {
  readonly url: string;
  /** Host and place in the configuration. */
  readonly label: string;
  readonly chainId: number;
  readonly maxBlockRange: number;
  readonly limits: RegistrySourceLimits;
  readonly signals: RegistrySourceSignals;
  readonly fetch: typeof fetch;
}

/** Failures after which an endpoint is left alone for a while. The others are about the question, not the endpoint. */
const BACK_OFF_AFTER: ReadonlySet<RequestOutcome> = new Set([
  'rate_limited',
  'timeout',
  'unavailable',
  'invalid',
  'too_large',
]);

const MAX_DOUBLINGS = 16;

/** One RPC endpoint: its requests, and what was learned of its limits and its health. */
export class Endpoint {
  readonly label: string;
  /** Blocks of one request for logs. */
  readonly range: LearnedSize;
  /** The newest block it told of. */
  head = -1;
  private readonly transport: HttpTransport;
  private readonly hide: (text: string) => string;
  private readonly slots: Slots;
  private readonly batch: LearnedSize;
  private failuresInRow = 0;
  private pausedUntil = 0;
  private suspectUntil = 0;
  private slowUntil = 0;
  private lastQuarantineMs = 0;
  private excludedUntil = 0;
  private onRightChain = false;

  constructor(private readonly options: EndpointOptions) {
    const { limits, url, fetch } = options;
    this.label = options.label;
    this.hide = hiderOf(url);
    this.transport = new HttpTransport({
      url,
      requestTimeoutMs: limits.requestTimeoutMs,
      maxResponseBytes: limits.maxResponseBytes,
      fetch,
    });
    this.slots = new Slots(limits.maxConcurrentRequests);
    this.batch = new LearnedSize(limits.maxBatchCalls);
    this.range = new LearnedSize(options.maxBlockRange);
  }

  /** Until when it is not asked: milliseconds of `performance.now()`. */
  get restsUntil(): number {
    return Math.max(this.pausedUntil, this.excludedUntil);
  }

  /** It was outvoted, or slow, not long ago: the others are asked first. */
  isAskedLast(): boolean {
    return Math.max(this.suspectUntil, this.slowUntil) > performance.now();
  }

  /** Another one had to be asked because this one took its time. */
  noteSlow(): void {
    this.slowUntil = performance.now() + this.options.limits.quarantineMs;
  }

  noteSuccess(): void {
    this.failuresInRow = 0;
  }

  noteFailure(failure: RpcFailure): void {
    if (!BACK_OFF_AFTER.has(failure.kind)) return;
    const { backOffBaseMs, backOffMaxMs } = this.options.limits;
    const doubled = backOffBaseMs * 2 ** Math.min(this.failuresInRow, MAX_DOUBLINGS);
    const jitter = 0.75 + Math.random() / 2;
    this.failuresInRow += 1;
    // It may be another machine, even of another chain, that answers next.
    this.onRightChain = false;
    this.pausedUntil =
      performance.now() + Math.max(failure.retryAfterMs ?? 0, Math.min(backOffMaxMs, doubled) * jitter);
  }

  quarantine(): void {
    const { quarantineMs, quarantineMaxMs } = this.options.limits;
    const recently = performance.now() < this.suspectUntil + this.lastQuarantineMs;
    this.lastQuarantineMs = recently ? Math.min(quarantineMaxMs, 2 * this.lastQuarantineMs) : quarantineMs;
    this.suspectUntil = performance.now() + this.lastQuarantineMs;
    this.options.signals.quarantined({ endpoint: this.label, forMs: this.lastQuarantineMs });
  }

  /** Makes sure that the endpoint belongs to the chain. @throws RpcFailure */
  async ensureChain(signal: AbortSignal): Promise<void> {
    if (this.onRightChain) return;
    const told = await this.call(
      { method: 'eth_chainId', params: [], parse: (id) => quantityOf(id, 'a chain id') },
      signal,
    );
    if (told !== this.options.chainId) {
      this.excludedUntil = performance.now() + this.options.limits.quarantineMaxMs;
      this.options.signals.wrongChain({ endpoint: this.label, chainId: String(told) });
      throw new RpcFailure('refused', `the endpoint belongs to chain ${told}`);
    }
    this.onRightChain = true;
  }

  /** @throws RpcFailure */
  async call<T>(query: Query<T>, signal: AbortSignal): Promise<T> {
    const [answer] = await this.send([query], signal);
    if (answer === undefined) throw new RpcFailure('invalid', 'no answer');
    if (answer instanceof RpcFailure) throw answer;
    return answer.value;
  }

  /** The results of all queries, in as few requests as the endpoint's limits allow. @throws RpcFailure the first one there is */
  async all<T>(queries: readonly Query<T>[], signal: AbortSignal): Promise<T[]> {
    return (await this.each(queries, signal)).map((answer) => {
      if (answer instanceof RpcFailure) throw answer;
      return answer.value;
    });
  }

  /**
   * What each query gave; `limit` or `too_large` for one whose answer is too large even alone.
   * @throws RpcFailure where a whole request failed otherwise
   */
  async each<T>(queries: readonly Query<T>[], signal: AbortSignal): Promise<(RpcFailure | { readonly value: T })[]> {
    const size = this.batch.value;
    if (queries.length > size && !this.batch.isProven) {
      // One batch tries whether so many are taken; the others wait for what it learns.
      const first = await this.chunk(queries.slice(0, size), signal);
      return [...first, ...(await this.each(queries.slice(size), signal))];
    }
    const chunks: (readonly Query<T>[])[] = [];
    for (let at = 0; at < queries.length; at += size) chunks.push(queries.slice(at, at + size));
    return (await Promise.all(chunks.map((chunk) => this.chunk(chunk, signal)))).flat();
  }

  private async chunk<T>(
    chunk: readonly Query<T>[],
    signal: AbortSignal,
  ): Promise<(RpcFailure | { readonly value: T })[]> {
    try {
      const answers = await this.send(chunk, signal);
      this.batch.answered(chunk.length);
      return answers;
    } catch (error) {
      const failure = toRpcFailure(error);
      if (chunk.length === 1 && isTooMuch(failure)) return [failure];
      if (chunk.length === 1 || !(isTooMuch(failure) || failure.kind === 'refused')) throw failure;
      this.batch.refused(chunk.length);
      return this.each(chunk, signal);
    }
  }

  private async send<T>(
    queries: readonly Query<T>[],
    signal: AbortSignal,
  ): Promise<(RpcFailure | { readonly value: T })[]> {
    return this.slots.run(async () => {
      const startedAt = performance.now();
      let outcome: RequestOutcome = 'ok';
      try {
        const answers = decodeAnswers(queries, await this.transport.post(encodeCalls(queries), signal), this.hide);
        const results = queries.map((query, place) => resultOf(query, answers[place]));
        outcome = results.find((result): result is RpcFailure => result instanceof RpcFailure)?.kind ?? 'ok';
        return results;
      } catch (error) {
        const failure = toRpcFailure(error);
        outcome = failure.kind;
        throw failure;
      } finally {
        const method = queries.length === 1 ? (queries[0]?.method ?? 'batch') : 'batch';
        this.options.signals.requested({
          endpoint: this.label,
          method,
          outcome,
          durationMs: performance.now() - startedAt,
        });
      }
    });
  }
}

function resultOf<T>(
  query: Query<T>,
  answer: RpcFailure | { readonly result: unknown } | undefined,
): RpcFailure | { readonly value: T } {
  if (answer === undefined) return new RpcFailure('invalid', 'no answer');
  if (answer instanceof RpcFailure) return answer;
  try {
    return { value: query.parse(answer.result) };
  } catch (error) {
    return toRpcFailure(error);
  }
}
