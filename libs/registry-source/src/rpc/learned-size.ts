/** Requests of the whole size before a larger one is tried; twice as many after each refusal. */
const FIRST_TRIES = 16;
const MOST_TRIES = 4096;
const GROWTH = 1.25;

/**
 * How large a request may be at an endpoint, as the blocks of a request for logs or the calls of a batch: what it refused is
 * learned, and tried again only slowly.
 */
export class LearnedSize {
  private current: number;
  private accepted = 0;
  private largestAnswered = 0;
  private triesBeforeGrowth = FIRST_TRIES;

  constructor(private readonly most: number) {
    this.current = most;
  }

  get value(): number {
    return this.current;
  }

  /** A request of the whole size was answered. */
  get isProven(): boolean {
    return this.largestAnswered >= this.current;
  }

  /** A request was refused for its size; `told` where the endpoint said what it takes. Gives whether less is tried from now on. */
  refused(size: number, told?: number): boolean {
    const before = this.current;
    // It was under way when less was learned.
    if (size > before) return false;
    const smaller = told !== undefined && told > 0 && told < size ? told : Math.floor(size / 2);
    this.current = Math.max(1, Math.min(before, smaller));
    this.largestAnswered = Math.min(this.largestAnswered, size - 1);
    this.accepted = 0;
    this.triesBeforeGrowth = Math.min(MOST_TRIES, this.triesBeforeGrowth * 2);
    return this.current !== before;
  }

  /** A request was answered. Gives whether more is tried from now on. */
  answered(size: number): boolean {
    this.largestAnswered = Math.max(this.largestAnswered, size);
    if (size < this.current || this.current >= this.most) return false;
    this.accepted += 1;
    if (this.accepted < this.triesBeforeGrowth) return false;
    this.accepted = 0;
    this.current = Math.min(this.most, Math.ceil(this.current * GROWTH));
    return true;
  }
}
