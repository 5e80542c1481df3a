import { detached } from './detached';
import type { RunDispatch } from './session-state';
import type { ClaimDispatches, ClaimedDispatch } from './session-store';

interface KeptDispatch {
  readonly dispatchId: number;
  readonly workspaceId: number;
  readonly sessionId: string;
  readonly dispatch: RunDispatch;
  readonly createdAtMs: number;
  attempt: number;
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
      holder: undefined,
      readyAtMs: createdAtMs,
    });
  }

  claim({ holder, leaseMs, limit }: ClaimDispatches): readonly ClaimedDispatch[] {
    const now = this.now();
    const ready = this.#oldestOfSessions().filter(({ readyAtMs }) => readyAtMs <= now);
    ready.sort((a, b) => a.readyAtMs - b.readyAtMs || a.dispatchId - b.dispatchId);
    return ready.slice(0, limit).map((kept) => {
      kept.attempt += 1;
      kept.holder = holder;
      kept.readyAtMs = now + leaseMs;
      const { dispatchId, workspaceId, sessionId, attempt, createdAtMs } = kept;
      return { dispatchId, workspaceId, sessionId, dispatch: detached(kept.dispatch), attempt, createdAtMs };
    });
  }

  renew(dispatchId: number, holder: string, leaseMs: number): boolean {
    const kept = this.#heldBy(dispatchId, holder);
    if (kept) kept.readyAtMs = this.now() + leaseMs;
    return kept !== undefined;
  }

  finish(dispatchId: number, holder: string): boolean {
    return this.#heldBy(dispatchId, holder) !== undefined && this.#dispatches.delete(dispatchId);
  }

  retry(dispatchId: number, holder: string, delayMs: number): boolean {
    const kept = this.#heldBy(dispatchId, holder);
    if (kept) {
      kept.holder = undefined;
      kept.readyAtMs = this.now() + delayMs;
    }
    return kept !== undefined;
  }

  hasAnyOf(sessionId: string): boolean {
    return this.#oldestOfSessions().some((kept) => kept.sessionId === sessionId);
  }

  #heldBy(dispatchId: number, holder: string): KeptDispatch | undefined {
    const kept = this.#dispatches.get(dispatchId);
    return kept?.holder === holder ? kept : undefined;
  }

  #oldestOfSessions(): KeptDispatch[] {
    const oldest = new Map<string, KeptDispatch>();
    for (const kept of this.#dispatches.values()) {
      if (!oldest.has(kept.sessionId)) oldest.set(kept.sessionId, kept);
    }
    return [...oldest.values()];
  }
}
