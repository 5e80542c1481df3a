import { createHash } from 'node:crypto';
import type { BlockHeader, BlockRef, ChainBlock, ChainFact } from '@sluice/agent-registry';
import { SluiceError } from '@sluice/event-log';
import type { HistoryRange, NextBlocks, RegistrySource } from '@sluice/registry-source';

/** A hash made of a name: the same name gives the same hash. */
export function hashOf(name: string): string {
  return `0x${createHash('sha256').update(name).digest('hex')}`;
}

type Distribute<T, K extends string> = T extends unknown ? Omit<T, K> : never;
/** A fact without its place in a block. */
export type Said = Distribute<ChainFact, 'transactionHash' | 'logIndex'> & { readonly tx?: string };

const BLOCK_SECONDS = 12;
const GENESIS_SECONDS = 1_700_000_000;

/** A chain in memory that can be made to say and to take back anything; a source for any number of watchers. */
export class ScriptedChain {
  private blocks: ChainBlock[] = [];
  private branch = 0;
  private readonly listeners = new Set<() => void>();
  /** While set, every question fails. */
  isDown = false;
  /** While set, no question is answered. */
  hangs = false;
  /** When each question came, on the clock of `performance.now()`. */
  readonly askedAtMs: number[] = [];
  /** Most blocks of one range of history. */
  rangeBlocks = 50;

  constructor() {
    this.mine();
  }

  /** The chain as it is, from block 0 on. */
  get all(): readonly ChainBlock[] {
    return this.blocks;
  }

  get head(): BlockHeader {
    return this.at(this.blocks.length - 1);
  }

  get questions(): number {
    return this.askedAtMs.length;
  }

  /** A new block with these facts, each in a transaction of its own unless it names one. */
  mine(...said: Said[]): ChainBlock {
    const number = this.blocks.length;
    const parentHash = this.blocks.at(-1)?.hash ?? hashOf('before genesis');
    const hash = hashOf(`block ${number} behind ${parentHash} of branch ${this.branch} ${JSON.stringify(said)}`);
    const facts: ChainFact[] = said.map(({ tx, ...fact }, logIndex) => ({
      ...fact,
      transactionHash: hashOf(tx ?? `transaction ${JSON.stringify(fact)} ${logIndex}`),
      logIndex,
    }));
    const block: ChainBlock = {
      number,
      hash,
      parentHash,
      timestamp: GENESIS_SECONDS + number * BLOCK_SECONDS,
      facts,
    };
    this.blocks.push(block);
    this.announce();
    return block;
  }

  mineEmpty(count: number): void {
    for (let n = 0; n < count; n++) this.mine();
  }

  /** Takes back the newest blocks and mines others, one with each list of facts. Gives what was taken back. */
  reorg(depth: number, ...replacements: (readonly Said[])[]): readonly ChainBlock[] {
    const gone = this.blocks.splice(this.blocks.length - depth);
    this.branch++;
    for (const said of replacements) this.mine(...said);
    this.announce();
    return gone;
  }

  /** Puts blocks back that were there before. */
  restore(depth: number, blocks: readonly ChainBlock[]): void {
    this.blocks.splice(this.blocks.length - depth);
    this.blocks.push(...blocks);
    this.announce();
  }

  announce(): void {
    for (const listener of this.listeners) listener();
  }

  source(): RegistrySource {
    const closing = new AbortController();
    const ask = async <T>(answer: () => T): Promise<T> => {
      this.askedAtMs.push(performance.now());
      await (this.hangs ? new Promise(() => undefined) : Promise.resolve());
      if (this.isDown || closing.signal.aborted) throw new SluiceError('chain_unavailable', 'The chain is away');
      return answer();
    };
    return {
      head: () => ask(() => this.head),
      header: (number) => ask(() => (number < this.blocks.length ? this.at(number) : undefined)),
      readHistory: (from, upTo) => ask(() => this.readHistory(from, upTo)),
      readNext: (cursor, journaled, upTo, limit) => ask(() => this.readNext(cursor, journaled, upTo, limit)),
      untilNewHead: (signal) =>
        new Promise((resolve) => {
          const end = () => {
            clearTimeout(timer);
            this.listeners.delete(end);
            signal.removeEventListener('abort', end);
            resolve();
          };
          const timer = setTimeout(end, 50);
          this.listeners.add(end);
          signal.addEventListener('abort', end);
        }),
      close: async () => closing.abort(),
    };
  }

  private readHistory(from: number, upTo: number): HistoryRange {
    const to = Math.min(upTo, from + this.rangeBlocks - 1);
    const blocks = this.blocks.slice(from, to + 1).filter(({ facts }) => facts.length > 0);
    return { blocks, first: this.at(from), last: this.at(to) };
  }

  private readNext(cursor: BlockRef, journaled: readonly BlockHeader[], upTo: number, limit: number): NextBlocks {
    const own = this.blocks[cursor.number];
    if (own?.hash === cursor.hash) {
      return { kind: 'blocks', blocks: this.blocks.slice(cursor.number + 1, upTo + 1).slice(0, limit) };
    }
    const [oldest] = journaled;
    const candidates = [
      ...(oldest ? [{ number: oldest.number - 1, hash: oldest.parentHash }] : []),
      ...journaled.map(({ number, hash }) => ({ number, hash })),
    ].filter(({ number }) => own !== undefined || number <= Math.min(upTo, this.head.number));
    const ancestor = candidates.findLast(({ number, hash }) => this.blocks[number]?.hash === hash);
    // A chain that is only shorter may be one that lags.
    if (own === undefined && ancestor?.number === candidates.at(-1)?.number) return { kind: 'blocks', blocks: [] };
    return { kind: 'reorg', ancestor };
  }

  private at(number: number): BlockHeader {
    const block = this.blocks[number];
    if (block === undefined) throw new Error(`no block ${number}`);
    return { number, hash: block.hash, parentHash: block.parentHash, timestamp: block.timestamp };
  }
}
