import type { Lane, LogRecord } from '../ports/durable-log';

/** One lane of the log in memory: records in order, with holes where some were erased. */
export class MemoryLane {
  private records: LogRecord[] = [];
  private nextIndex = 0;

  constructor(readonly lane: Lane) {}

  get start(): number {
    return this.records[0]?.index ?? this.nextIndex;
  }

  get end(): number {
    return this.nextIndex;
  }

  append(value: Uint8Array): void {
    this.records.push({ lane: this.lane, index: this.nextIndex++, value, appendedAt: Date.now() });
  }

  /** The records at this index and after it. */
  from(index: number): readonly LogRecord[] {
    let [low, high] = [0, this.records.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.records[middle]?.index ?? Infinity) < index) low = middle + 1;
      else high = middle;
    }
    return this.records.slice(low);
  }

  /** Replaces the value of each record below an index, or takes the record out where the answer is undefined. */
  change(below: number, valueOf: (record: LogRecord) => Uint8Array | undefined): void {
    this.records = this.records.flatMap((record) => {
      if (record.index >= below) return record;
      const value = valueOf(record);
      return value === undefined ? [] : { ...record, value };
    });
  }
}
