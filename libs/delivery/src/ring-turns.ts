import { CallerLines } from './caller-lines';

/** Who looks through the ring for what it wants. */
export interface RingReader {
  /** For whom it reads. */
  readonly caller: string;
  /** Events of the ring that it has not looked at; 0 when it does not want to any more. */
  readonly behind: number;
  /** It may look at some of them, in this turn of the event loop. */
  turnCame(): void;
}

/**
 * How many events of the ring are looked at in one turn of the event loop, by all readers together: a look costs time also
 * where nothing matches. While nobody waits, who comes first may look. As soon as somebody does, the callers whose readers
 * wait have equal shares of each turn.
 */
export class RingTurns {
  private readonly lines = new CallerLines<RingReader>();
  private readonly waiting = new Set<RingReader>();
  /** What those whose turn it is may still look at. It lapses with the turn. */
  private readonly granted = new Map<RingReader, number>();
  /** What nobody has been granted in this turn. */
  private spare: number;
  private nextIsRequested = false;

  constructor(
    private readonly eventsPerTurn: number,
    private readonly leastShare: number,
  ) {
    this.spare = eventsPerTurn;
  }

  /** How many events the reader may look at now. If it is 0 the reader waits, and is told when its turn has come. */
  allowance(reader: RingReader): number {
    const granted = this.granted.get(reader);
    if (granted) return granted;
    if (this.spare > 0 && this.lines.callers === 0) return this.spare;
    if (!this.waiting.has(reader)) {
      this.waiting.add(reader);
      this.lines.add(reader.caller, reader);
    }
    this.requestNext();
    return 0;
  }

  /** Notes that the reader has looked at so many, which it was allowed to. */
  looked(reader: RingReader, events: number): void {
    const granted = this.granted.get(reader);
    if (granted) this.granted.set(reader, granted - events);
    else this.spare -= events;
    this.requestNext();
  }

  private requestNext(): void {
    if (this.nextIsRequested) return;
    this.nextIsRequested = true;
    setImmediate(() => this.begin());
  }

  private begin(): void {
    this.nextIsRequested = false;
    this.granted.clear();
    this.spare = this.eventsPerTurn;
    const share = Math.max(this.leastShare, Math.floor(this.eventsPerTurn / this.lines.callers));
    while (this.spare > 0 && this.lines.callers > 0) this.grantNextCaller(Math.min(share, this.spare));
    // What is granted or noted lapses at the end of this turn.
    if (this.granted.size > 0) this.requestNext();
    for (const reader of this.granted.keys()) reader.turnCame();
  }

  private grantNextCaller(share: number): void {
    this.lines.serveNext((line) => {
      for (let left = share; left > 0;) {
        const reader = line.shift();
        if (!reader) return;
        this.waiting.delete(reader);
        const events = Math.min(left, reader.behind);
        if (events === 0) continue;
        this.granted.set(reader, events);
        this.spare -= events;
        left -= events;
      }
    });
  }
}
