import type { BlockHeader, BlockRef, ChainConfig, ChainGrant, ChainHalt, ChainStore } from '@sluice/agent-registry';
import { SluiceError } from '@sluice/event-log';
import type { Clock } from '../clock';
import type { ChainSignals } from '../signals';
import type { ChainWriter } from './chain-writer';
import { SourceFault, type AskedSource } from './source-fault';

export interface ChainReorgsOptions {
  readonly chain: ChainConfig;
  readonly source: Pick<AskedSource, 'header' | 'readNext'>;
  readonly store: Pick<ChainStore, 'journals'>;
  readonly grant: ChainGrant;
  readonly writer: Pick<ChainWriter, 'revert' | 'commit'>;
  readonly signals: Pick<ChainSignals, 'reorganised' | 'halted' | 'resumed' | 'beyondJournals'>;
  readonly clock: Clock;
}

export type Undoing =
  { readonly kind: 'undone'; readonly cursor: BlockRef } | { readonly kind: 'halted'; readonly halt: ChainHalt };

/** Most blocks that one commit undoes: what is in a block is bounded by its chain alone. */
const MAX_REVERTED_BLOCKS = 16;

/**
 * What is done when blocks vanish. Blocks that are not final are undone; a chain of which final ones vanished is halted
 * and nothing of it is changed, until its cursor is back or an operator agrees.
 */
export class ChainReorgs {
  /** The newest block that was final at some time: it does not become less so when the chain gets shorter. */
  private finalNumber = -1;

  constructor(private readonly options: ChainReorgsOptions) {}

  /** Where the chain is, and what can be undone. */
  know(cursor: BlockRef | undefined, journaled: readonly BlockHeader[]): void {
    if (cursor === undefined) return;
    const { delivery, confirmations, startBlock } = this.options.chain;
    const undoable = delivery === 'immediate' ? confirmations : 0;
    const base = baseOf(cursor, journaled);
    // What has no journal was final when it was read, unless it was not read at all.
    this.finalNumber = Math.max(this.finalNumber, cursor.number - undoable, base >= startBlock ? base : -1);
  }

  readFinal({ number }: BlockRef): void {
    this.finalNumber = Math.max(this.finalNumber, number);
  }

  /** The cursor is not on the chain; `ancestor`, of the journaled blocks or the one before them, is. */
  async undo(cursor: BlockRef, journaled: readonly BlockHeader[], ancestor: BlockRef | undefined): Promise<Undoing> {
    const { chain, signals } = this.options;
    const base = baseOf(cursor, journaled);
    const floor = ancestor?.number ?? base;
    signals.reorganised(cursor.number - floor, floor);
    // Where nothing was read below the journals, any block there will do.
    const isKnown = ancestor !== undefined || base < chain.startBlock;
    if (!isKnown || floor < this.finalNumber) return { kind: 'halted', halt: await this.halt(cursor, ancestor) };
    const target = ancestor ?? (await this.blockAt(base));
    await this.revert(cursor, journaled, target, {});
    return { kind: 'undone', cursor: target };
  }

  /** Where a halted chain goes on; undefined while it does not. */
  async lookAtHalted(
    cursor: BlockRef,
    journaled: readonly BlockHeader[],
    accepted: boolean,
  ): Promise<BlockRef | undefined> {
    const { source, writer, signals } = this.options;
    const header = await source.header(cursor.number);
    if (header?.hash === cursor.hash) {
      await writer.commit({ halted: null });
      signals.resumed('healed');
      return cursor;
    }
    if (!accepted) return undefined;
    const next = await source.readNext(cursor, journaled, cursor.number + 1, 1);
    // The endpoints do not reach the cursor yet: it is too early to say what vanished.
    if (next.kind !== 'reorg') return undefined;
    const base = baseOf(cursor, journaled);
    if (next.ancestor === undefined && base >= this.options.chain.startBlock) signals.beyondJournals(base);
    const target = next.ancestor ?? (await this.blockAt(base));
    await this.revert(cursor, journaled, target, { halted: null });
    this.finalNumber = target.number;
    signals.resumed('accepted');
    return target;
  }

  private async halt(cursor: BlockRef, ancestor: BlockRef | undefined): Promise<ChainHalt> {
    const { chain, writer, signals, clock } = this.options;
    const place = ancestor === undefined ? 'below all blocks that can be undone' : `at block ${ancestor.number}`;
    const message =
      `Block ${cursor.number} vanished. The chain as it is parts from it ${place}, and block ${this.finalNumber} was final ` +
      `(${chain.confirmations} confirmations).`;
    const halt: ChainHalt = { reason: 'reorg_beyond_finality', message, haltedAt: clock.now(), cursor };
    await writer.commit({ halted: halt });
    signals.halted(halt);
    return halt;
  }

  /** In parts, the highest first; each leaves what can be gone on from. */
  private async revert(
    cursor: BlockRef,
    journaled: readonly BlockHeader[],
    target: BlockRef,
    last: { readonly halted?: null },
  ): Promise<void> {
    const { store, grant, writer } = this.options;
    const vanished = journaled.filter(({ number }) => number > target.number && number <= cursor.number);
    do {
      const [lowest] = vanished.splice(-MAX_REVERTED_BLOCKS);
      const isLast = vanished.length === 0;
      const below = isLast || lowest === undefined ? target : { number: lowest.number - 1, hash: lowest.parentHash };
      const rest = { cursor: refOf(below), dropJournalsAbove: below.number, ...(isLast && last) };
      if (lowest === undefined) await writer.commit(rest);
      else await writer.revert(await store.journals(grant.chainId, lowest.number - 1), rest);
    } while (vanished.length > 0);
  }

  private async blockAt(number: number): Promise<BlockRef> {
    const header = await this.options.source.header(number);
    if (header === undefined) throw new SourceFault(new SluiceError('chain_unavailable', 'The chain is too short'));
    return refOf(header);
  }
}

/** The block before those that can be undone. */
function baseOf(cursor: BlockRef, journaled: readonly BlockHeader[]): number {
  return (journaled[0]?.number ?? cursor.number + 1) - 1;
}

const refOf = ({ number, hash }: BlockRef): BlockRef => ({ number, hash });
