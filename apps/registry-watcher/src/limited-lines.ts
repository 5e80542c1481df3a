/** A line that goes on is not told more often than this. */
const LINE_INTERVAL_MS = 10_000;

/** The first of equal lines, and then one each interval. There have to be few different ones: all are remembered. */
export class LimitedLines {
  private readonly toldAtMs = new Map<string, number>();

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  mayTell(line: string): boolean {
    const now = this.nowMs();
    if (now - (this.toldAtMs.get(line) ?? -Infinity) < LINE_INTERVAL_MS) return false;
    this.toldAtMs.set(line, now);
    return true;
  }
}
