/** Who waits, in one line per caller. The callers have their turns one after the other, however long their lines are. */
export class CallerLines<T> {
  /** None is empty. The first is the line of the caller whose turn it is. */
  private readonly lines = new Map<string, T[]>();

  /** Callers for whom somebody waits. */
  get callers(): number {
    return this.lines.size;
  }

  add(caller: string, item: T): void {
    const line = this.lines.get(caller);
    if (line) line.push(item);
    else this.lines.set(caller, [item]);
  }

  /** Lets `serve` take from the front of the line whose turn it is. Whom it leaves there waits until all others had theirs. */
  serveNext(serve: (line: T[], caller: string) => void): void {
    const [turn] = this.lines;
    if (!turn) return;
    const [caller, line] = turn;
    serve(line, caller);
    this.lines.delete(caller);
    if (line.length > 0) this.lines.set(caller, line);
  }
}
