import type { Lane } from '../ports/durable-log';
import type { ParkedRecord, ParkedRecords, StoredParkedRecord } from '../ports/read-model';

/** ParkedRecords in memory. The same record of the log is kept once. */
export class MemoryParkedRecords implements ParkedRecords {
  private records: StoredParkedRecord[] = [];
  private lastId = 0;

  add(parked: readonly ParkedRecord[]): void {
    for (const record of parked) {
      if (this.records.some(({ lane, index }) => lane === record.lane && index === record.index)) continue;
      this.records.push({ ...record, parkedId: ++this.lastId, parkedAt: Date.now() });
    }
  }

  /** What a rebuild parked anew, with new ids and with what became of it before. */
  replaceBy(parked: readonly ParkedRecord[]): void {
    const before = this.records;
    this.records = [];
    this.lastId = 0;
    this.add(parked);
    this.records = this.records.map((record) => {
      const known = before.find(({ lane, index }) => lane === record.lane && index === record.index);
      if (!known) return record;
      const { parkedAt, replayedAt } = known;
      return { ...record, parkedAt, ...(replayedAt === undefined ? {} : { replayedAt }) };
    });
  }

  /** How many there were. */
  removeWhere(condition: (record: StoredParkedRecord) => boolean): number {
    const before = this.records.length;
    this.records = this.records.filter((record) => !condition(record));
    return before - this.records.length;
  }

  has(lane: Lane, index: number): boolean {
    return this.records.some((record) => record.lane === lane && record.index === index);
  }

  async count(): Promise<number> {
    return this.records.filter(({ replayedAt }) => replayedAt === undefined).length;
  }

  async list(options: {
    workspaceId?: number;
    afterId?: number;
    limit: number;
  }): Promise<readonly StoredParkedRecord[]> {
    const { workspaceId, afterId = 0, limit } = options;
    return this.records
      .filter((record) => record.parkedId > afterId)
      .filter((record) => workspaceId === undefined || record.workspaceId === workspaceId)
      .slice(0, limit);
  }

  async markReplayed(parkedIds: readonly number[]): Promise<void> {
    const replayedAt = Date.now();
    this.records = this.records.map((record) =>
      parkedIds.includes(record.parkedId) ? { ...record, replayedAt } : record,
    );
  }
}
