import type { CommitReceipt, Receipt, SessionStore } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';

/** How long a request that was not answered may be repeated: longer than a client of the SDK waits for an answer. */
const REPEATABLE_FOR_MS = 900_000;

/** Of a request without a key of its caller's own. */
export interface UnkeyedCall {
  /** The caller says that it sent this before. */
  readonly isRetry: boolean;
  /** When it came, by `performance.now()`. */
  readonly arrivedAtMs: number;
  /** Has `then` called when the caller was answered well; never when its connection broke before. */
  onAnswered(then: () => void): void;
}

/** By what a request is known when it comes again. */
export interface CommandReceipt {
  readonly key: string;
  readonly requestHash: string;
  /** Within what it is looked for; its session by default. */
  readonly scope?: string;
  /** Without a key of the caller's own: it is the same request only until it was answered. */
  readonly unkeyed?: UnkeyedCall;
}

/** What a request did, as its receipt has it. */
export interface ReceiptAnswer {
  readonly sessionId: string;
  readonly eventIds: readonly string[];
  /** What it made beside events. */
  readonly subject?: string;
}

/** The receipt of a call on a session. */
export interface ReceivedCall {
  readonly sessionId: string;
  readonly receipt?: CommandReceipt | undefined;
}

/** Looks up which requests were taken, and notes which of them were answered. */
export class CommandReceipts {
  constructor(
    private readonly store: Pick<SessionStore, 'receipt' | 'unansweredReceipt' | 'markAnswered'>,
    private readonly onFault: (error: unknown) => void,
  ) {}

  /**
   * That the same request was taken, if it is known before it is decided.
   * @throws SluiceError `idempotency_conflict`, `read_model_unavailable`
   */
  async earlier({ sessionId, receipt }: ReceivedCall): Promise<Receipt | undefined> {
    if (receipt === undefined) return undefined;
    const { key, requestHash, unkeyed, scope = sessionId } = receipt;
    if (unkeyed === undefined) {
      const found = await this.store.receipt(scope, key);
      if (found) requireSame(found, receipt);
      return found;
    }
    return unkeyed.isRetry ? this.store.unansweredReceipt(scope, requestHash, REPEATABLE_FOR_MS) : undefined;
  }

  /**
   * Once the caller is answered: what it sends from now on is another request. What follows from a mark that is missing: for
   * a time a repetition of an answered request would be taken for it.
   */
  markWhenAnswered({ sessionId, receipt }: ReceivedCall, key = receipt?.key): void {
    if (key === undefined) return;
    const { scope = sessionId, unkeyed } = receipt ?? {};
    unkeyed?.onAnswered(() => {
      this.store.markAnswered(scope, key).catch(this.onFault);
    });
  }
}

/** As it is stored with what the request does. */
export function toCommitReceipt(receipt: CommandReceipt, answer: ReceiptAnswer): CommitReceipt {
  const { key, requestHash, scope, unkeyed } = receipt;
  return {
    key,
    requestHash,
    answer: JSON.stringify(answer),
    ...(scope !== undefined && { scope }),
    ...(unkeyed !== undefined && {
      unkeyed: {
        isRetry: unkeyed.isRetry,
        arrivedMsAgo: performance.now() - unkeyed.arrivedAtMs,
        repeatableForMs: REPEATABLE_FOR_MS,
      },
    }),
  };
}

export function toAnswer(receipt: Receipt): ReceiptAnswer {
  return JSON.parse(receipt.answer) as ReceiptAnswer;
}

/** @throws SluiceError `idempotency_conflict` */
export function requireSame(earlier: Receipt, receipt: CommandReceipt | undefined): void {
  if (earlier.requestHash === receipt?.requestHash) return;
  const where = 'headers.idempotency-key';
  throw new SluiceError('idempotency_conflict', `${where}: this key was used for another request`, { where });
}
