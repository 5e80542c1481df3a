import { detached } from './detached';
import type { RunDispatch } from './session-state';
import type { ClaimDispatches, ClaimedDispatch, DispatchClaim, DispatchRetry } from './session-store';

interface KeptDispatch {
  readonly dispatchId: number;
  readonly workspaceId: number;
  readonly sessionId: string;
  readonly dispatch: RunDispatch;
  readonly createdAtMs: number;
  attempt: number;
  failures: number;
  failingSinceMs: number | undefined;
  holder: string | undefined;
  /** When it may be claimed: at once, when its claim lapses, or when it is to be tried again. */
  readyAtMs: number;
}

/** What engines are to be told, in the memory of one process. */
export class MemoryDispatches {
  /** In the order of commits. */
  readonly #dispatches = new Map<number, KeptDispatch>();
  #lastId = 0;

  constructor(private readonly now: () => number) {}

  add(workspaceId: number, sessionId: string, dispatch: RunDispatch): void {
    const createdAtMs = this.now();
    const dispatchId = ++this.#lastId;
    this.#dispatches.set(dispatchId, {
      dispatchId,
      workspaceId,
      sessionId,
      dispatch: detached(dispatch),
      createdAtMs,
      attempt: 0,
      failures: 0,
      failingSinceMs: undefined,
      holder: undefined,
      readyAtMs: createdAtMs,
    });
  }

  claim({ holder, leaseMs, limit, except = [] }: ClaimDispatches): readonly ClaimedDispatch[] {
    const now = this.now();
    const ready = this.#oldestOfSessions().filter(
      ({ readyAtMs, dispatchId }) => readyAtMs <= now && !except.includes(dispatchId),
    );
    ready.sort((a, b) => a.readyAtMs - b.readyAtMs || a.dispatchId - b.dispatchId);
    return ready.slice(0, limit).map((kept) => {
      // Who had it neither finished it nor gave it back.
      if (kept.holder !== undefined) countFailure(kept, now);
      kept.attempt += 1;
      kept.holder = holder;
      kept.readyAtMs = now + leaseMs;
      const { dispatchId, workspaceId, sessionId, attempt, failures, failingSinceMs = now, createdAtMs } = kept;
      const failingForMs = now - failingSinceMs;
      const dispatch = detached(kept.dispatch);
      return { dispatchId, holder, workspaceId, sessionId, dispatch, attempt, failures, failingForMs, createdAtMs };
    });
  }

  renew(claim: DispatchClaim, leaseMs: number): boolean {
    const kept = this.#heldBy(claim);
    if (kept) kept.readyAtMs = this.now() + leaseMs;
    return kept !== undefined;
  }

  finish(claim: DispatchClaim): boolean {
    return this.#heldBy(claim) !== undefined && this.#dispatches.delete(claim.dispatchId);
  }

  retry(claim: DispatchClaim, { delayMs, isFailure }: DispatchRetry): boolean {
    const kept = this.#heldBy(claim);
    if (kept) {
      const now = this.now();
      if (isFailure) countFailure(kept, now);
      kept.holder = undefined;
      kept.readyAtMs = now + delayMs;
    }
    return kept !== undefined;
  }

  hasAnyOf(sessionId: string): boolean {
    return this.#oldestOfSessions().some((kept) => kept.sessionId === sessionId);
  }

  #heldBy({ dispatchId, holder, attempt }: DispatchClaim): KeptDispatch | undefined {
    const kept = this.#dispatches.get(dispatchId);
    return kept?.holder === holder && kept.attempt === attempt ? kept : undefined;
  }

  #oldestOfSessions(): KeptDispatch[] {
    const oldest = new Map<string, KeptDispatch>();
    for (const kept of this.#dispatches.values()) {
      if (!oldest.has(kept.sessionId)) oldest.set(kept.sessionId, kept);
    }
    return [...oldest.values()];
  }
}

function countFailure(kept: KeptDispatch, nowMs: number): void {
  kept.failures += 1;
  kept.failingSinceMs ??= nowMs;
}
