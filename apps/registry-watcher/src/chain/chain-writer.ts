import {
  applyBlocks,
  encodeDraft,
  keysOfJournals,
  readDocumentsOf,
  revertBlocks,
  type BlockJournal,
  type BlockRef,
  type ChainBlock,
  type ChainCommit,
  type ChainDocument,
  type ChainGrant,
  type ChainStore,
  type FileReading,
  type LedgerContext,
  type LedgerOutcome,
  type RegistryDraft,
} from '@sluice/agent-registry';
import type { EncodedEnvelope } from '@sluice/event-schema';
import type { Clock } from '../clock';
import type { ChainSignals } from '../signals';
import { Mutex } from './mutex';
import type { Outbox } from './outbox';

export interface ChainWriterOptions {
  readonly store: ChainStore;
  readonly grant: ChainGrant;
  readonly outbox: Pick<Outbox, 'offer' | 'untilRoom'>;
  readonly context: Omit<LedgerContext, 'nowMs' | 'files'>;
  readonly clock: Clock;
  readonly signals: Pick<ChainSignals, 'committed' | 'ignored' | 'refusedEvent' | 'reverted'>;
  /** Told when something is to be done about documents of a kind, and from when on. */
  onDue?(kind: string, dueAt: number): void;
  /** Aborted when the session ends: who waits for room is let go, and does nothing. */
  readonly signal: AbortSignal;
}

/** Blocks to be worked off, and where that leads. */
export interface BlocksToWrite {
  readonly blocks: readonly ChainBlock[];
  readonly cursor: BlockRef;
  /** Blocks from this number on get a journal. */
  readonly journalFrom: number;
  readonly dropJournalsUpTo?: number;
  readonly files?: ReadonlyMap<string, FileReading>;
}

/** The documents that are there, the outcome that comes of them. */
type Compute = (documents: ReadonlyMap<string, ChainDocument>, context: LedgerContext) => LedgerOutcome;
type Read = () => Promise<ReadonlyMap<string, ChainDocument>>;

/** Thrown to whoever comes behind a commit of which nobody knows whether it was made. */
export class WriterClosed extends Error {
  override readonly name = 'WriterClosed';
}

/**
 * Changes what is known of a chain: one change after the other, each read, computed and committed as a whole. Events of
 * a commit go to the outbox in the order of the commits. After a commit that failed nothing more is written, as it may
 * have been made: what is known is to be loaded anew.
 */
export class ChainWriter {
  private readonly mutex = new Mutex();
  private isClosed = false;

  constructor(private readonly options: ChainWriterOptions) {}

  /** Works off blocks. Gives the number of events; undefined when the session has ended. @throws SluiceError of the store */
  applyBlocks({ blocks, journalFrom, files, ...rest }: BlocksToWrite): Promise<number | undefined> {
    const { store, grant } = this.options;
    return this.change(
      () => readDocumentsOf(store, grant.chainId, blocks),
      (documents, context) => applyBlocks(documents, blocks, { ...context, ...(files && { files }), journalFrom }),
      rest,
    );
  }

  /** Undoes blocks, of which the highest is the cursor. `journals`: the highest first. @throws SluiceError of the store */
  async revert(
    journals: readonly BlockJournal[],
    rest: Pick<ChainCommit, 'cursor' | 'dropJournalsAbove' | 'halted'>,
  ): Promise<number | undefined> {
    const { store, grant, signals } = this.options;
    const events = await this.change(
      () => store.read(grant.chainId, keysOfJournals(journals)),
      (documents, context) => revertBlocks(documents, journals, context),
      rest,
    );
    if (events !== undefined) signals.reverted(journals.length, events);
    return events;
  }

  /** Writes what was found off the chain. @throws SluiceError of the store */
  applyFindings(keys: readonly string[], compute: Compute): Promise<number | undefined> {
    const { store, grant } = this.options;
    return this.change(() => store.read(grant.chainId, keys), compute, {});
  }

  /** A commit that comes of no ledger. @throws SluiceError of the store */
  commit(commit: Omit<ChainCommit, 'outbox'>): Promise<void> {
    return this.mutex.run(async () => {
      this.requireOpen();
      await this.write(commit, []);
    });
  }

  private async change(read: Read, compute: Compute, rest: ChainCommit): Promise<number | undefined> {
    const { outbox, context, clock, signal } = this.options;
    await outbox.untilRoom(signal);
    return this.mutex.run(async () => {
      if (signal.aborted) return undefined;
      this.requireOpen();
      const documents = await read();
      const outcome = compute(documents, { ...context, nowMs: clock.now() });
      const events = this.encode(outcome.drafts);
      const { changes, journals } = outcome;
      const isNothing = changes.length === 0 && journals.length === 0 && events.length === 0;
      // What is known did not change; there is nothing to be made sure of.
      if (!isNothing || Object.keys(rest).length > 0) await this.write({ ...rest, changes, journals }, events);
      this.options.signals.ignored(outcome.ignored);
      this.tellDue(changes);
      return events.length;
    });
  }

  private async write(commit: ChainCommit, events: readonly EncodedEnvelope[]): Promise<void> {
    const { store, grant, outbox, signals } = this.options;
    const startedAtMs = performance.now();
    try {
      const batchId = await store.commit(grant, { ...commit, outbox: events });
      if (batchId !== undefined) outbox.offer(batchId, events);
    } catch (error) {
      this.isClosed = true;
      throw error;
    }
    signals.committed(events, performance.now() - startedAtMs);
  }

  /** What does not fit its schema is told and left out: one log of a stranger must not stop a chain. */
  private encode(drafts: readonly RegistryDraft[]): EncodedEnvelope[] {
    const events: EncodedEnvelope[] = [];
    for (const draft of drafts) {
      try {
        events.push(encodeDraft(draft));
      } catch (error) {
        this.options.signals.refusedEvent(draft, error);
      }
    }
    return events;
  }

  private tellDue(changes: LedgerOutcome['changes']): void {
    const { onDue } = this.options;
    if (onDue === undefined) return;
    for (const { key, dueAt } of changes) {
      if (dueAt !== undefined) onDue(key.slice(0, key.indexOf('/')), dueAt);
    }
  }

  private requireOpen(): void {
    if (this.isClosed) throw new WriterClosed('A commit before this one failed');
  }
}
