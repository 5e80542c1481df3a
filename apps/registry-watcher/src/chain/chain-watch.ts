import type {
  BlockHeader,
  BlockRef,
  ChainConfig,
  ChainGrant,
  ChainHalt,
  ChainState,
  ChainStore,
} from '@sluice/agent-registry';
import { SluiceError } from '@sluice/event-log';
import type { HistoryRange } from '@sluice/registry-source';
import type { Clock } from '../clock';
import { BackOff, pause } from '../pause';
import type { ChainSignals } from '../signals';
import type { ChainProgress } from './chain-progress';
import { ChainReorgs } from './chain-reorgs';
import { HISTORY_PART_LIMITS, LIVE_PART_LIMITS, partOf } from './commit-part';
import { SourceFault, type AskedSource } from './source-fault';
import type { ChainWriter } from './chain-writer';
import type { FileReads } from './file-reads';

export interface ChainWatchOptions {
  readonly chain: ChainConfig;
  readonly source: AskedSource;
  readonly store: Pick<ChainStore, 'load' | 'journals'>;
  readonly grant: ChainGrant;
  readonly writer: ChainWriter;
  readonly files: Pick<FileReads, 'readAhead'>;
  readonly progress: ChainProgress;
  readonly signals: ChainSignals;
  readonly clock: Clock;
  /** How often a halted chain is looked at; default 5 s. */
  readonly haltedLookMs?: number;
}

/** Most blocks of one commit at the head. */
const MAX_LIVE_BLOCKS = 64;
const HALTED_LOOK_MS = 5_000;
const SOURCE_RETRY_DELAY = { firstMs: 100, maximumMs: 15_000 };

/**
 * The loop of one chain: reads what is final in ranges, then block by block, undoes what vanished, and halts when what
 * was final vanished. Faults of the source are waited out; those of the store end it.
 */
export class ChainWatch {
  private cursor: BlockRef | undefined;
  private journaled: readonly BlockHeader[] = [];
  private halt: ChainHalt | undefined;
  private readonly reorgs: ChainReorgs;
  private readonly backOff = new BackOff(SOURCE_RETRY_DELAY);
  /** Where a journal is kept from: this many blocks below the newest one. */
  private readonly window: number;

  constructor(private readonly options: ChainWatchOptions) {
    this.window = journalWindow(options.chain);
    this.reorgs = new ChainReorgs(options);
  }

  /** Nothing of the chain is changed at present. */
  get isHalted(): boolean {
    return this.halt !== undefined;
  }

  get block(): number | undefined {
    return this.cursor?.number;
  }

  /** Until the signal. @throws SluiceError of the store */
  async run(signal: AbortSignal): Promise<void> {
    const { store, grant, progress, signals } = this.options;
    this.take(await store.load(grant));
    progress.started(this.cursor);
    if (this.halt) signals.halted(this.halt);
    while (!signal.aborted) {
      try {
        const hasMore = this.halt ? await this.lookAtHalted() : await this.step(signal);
        this.backOff.succeeded();
        if (this.cursor === undefined && !this.halt) this.tellWait();
        else if (progress.recovered()) signals.recovered('source');
        if (!hasMore && !signal.aborted) await this.untilMore(signal);
      } catch (error) {
        if (!(error instanceof SourceFault)) throw error;
        if (signal.aborted) return;
        progress.failed(error.cause);
        signals.fault('source', error.cause);
        await this.backOff.wait(signal);
      }
    }
  }

  private take({ cursor, journaled, halted }: ChainState): void {
    this.cursor = cursor;
    this.journaled = journaled;
    this.halt = halted;
    this.reorgs.know(cursor, journaled);
  }

  private async untilMore(signal: AbortSignal): Promise<void> {
    const { source, haltedLookMs = HALTED_LOOK_MS } = this.options;
    if (this.halt) await pause(haltedLookMs, signal);
    else await source.untilNewHead(signal);
  }

  /** One piece of work. @returns whether there is more at once */
  private async step(signal: AbortSignal): Promise<boolean> {
    const { chain, source, progress } = this.options;
    const head = await source.head();
    const target = chain.delivery === 'confirmed' ? head.number - chain.confirmations : head.number;
    progress.saw(head.number, target);
    const cursor = this.cursor ?? (await this.findBase(target));
    if (cursor === undefined) return false;
    const historyEnd = target - this.window;
    if (cursor.number < historyEnd) return this.readHistory(cursor, historyEnd, signal);
    if (target - cursor.number <= MAX_LIVE_BLOCKS) this.enter('live');
    if (cursor.number >= target) return this.lookBack(cursor, target, head);
    return this.readNext(cursor, target);
  }

  /** The block before the first one; undefined while the chain is not that long. */
  private async findBase(target: number): Promise<BlockRef | undefined> {
    const { chain, source, writer, progress } = this.options;
    const number = Math.max(0, chain.startBlock - 1);
    if (target < number) return undefined;
    const header = await source.header(number);
    if (header === undefined) return undefined;
    const base = { number, hash: header.hash };
    await writer.commit({ cursor: base });
    this.cursor = base;
    this.reorgs.know(base, []);
    progress.started(base);
    return base;
  }

  /** Nothing was read, because the chain is not long enough: told once, and shown for as long as it is so. */
  private tellWait(): void {
    const { chain, progress, signals } = this.options;
    const final = chain.delivery === 'confirmed' ? ' final' : '';
    const message = `There is no${final} block before startBlock ${chain.startBlock} yet: the chain is not that long`;
    const wait = new SluiceError('not_found', message);
    if (progress.failed(wait)) signals.fault('source', wait);
  }

  /** Final blocks, in ranges: the next one is fetched while one is worked off. */
  private async readHistory(from: BlockRef, upTo: number, signal: AbortSignal): Promise<boolean> {
    const { writer, progress } = this.options;
    this.enter('backfill');
    let before = from;
    let next = this.fetch(from.number + 1, upTo);
    while (!signal.aborted) {
      const { blocks, first, last } = await next;
      if (first.parentHash !== before.hash) return this.askAgain(before, upTo);
      const isLast = last.number >= upTo;
      if (!isLast) next = this.fetch(last.number + 1, upTo);
      for (let rest = blocks, isEnd = false; !isEnd;) {
        const part = partOf(rest, HISTORY_PART_LIMITS);
        rest = rest.slice(part.length);
        isEnd = rest.length === 0;
        const { number, hash, timestamp } = isEnd ? last : (part.at(-1) ?? last);
        const cursor = { number, hash };
        const events = await writer.applyBlocks({
          blocks: part,
          cursor,
          journalFrom: Number.MAX_SAFE_INTEGER,
          dropJournalsUpTo: number,
        });
        if (events === undefined) return false;
        this.cursor = before = cursor;
        this.journaled = [];
        this.reorgs.readFinal(cursor);
        progress.moved(cursor, events, timestamp);
      }
      if (isLast) break;
    }
    return true;
  }

  /** History does not begin where the cursor is. @throws SourceFault when the endpoints do not agree about that */
  private async askAgain(cursor: BlockRef, upTo: number): Promise<boolean> {
    const next = await this.options.source.readNext(cursor, this.journaled, upTo, 1);
    if (next.kind === 'reorg') return this.undo(cursor, next.ancestor);
    throw new SourceFault(new SluiceError('chain_unavailable', 'The endpoints disagree about the block of the cursor'));
  }

  private fetch(from: number, upTo: number): Promise<HistoryRange> {
    const range = this.options.source.readHistory(from, upTo);
    // Awaited when its turn comes, or never, when something else failed before.
    range.catch(() => undefined);
    return range;
  }

  /** All blocks behind the cursor, which may vanish again. */
  private async readNext(cursor: BlockRef, target: number): Promise<boolean> {
    const { source, writer, files, progress } = this.options;
    const next = await source.readNext(cursor, this.journaled, target, MAX_LIVE_BLOCKS);
    if (next.kind === 'reorg') return this.undo(cursor, next.ancestor);
    const blocks = partOf(next.blocks, LIVE_PART_LIMITS);
    const last = blocks.at(-1);
    if (last === undefined) return false;
    const read = await files.readAhead(blocks);
    const written = { number: last.number, hash: last.hash };
    const dropJournalsUpTo = last.number - this.window;
    const events = await writer.applyBlocks({
      blocks,
      cursor: written,
      journalFrom: dropJournalsUpTo + 1,
      dropJournalsUpTo,
      files: read,
    });
    if (events === undefined) return false;
    this.cursor = written;
    this.journaled = [...this.journaled, ...blocks.map(headerOf)].filter(({ number }) => number > dropJournalsUpTo);
    this.reorgs.know(written, this.journaled);
    progress.moved(written, events, last.timestamp);
    return last.number < target;
  }

  /** There is nothing new; is what is known still true? */
  private async lookBack(cursor: BlockRef, target: number, head: BlockHeader): Promise<boolean> {
    if (head.number === cursor.number && head.hash === cursor.hash) return false;
    const { source } = this.options;
    const isShorter = head.number < cursor.number;
    if (isShorter) {
      // It may be that endpoints lag. Only another block in the place of one that was read tells that it vanished.
      const read = this.journaled.find(({ number }) => number === head.number);
      if (read === undefined || read.hash === head.hash) return false;
    } else {
      const header = await source.header(cursor.number);
      if (header === undefined || header.hash === cursor.hash) return false;
    }
    const upTo = isShorter ? head.number : Math.max(target, cursor.number + 1);
    const next = await source.readNext(cursor, this.journaled, upTo, 1);
    return next.kind === 'reorg' && this.undo(cursor, next.ancestor);
  }

  private async undo(cursor: BlockRef, ancestor: BlockRef | undefined): Promise<boolean> {
    const outcome = await this.reorgs.undo(cursor, this.journaled, ancestor);
    if (outcome.kind === 'halted') this.halt = outcome.halt;
    else this.settleAt(outcome.cursor);
    return outcome.kind === 'undone';
  }

  private settleAt(cursor: BlockRef): void {
    this.cursor = cursor;
    this.journaled = this.journaled.filter(({ number }) => number <= cursor.number);
    this.options.progress.started(cursor);
  }

  /** Whether it healed, or an operator agreed. */
  private async lookAtHalted(): Promise<boolean> {
    const { store, grant } = this.options;
    const state = await store.load(grant);
    this.take(state);
    const { cursor, journaled, halted } = state;
    if (halted === undefined || cursor === undefined) return true;
    const outcome = await this.reorgs.lookAtHalted(cursor, journaled, state.acceptsDeepReorg);
    if (outcome === undefined) return false;
    this.halt = undefined;
    this.settleAt(outcome);
    return true;
  }

  private enter(phase: 'backfill' | 'live'): void {
    this.options.progress.entered(phase);
  }
}

function journalWindow({ delivery, confirmations }: ChainConfig): number {
  return Math.max(delivery === 'immediate' ? 4 * confirmations : confirmations, 64);
}

function headerOf({ number, hash, parentHash, timestamp }: BlockHeader): BlockHeader {
  return { number, hash, parentHash, timestamp };
}
