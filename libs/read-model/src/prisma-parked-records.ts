import type { Lane, ParkedRecords, ParkReason, StoredParkedRecord } from '@sluice/event-log';
import type { Database } from './database';
import { orUnavailable } from './unavailable';

/** The parked records of the read model. */
export class PrismaParkedRecords implements ParkedRecords {
  constructor(private readonly database: Database) {}

  count(): Promise<number> {
    return orUnavailable(() => this.database.parkedRecord.count({ where: { replayedAt: null } }));
  }

  list(options: { workspaceId?: number; afterId?: number; limit: number }): Promise<readonly StoredParkedRecord[]> {
    const { workspaceId, afterId = 0, limit } = options;
    return orUnavailable(async () => {
      const rows = await this.database.parkedRecord.findMany({
        where: { parkedId: { gt: afterId }, ...(workspaceId === undefined ? {} : { workspaceId }) },
        orderBy: { parkedId: 'asc' },
        take: limit,
      });
      return rows.map((row) => ({
        parkedId: Number(row.parkedId),
        lane: row.lane as Lane,
        index: Number(row.index),
        value: row.value,
        reason: row.reason as ParkReason,
        detail: row.detail,
        parkedAt: row.parkedAt.getTime(),
        ...(row.workspaceId === null ? {} : { workspaceId: row.workspaceId }),
        ...(row.eventId === null ? {} : { eventId: row.eventId }),
        ...(row.replayedAt === null ? {} : { replayedAt: row.replayedAt.getTime() }),
      }));
    });
  }

  async markReplayed(parkedIds: readonly number[]): Promise<void> {
    await orUnavailable(() =>
      this.database.parkedRecord.updateMany({
        where: { parkedId: { in: parkedIds.map((id) => BigInt(id)) } },
        data: { replayedAt: new Date() },
      }),
    );
  }
}
