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
  /** After how many milliseconds is tried again what came to nothing. */
  againMs(): number;
  /** Milliseconds until work may be taken at all; 0: now. */
  waitMs?(): number;
  /** Does it. Undefined: it came to nothing, and is to be tried again. Rejects with the signal, or for a bug. */
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
  readonly signals: Pick<ChainSignals, 'found' | 'inHand' | 'postponed' | 'fault'>;
  readonly clock: Clock;
  /** While it says so, nothing is taken and nothing is written. */
  isPaused(): boolean;
}

/** Most findings of one commit. */
const MAX_FINDINGS = 100;
/** Most documents in hand, so that with those whose findings wait they never fill all that is looked at for new work. */
const MAX_IN_HAND = MAX_DUE_CHAIN_DOCUMENTS - 2 * MAX_FINDINGS;

const NOTHING: LedgerOutcome = { changes: [], journals: [], drafts: [], ignored: {} as LedgerOutcome['ignored'] };

type Documents = ReadonlyMap<string, ChainDocument>;

/** What came of one document; undefined: nothing. */
interface Finding<R> {
  readonly tokenId: string;
  /** When it was due. */
  readonly dueAt: number | undefined;
  readonly result: R | undefined;
}

/**
 * Does what is due of one chain's agents, several at a time, and writes the findings together, one commit after the
 * other. What is due stays so until its finding is committed: a crash loses nothing but time. What comes to nothing, or stays due
 * in spite of its finding, is put off in the store: it makes room for the others, however much there is of it.
 */
export class OffChainLoop<R> {
  private readonly busy = new Set<string>();
  private working = 0;
  private findings: Finding<R>[] = [];
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
    const concurrency = Math.min(task.concurrency, MAX_IN_HAND);
    const room = Math.min(concurrency - this.working, concurrency + MAX_FINDINGS - this.busy.size);
    if (room <= 0 || options.isPaused() || (task.waitMs?.() ?? 0) > 0) return;
    const due = await options.store.due({
      chainId: options.chainId,
      kind: task.documentKind,
      dueBefore: now,
      // Those in hand are due as well.
      limit: this.busy.size + room,
    });
    const fresh = due.filter((document) => !this.busy.has(tokenIdOf(document)));
    for (const document of fresh.slice(0, room)) void this.do(document, signal);
  }

  private async do(document: ChainDocument, signal: AbortSignal): Promise<void> {
    const tokenId = tokenIdOf(document);
    this.busy.add(tokenId);
    this.count(1);
    try {
      const result = await this.task.work(document, signal).catch((error: unknown) => {
        if (!signal.aborted) this.options.signals.fault(this.task.kind, error);
        return undefined;
      });
      if (signal.aborted) return;
      this.findings.push({ tokenId, dueAt: document.dueAt, result });
      this.writeCall.wake();
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

  private async write(findings: readonly Finding<R>[]): Promise<void> {
    const { task, options } = this;
    const postponed = new Set<string>();
    await options.writer.applyFindings(
      findings.flatMap(({ tokenId }) => [...task.keys(tokenId)]),
      (documents, context) =>
        mergeOutcomes(documents, findings, (now, finding) => {
          const outcome = this.outcomeOf(now, finding, context);
          const late = this.postponementOf(now, finding, outcome, context);
          if (late === undefined) return outcome;
          postponed.add(finding.tokenId);
          return { ...outcome, changes: [...outcome.changes, late] };
        }),
    );
    for (const { tokenId, result } of findings) {
      this.busy.delete(tokenId);
      if (result !== undefined) options.signals.found(task.kind, task.outcomeOf(result));
      if (postponed.has(tokenId)) options.signals.postponed(task.kind);
    }
    this.takeCall.wake();
  }

  private outcomeOf(documents: Documents, { tokenId, result }: Finding<R>, context: LedgerContext): LedgerOutcome {
    return result === undefined ? NOTHING : this.task.apply(documents, tokenId, result, context);
  }

  /** What would be done at once again, and again, is put off; what became due anew meanwhile is something else. */
  private postponementOf(
    documents: Documents,
    { tokenId, dueAt }: Finding<R>,
    { changes }: LedgerOutcome,
    { nowMs }: LedgerContext,
  ): ChainDocumentChange | undefined {
    const key = `${this.task.documentKind}/${tokenId}`;
    const document = documents.get(key);
    if (document?.dueAt === undefined || document.dueAt !== dueAt || changes.some((change) => change.key === key))
      return undefined;
    return { key, value: document.value, dueAt: Math.ceil(nowMs + this.task.againMs()) };
  }

  private count(change: 1 | -1): void {
    this.working += change;
    this.options.signals.inHand(this.task.kind, this.working);
  }
}
