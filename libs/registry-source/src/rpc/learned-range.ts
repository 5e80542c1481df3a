/** Requests that use the whole range before a larger one is tried; twice as many after each refusal. */
const FIRST_TRIES = 16;
const MOST_TRIES = 4096;
const GROWTH = 1.25;

/** How many blocks one request for logs may span at an endpoint: what it refused is learned, and tried again only slowly. */
export class LearnedRange {
  private current: number;
  private accepted = 0;
  private triesBeforeGrowth = FIRST_TRIES;

  constructor(private readonly most: number) {
    this.current = most;
  }

  get blocks(): number {
    return this.current;
  }

  /** A request was refused for its blocks. Gives whether less is known to be taken now. */
  refused(blocks: number, maxBlocks: number | undefined): boolean {
    const before = this.current;
    const told = maxBlocks !== undefined && maxBlocks > 0 && maxBlocks < blocks ? maxBlocks : Math.floor(blocks / 2);
    this.current = Math.max(1, Math.min(before, told));
    this.accepted = 0;
    this.triesBeforeGrowth = Math.min(MOST_TRIES, this.triesBeforeGrowth * 2);
    return this.current !== before;
  }

  /** A request was answered. Gives whether more is tried from now on. */
  answered(blocks: number): boolean {
    if (blocks < this.current || this.current >= this.most) return false;
    this.accepted += 1;
    if (this.accepted < this.triesBeforeGrowth) return false;
    this.accepted = 0;
    this.current = Math.min(this.most, Math.ceil(this.current * GROWTH));
    return true;
  }
}
