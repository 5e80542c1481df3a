import type { SandboxStatus } from '@sluice/projections';
import type { Database } from './database';
import { orUnavailable } from './unavailable';

/** The projection of one sandbox. */
export interface SandboxActivity {
  readonly workspaceId: number;
  readonly sandboxId: string;
  readonly status: SandboxStatus;
  readonly executionsStarted: number;
  readonly executionsCompleted: number;
  readonly executionsFailed: number;
  readonly lastPosition: number;
  readonly lastOccurredAt: number;
}

/** Reads what sandboxes have been doing. */
export class PrismaSandboxes {
  constructor(private readonly database: Database) {}

  find(workspaceId: number, sandboxId: string): Promise<SandboxActivity | undefined> {
    return orUnavailable(async () => {
      const row = await this.database.sandbox.findUnique({
        where: { workspaceId_sandboxId: { workspaceId, sandboxId } },
      });
      if (!row) return undefined;
      return {
        workspaceId: row.workspaceId,
        sandboxId: row.sandboxId,
        status: row.status as SandboxStatus,
        executionsStarted: Number(row.executionsStarted),
        executionsCompleted: Number(row.executionsCompleted),
        executionsFailed: Number(row.executionsFailed),
        lastPosition: Number(row.lastPosition),
        lastOccurredAt: Number(row.lastOccurredAt),
      };
    });
  }
}
