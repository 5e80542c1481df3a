import {
  MAX_DUE_CHAIN_DOCUMENTS,
  tokenIdOf,
  type ChainDocument,
  type ChainDocumentChange,
  type ChainStore,
  type LedgerContext,
  type LedgerOutcome,
} from '@sluice/agent-registry';
import { WakeUp } from '@sluice/event-log';
import type { Clock } from '../clock';
import { firstOf } from '../pause';
import type { ChainSignals, OffChainKind } from '../signals';
import type { ChainWriter } from './chain-writer';
import { mergeOutcomes } from './merge-outcomes';

/** One kind of work off the chain: what is due of agents, and what comes of it. */
export interface OffChainTask<R> {
  readonly kind: OffChainKind;
  /** Which documents tell what is due. */
  readonly documentKind: 'file' | 'reach' | 'class';
  readonly concurrency: number;
  /** Looked for new work at least this often. */
  readonly pollIntervalMs: number;
  /** Milliseconds until work may be taken at all; 0: now. */
  waitMs?(): number;
  /** Does it. Undefined: there is nothing to be done about the document. Rejects with the signal, or for a bug. */
  work(document: ChainDocument, signal: AbortSignal): Promise<R | undefined>;
  keys(tokenId: string): readonly string[];
  apply(
    documents: ReadonlyMap<string, ChainDocument>,
    tokenId: string,
    result: R,
    context: LedgerContext,
  ): LedgerOutcome;
  /** For the metric: a word out of few. */
  outcomeOf(result: R): string;
}

export interface OffChainLoopOptions {
  readonly chainId: number;
  readonly store: Pick<ChainStore, 'due'>;
  readonly writer: Pick<ChainWriter, 'applyFindings'>;
  readonly signals: Pick<ChainSignals, 'found' | 'inHand' | 'fault'>;
  readonly clock: Clock;
  /** While it says so, nothing is taken and nothing is written. */
  isPaused(): boolean;
}

/** Most findings of one commit. */
const MAX_FINDINGS = 100;
/** What came to nothing is left alone for so long. */
const REST_MS = 5_000;
const MAX_RESTING = 10_000;

/**
 * Does what is due of one chain's agents, several at a time, and writes the findings together, one commit after the
 * other. What is due stays so until its finding is committed: a crash loses nothing but time.
 */
export class OffChainLoop<R> {
  private readonly busy = new Set<string>();
  private working = 0;
  private findings: { readonly tokenId: string; readonly result: R }[] = [];
  private readonly resting = new Map<string, number>();
  private readonly takeCall = new WakeUp();
  private readonly writeCall = new WakeUp();
  private nextDueAt = Infinity;

  constructor(
    private readonly task: OffChainTask<R>,
    private readonly options: OffChainLoopOptions,
  ) {}

  /** Something falls due then. */
  expect(dueAt: number): void {
    // It will be looked for in time anyway.
    if (dueAt >= this.nextDueAt || dueAt > this.options.clock.now() + this.task.pollIntervalMs) return;
    this.nextDueAt = dueAt;
    this.takeCall.wake();
  }

  /** Until the signal; work that goes on is told by it and not waited for. @throws SluiceError of the store */
  async run(signal: AbortSignal): Promise<void> {
    const end = new AbortController();
    const all = firstOf(signal, end.signal);
    all.addEventListener('abort', () => {
      this.takeCall.wake();
      this.writeCall.wake();
    });
    try {
      await Promise.all([this.runTaking(all), this.runWriting(all)]);
    } finally {
      end.abort();
    }
  }

  private async runTaking(signal: AbortSignal): Promise<void> {
    const { pollIntervalMs } = this.task;
    while (!signal.aborted) {
      this.takeCall.reset();
      this.nextDueAt = Infinity;
      await this.takeDue(signal);
      const untilDueMs = Math.max(0, this.nextDueAt - this.options.clock.now());
      if (!signal.aborted) await this.takeCall.sleep(Math.min(pollIntervalMs, untilDueMs));
    }
  }

  private async takeDue(signal: AbortSignal): Promise<void> {
    const { task, options } = this;
    const now = options.clock.now();
    for (const [tokenId, until] of this.resting) if (until <= now) this.resting.delete(tokenId);
    const room = Math.min(task.concurrency - this.working, task.concurrency + MAX_FINDINGS - this.busy.size);
    if (room <= 0 || options.isPaused() || (task.waitMs?.() ?? 0) > 0) return;
    const due = await options.store.due({
      chainId: options.chainId,
      kind: task.documentKind,
      dueBefore: now,
      // Those in hand are due as well.
      limit: Math.min(MAX_DUE_CHAIN_DOCUMENTS, this.busy.size + this.resting.size + room),
    });
    const fresh = due.filter((document) => {
      const tokenId = tokenIdOf(document);
      return !this.busy.has(tokenId) && !this.resting.has(tokenId);
    });
    for (const document of fresh.slice(0, room)) void this.do(document, signal);
  }

  private async do(document: ChainDocument, signal: AbortSignal): Promise<void> {
    const tokenId = tokenIdOf(document);
    this.busy.add(tokenId);
    this.count(1);
    try {
      const result = await this.task.work(document, signal);
      if (signal.aborted) return;
      if (result === undefined) return this.rest(tokenId);
      this.findings.push({ tokenId, result });
      this.writeCall.wake();
    } catch (error) {
      if (signal.aborted) return;
      this.options.signals.fault(this.task.kind, error);
      this.rest(tokenId);
    } finally {
      this.count(-1);
      this.takeCall.wake();
    }
  }

  private async runWriting(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.writeCall.reset();
      const taken = this.options.isPaused() ? [] : this.findings.splice(0, MAX_FINDINGS);
      if (taken.length > 0) await this.write(taken);
      else if (!signal.aborted) await this.writeCall.sleep(this.task.pollIntervalMs);
    }
  }

  private async write(findings: readonly { readonly tokenId: string; readonly result: R }[]): Promise<void> {
    const { task, options } = this;
    const changed = new Set<string>();
    await options.writer.applyFindings(
      findings.flatMap(({ tokenId }) => [...task.keys(tokenId)]),
      (documents, context) =>
        mergeOutcomes(documents, findings, (now, { tokenId, result }) => {
          const outcome = task.apply(now, tokenId, result, context);
          if (outcome.changes.some(({ key }) => isOf(key, task.documentKind, tokenId))) changed.add(tokenId);
          return outcome;
        }),
    );
    for (const { tokenId, result } of findings) {
      options.signals.found(task.kind, task.outcomeOf(result));
      // Still due, though its finding was looked at: it would be done again at once, and again.
      if (changed.has(tokenId)) this.busy.delete(tokenId);
      else this.rest(tokenId);
    }
    this.takeCall.wake();
  }

  private rest(tokenId: string): void {
    this.busy.delete(tokenId);
    if (this.resting.size < MAX_RESTING) this.resting.set(tokenId, this.options.clock.now() + REST_MS);
  }

  private count(change: 1 | -1): void {
    this.working += change;
    this.options.signals.inHand(this.task.kind, this.working);
  }
}

function isOf(key: ChainDocumentChange['key'], kind: string, tokenId: string): boolean {
  return key === `${kind}/${tokenId}`;
}
