const FIRST_BLOCKS = 32;
/** Logs are not spread evenly: a range grows by no more than this at once. */
const MAX_GROWTH = 8;

/** How many blocks to read at once, by how many logs the last ones held. */
export class RangeSize {
  private blocks: number;

  constructor(
    private readonly mostBlocks: number,
    private readonly wantedLogs: number,
  ) {
    this.blocks = Math.min(FIRST_BLOCKS, mostBlocks);
  }

  /** `blocksPerRequest`: what enough endpoints take at once. */
  next(blocksPerRequest: number): number {
    return Math.max(1, Math.min(this.blocks, blocksPerRequest, this.mostBlocks));
  }

  /** A range was read; `smallestRequest`: how small requests had to be for it. */
  read(blocks: number, logs: number, smallestRequest: number): void {
    const wanted = Math.floor((blocks * this.wantedLogs) / Math.max(1, logs));
    // What had to be split is not tried again at once.
    const most = smallestRequest < blocks ? smallestRequest : this.mostBlocks;
    this.blocks = Math.max(1, Math.min(wanted, blocks * MAX_GROWTH, most));
  }

  failed(blocks: number): void {
    this.blocks = Math.max(1, Math.min(this.blocks, Math.floor(blocks / 2)));
  }
}
