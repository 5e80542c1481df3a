import type { LogRecord } from '@sluice/event-log';

type Read = (from: number, maxRecords: number) => Promise<readonly LogRecord[]>;

/**
 * Reads on while a follower works: after a full batch the next one is asked for at once, so that in a backlog neither waits
 * for the other. It holds one batch at most. Records change only where
 * they are erased, and followers are past these by then, so a batch that was read early is as good as one read late.
 */
export class ReadAhead {
  private next: { readonly from: number; readonly records: Promise<readonly LogRecord[]> } | undefined;

  constructor(private readonly readNow: Read) {}

  async read(from: number, maxRecords: number): Promise<readonly LogRecord[]> {
    const { next } = this;
    this.next = undefined;
    // Nothing was there, or it could not be read: by now it may be otherwise.
    const early = next?.from === from ? (await next.records).slice(0, maxRecords) : [];
    const records = early.length > 0 ? early : await this.readNow(from, maxRecords);
    if (records.length === maxRecords) this.readOn(from + maxRecords, maxRecords);
    return records;
  }

  private readOn(from: number, maxRecords: number): void {
    this.next = { from, records: this.readNow(from, maxRecords).catch(() => []) };
  }
}
