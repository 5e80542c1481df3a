import type { ParkedRecord, ParkedRecords, StoredParkedRecord } from '../ports/read-model';

/** ParkedRecords in memory. The same record of the log is kept once. */
export class MemoryParkedRecords implements ParkedRecords {
  private records: StoredParkedRecord[] = [];

  add(parked: readonly ParkedRecord[]): void {
    for (const record of parked) {
      if (this.records.some(({ lane, index }) => lane === record.lane && index === record.index)) continue;
      this.records.push({ ...record, parkedId: this.records.length + 1, parkedAt: Date.now() });
    }
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
