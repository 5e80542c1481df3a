import type { CommitReceipt, Receipt } from './session-store';

interface KeptReceipt {
  readonly receipt: Receipt;
  readonly takenAtMs: number;
  readonly isUnkeyed: boolean;
  readonly isRetry: boolean;
  isAnswered: boolean;
}

/** Which requests were taken, by their scopes, for as long as the process lives. */
export class MemoryReceipts {
  readonly #scopes = new Map<string, Map<string, KeptReceipt>>();

  constructor(private readonly now: () => number) {}

  find(scope: string, key: string): Receipt | undefined {
    return this.#scopes.get(scope)?.get(key)?.receipt;
  }

  unanswered(scope: string, requestHash: string, maxAgeMs: number): Receipt | undefined {
    return this.#newest(scope, requestHash, maxAgeMs, ({ isAnswered }) => !isAnswered);
  }

  /** The receipt of the same request, under whichever key. */
  earlier(scope: string, { key, requestHash, unkeyed }: CommitReceipt): Receipt | undefined {
    const known = this.find(scope, key);
    if (known || !unkeyed) return known;
    const { isRetry, arrivedMsAgo, repeatableForMs } = unkeyed;
    const retry = this.#newest(scope, requestHash, arrivedMsAgo, (kept) => kept.isRetry);
    return retry ?? (isRetry ? this.unanswered(scope, requestHash, repeatableForMs) : undefined);
  }

  add(scope: string, { key, requestHash, answer, unkeyed }: CommitReceipt): void {
    const receipts = this.#scopes.get(scope) ?? new Map<string, KeptReceipt>();
    this.#scopes.set(scope, receipts);
    receipts.set(key, {
      receipt: { key, requestHash, answer },
      takenAtMs: this.now(),
      isUnkeyed: unkeyed !== undefined,
      isRetry: unkeyed?.isRetry ?? false,
      isAnswered: false,
    });
  }

  markAnswered(scope: string, key: string): void {
    const kept = this.#scopes.get(scope)?.get(key);
    if (kept) kept.isAnswered = true;
  }

  hasAnyOf(scope: string): boolean {
    return this.#scopes.has(scope);
  }

  /** Forgets what was taken until then; gives how much, at most `limit`. */
  forget(untilMs: number, limit: number): number {
    let forgotten = 0;
    for (const [scope, receipts] of this.#scopes) {
      for (const [key, { takenAtMs }] of receipts) {
        if (forgotten === limit) return forgotten;
        if (takenAtMs <= untilMs && receipts.delete(key)) forgotten += 1;
      }
      if (receipts.size === 0) this.#scopes.delete(scope);
    }
    return forgotten;
  }

  #newest(
    scope: string,
    requestHash: string,
    maxAgeMs: number,
    fits: (kept: KeptReceipt) => boolean,
  ): Receipt | undefined {
    const takenAfterMs = this.now() - maxAgeMs;
    return [...(this.#scopes.get(scope)?.values() ?? [])].findLast(
      (kept) =>
        kept.isUnkeyed && kept.receipt.requestHash === requestHash && kept.takenAtMs > takenAfterMs && fits(kept),
    )?.receipt;
  }
}
