import {
  MAX_RETENTION_POLICIES,
  SluiceError,
  type RetentionPolicy,
  type RetentionScope,
  type RetentionStatus,
} from '@sluice/event-log';
import type { EventFamily } from '@sluice/event-schema';
import type { Queries } from '../database';
import { Prisma } from '../generated/client';

/** Stands for the default in the column of workspaces: it sorts before all of them. */
export const DEFAULT_WORKSPACE = -1;

const toColumn = ({ workspaceId }: RetentionScope) => (workspaceId === 'default' ? DEFAULT_WORKSPACE : workspaceId);

/** The row of a policy. */
export function isOf(scope: RetentionScope): Prisma.Sql {
  return Prisma.sql`workspace_id = ${toColumn(scope)}::int AND family = ${scope.family}`;
}

/** Whether a policy is the one for the events of a row: one of their own goes before the default. */
export function governs(scope: RetentionScope): Prisma.Sql {
  if (scope.workspaceId !== 'default') {
    return Prisma.sql`(workspace_id = ${scope.workspaceId}::int AND family = ${scope.family})`;
  }
  return Prisma.sql`(family = ${scope.family} AND NOT EXISTS (
    SELECT FROM maintenance.retention_policies own
    WHERE own.workspace_id = old.workspace_id AND own.family = ${scope.family}))`;
}

export interface ScopeRow {
  readonly workspace_id: number;
  readonly family: EventFamily;
}

interface PolicyRow extends ScopeRow {
  readonly max_age_ms: string | null;
  readonly changed_at: Date;
  readonly removed_events: string;
}

const COLUMNS = Prisma.sql`workspace_id, family, max_age_ms, changed_at, removed_events`;

export async function listPolicies(queries: Queries): Promise<readonly RetentionStatus[]> {
  const rows = await queries.$queryRaw<PolicyRow[]>`
    SELECT ${COLUMNS} FROM maintenance.retention_policies ORDER BY workspace_id, family LIMIT ${MAX_RETENTION_POLICIES}`;
  return rows.map(toStatus);
}

/** For a transaction that has the lease's row: nobody is removing anything then. */
export async function insertPolicy(queries: Queries, policy: RetentionPolicy): Promise<RetentionStatus> {
  const maxAgeMs = policy.maxAgeMs === undefined ? null : BigInt(policy.maxAgeMs);
  const [row] = await queries.$queryRaw<PolicyRow[]>`
    INSERT INTO maintenance.retention_policies AS p (workspace_id, family, max_age_ms)
    SELECT ${toColumn(policy)}::int, ${policy.family}, ${maxAgeMs}::bigint
    WHERE EXISTS (SELECT FROM maintenance.retention_policies WHERE ${isOf(policy)})
      OR (SELECT count(*) FROM maintenance.retention_policies) < ${MAX_RETENTION_POLICIES}
    ON CONFLICT (workspace_id, family) DO UPDATE SET max_age_ms = excluded.max_age_ms, changed_at = clock_timestamp()
    RETURNING ${COLUMNS}`;
  if (!row) throw new SluiceError('conflict', `There are ${MAX_RETENTION_POLICIES} policies already`);
  return toStatus(row);
}

/** As `insertPolicy`. What the policy was for is the default's then, which has passed it by. */
export async function deletePolicy(queries: Queries, scope: RetentionScope): Promise<boolean> {
  const deleted = await queries.$executeRaw`DELETE FROM maintenance.retention_policies WHERE ${isOf(scope)}`;
  if (deleted === 0) return false;
  await queries.$executeRaw`
    UPDATE maintenance.retention_policies SET swept = 0
    WHERE ${isOf({ workspaceId: 'default', family: scope.family })}`;
  return true;
}

export function toScope({ workspace_id: workspaceId, family }: ScopeRow): RetentionScope {
  return { workspaceId: workspaceId === DEFAULT_WORKSPACE ? 'default' : workspaceId, family };
}

function toStatus(row: PolicyRow): RetentionStatus {
  return {
    ...toScope(row),
    ...(row.max_age_ms !== null && { maxAgeMs: Number(row.max_age_ms) }),
    changedAt: row.changed_at.getTime(),
    removedEvents: Number(row.removed_events),
  };
}
