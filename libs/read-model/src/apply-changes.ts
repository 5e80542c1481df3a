import { changesOfKind, type Change, type ChangeOf, type SandboxActivityChange } from '@sluice/projections';
import { applyAgents } from './apply-agents';
import { applySessionEvents } from './apply-session-events';
import { applyWorkspaceDocuments } from './apply-workspace-documents';
import type { Queries } from './database';
import type { ModelSchema } from './rebuild/model-schemas';

type Apply<K extends Change['kind']> = (
  queries: Queries,
  changes: readonly ChangeOf<K>[],
  schema: ModelSchema,
) => Promise<void>;

/** How each kind of change reaches its table; the compiler asks for a line when a kind is added. */
const APPLY: { readonly [K in Change['kind']]: Apply<K> } = {
  sandbox_activity: applySandboxActivity,
  workspace_document: applyWorkspaceDocuments,
  agent: applyAgents,
  session_event: applySessionEvents,
};

/** Applies merged changes, one statement for each kind that is among them. */
export async function applyChanges(queries: Queries, changes: readonly Change[], schema: ModelSchema): Promise<void> {
  if (changes.length === 0) return;
  for (const kind of Object.keys(APPLY) as Change['kind'][]) await applyKind(queries, kind, changes, schema);
}

async function applyKind<K extends Change['kind']>(
  queries: Queries,
  kind: K,
  all: readonly Change[],
  schema: ModelSchema,
): Promise<void> {
  const changes = changesOfKind(kind, all);
  if (changes.length > 0) await APPLY[kind](queries, changes, schema);
}

/** `status` is '' where the events say nothing about it: then the stored one stays. */
async function applySandboxActivity(
  queries: Queries,
  changes: readonly SandboxActivityChange[],
  schema: ModelSchema,
): Promise<void> {
  await queries.$executeRaw`
    INSERT INTO ${schema}.sandboxes AS s (workspace_id, sandbox_id, status, executions_started, executions_completed,
      executions_failed, last_position, last_occurred_at)
    SELECT workspace_id, sandbox_id, coalesce(nullif(status, ''), 'unknown'), started, completed, failed, position, occurred_at
    FROM unnest(
      ${changes.map((change) => change.workspaceId)}::int[],
      ${changes.map((change) => change.sandboxId)}::text[],
      ${changes.map((change) => change.status ?? '')}::text[],
      ${changes.map((change) => change.executionsStarted)}::bigint[],
      ${changes.map((change) => change.executionsCompleted)}::bigint[],
      ${changes.map((change) => change.executionsFailed)}::bigint[],
      ${changes.map((change) => BigInt(change.lastPosition))}::bigint[],
      ${changes.map((change) => BigInt(change.lastOccurredAt))}::bigint[]
    ) AS c (workspace_id, sandbox_id, status, started, completed, failed, position, occurred_at)
    ON CONFLICT (workspace_id, sandbox_id) DO UPDATE SET
      status = CASE WHEN excluded.status = 'unknown' THEN s.status ELSE excluded.status END,
      executions_started = s.executions_started + excluded.executions_started,
      executions_completed = s.executions_completed + excluded.executions_completed,
      executions_failed = s.executions_failed + excluded.executions_failed,
      last_position = excluded.last_position,
      last_occurred_at = excluded.last_occurred_at`;
}
