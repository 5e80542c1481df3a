import type {
  ClaimDispatches,
  ClaimedDispatch,
  DispatchClaim,
  DispatchRetry,
  ListedSessions,
  ListSessions,
  OutboxEntry,
  Receipt,
  SessionCommit,
  SessionCommitOutcome,
  SessionState,
  SessionStore,
  StoredSession,
} from '@sluice/agent-sessions';
import type { EventEnvelope } from '@sluice/event-schema';
import type { Database } from './database';
import { boundedInteger } from './ordered-pages';
import { commitSession } from './session-commit';
import { listSessions } from './session-list';
import {
  canBeStored,
  fromDispatchRow,
  fromReceiptRow,
  fromStateRow,
  isLine,
  type DispatchRow,
  type ReceiptRow,
  type ListedStateRow,
  type StateRow,
} from './session-rows';
import { toLines } from './text-lines';
import { orUnavailable } from './unavailable';

/** Of an outbox, where nobody says less. */
const MAX_OUTBOX_BYTES = 64 * 1_048_576;

/** SessionStore in PostgreSQL. The database's clock decides about claims and ages, so replicas need not agree on the time. */
export class PrismaSessionStore implements SessionStore {
  constructor(private readonly database: Database) {}

  async load(workspaceId: number, sessionId: string): Promise<StoredSession | undefined> {
    if (!canBeStored(sessionId)) return undefined;
    // By its id alone: with more conditions the planner might take another index than that of ids.
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<(StateRow & { version: bigint; workspace_id: number; deleted: boolean })[]>`
      SELECT version, workspace_id, deleted_at IS NOT NULL AS deleted, agent, state FROM agent_sessions.sessions
      WHERE session_id = ${sessionId}`,
    );
    if (row?.workspace_id !== workspaceId || row.deleted) return undefined;
    return { state: fromStateRow(row), version: Number(row.version) };
  }

  async lastState(sessionId: string): Promise<SessionState | undefined> {
    if (!canBeStored(sessionId)) return undefined;
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<StateRow[]>`
      SELECT agent, state FROM agent_sessions.sessions WHERE session_id = ${sessionId}`,
    );
    return row && fromStateRow(row);
  }

  async workspaceOf(sessionId: string): Promise<number | undefined> {
    if (!canBeStored(sessionId)) return undefined;
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<{ workspace_id: number; deleted: boolean }[]>`
      SELECT workspace_id, deleted_at IS NOT NULL AS deleted FROM agent_sessions.sessions
      WHERE session_id = ${sessionId}`,
    );
    return row?.deleted === false ? row.workspace_id : undefined;
  }

  commit(commit: SessionCommit): Promise<SessionCommitOutcome> {
    return orUnavailable(() => commitSession(this.database, commit));
  }

  async knownEvents(sessionId: string, eventIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const possible = eventIds.filter(isLine);
    if (possible.length === 0 || !canBeStored(sessionId)) return new Map();
    const rows = await orUnavailable(
      () => this.database.$queryRaw<{ event_id: string; type: string }[]>`
      SELECT event_id, type FROM agent_sessions.events
      WHERE session_id = ${sessionId} AND event_id = ANY(string_to_array(${toLines(possible)}, E'\\n'))
        AND (SELECT deleted_at IS NULL FROM agent_sessions.sessions WHERE session_id = ${sessionId})`,
    );
    return new Map(rows.map(({ event_id, type }) => [event_id, type]));
  }

  async receipt(scope: string, key: string): Promise<Receipt | undefined> {
    if (!canBeStored(scope, key)) return undefined;
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<ReceiptRow[]>`
      SELECT key, request_hash, answer FROM agent_sessions.receipts WHERE session_id = ${scope} AND key = ${key}`,
    );
    return row && fromReceiptRow(row);
  }

  async unansweredReceipt(scope: string, requestHash: string, maxAgeMs: number): Promise<Receipt | undefined> {
    if (!canBeStored(scope, requestHash)) return undefined;
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<ReceiptRow[]>`
      SELECT key, request_hash, answer FROM agent_sessions.receipts
      WHERE session_id = ${scope} AND request_hash = ${requestHash} AND NOT answered
        AND taken_at > statement_timestamp() - ${maxAgeMs}::float8 * interval '1 millisecond'
      ORDER BY taken_at DESC LIMIT 1`,
    );
    return row && fromReceiptRow(row);
  }

  async markAnswered(scope: string, key: string): Promise<void> {
    await orUnavailable(
      () => this.database.$executeRaw`
      UPDATE agent_sessions.receipts SET answered = true WHERE session_id = ${scope} AND key = ${key}`,
    );
  }

  async list(query: ListSessions): Promise<ListedSessions> {
    if (query.statuses?.length === 0 || !canBeStored(query.agentId, query.after?.id)) {
      return { states: [], hasMore: false };
    }
    const rows = await orUnavailable(() => this.database.$queryRaw<ListedStateRow[]>(listSessions(query)));
    return { states: rows.map(fromStateRow), hasMore: rows.at(-1)?.has_more ?? false };
  }

  async outbox(sessionId: string, limit: number, maxBytes = MAX_OUTBOX_BYTES): Promise<readonly OutboxEntry[]> {
    if (!canBeStored(sessionId)) return [];
    const rows = await orUnavailable(
      () => this.database.$queryRaw<{ sequence: bigint; event: string }[]>`
      SELECT sequence, event FROM (
        SELECT sequence, event, sum(octet_length(event)) OVER w AS bytes, row_number() OVER w AS nth
        FROM (
          SELECT sequence, event FROM agent_sessions.outbox WHERE session_id = ${sessionId} ORDER BY sequence LIMIT ${limit}
        ) AS waiting
        WINDOW w AS (ORDER BY sequence ROWS UNBOUNDED PRECEDING)
      ) AS counted
      WHERE nth = 1 OR bytes <= ${maxBytes} ORDER BY sequence`,
    );
    return rows.map(({ sequence, event: json }) => ({
      sequence: Number(sequence),
      event: { event: JSON.parse(json) as EventEnvelope, json },
    }));
  }

  async waitingOutboxes(olderThanMs: number, limit: number): Promise<readonly string[]> {
    const rows = await orUnavailable(
      () => this.database.$queryRaw<{ session_id: string }[]>`
      SELECT session_id FROM agent_sessions.waiting_outboxes
      WHERE since <= statement_timestamp() - ${olderThanMs}::float8 * interval '1 millisecond'
      ORDER BY since, session_id LIMIT ${limit}`,
    );
    return rows.map(({ session_id }) => session_id);
  }

  async settle(sessionId: string, upToSequence: number): Promise<void> {
    await orUnavailable(
      () => this.database.$executeRaw`
      SELECT agent_sessions.settle_outbox(${sessionId}::text, ${BigInt(upToSequence)}::bigint)`,
    );
  }

  async claimDispatches({ holder, leaseMs, limit, except = [] }: ClaimDispatches): Promise<readonly ClaimedDispatch[]> {
    const inHand = except.join(',');
    const rows = await orUnavailable(
      () => this.database.$queryRaw<DispatchRow[]>`
      WITH ready AS MATERIALIZED (
        SELECT dispatch_id FROM agent_sessions.dispatches
        WHERE ready_at <= statement_timestamp() AND dispatch_id <> ALL(string_to_array(${inHand}, ',')::bigint[])
        ORDER BY ready_at, dispatch_id LIMIT ${limit} FOR UPDATE SKIP LOCKED
      )
      UPDATE agent_sessions.dispatches d SET
        holder = ${holder},
        attempt = d.attempt + 1,
        -- Who had it neither finished it nor gave it back.
        failures = CASE WHEN d.holder IS NULL THEN d.failures ELSE d.failures + 1 END,
        failing_since = CASE WHEN d.holder IS NULL THEN d.failing_since ELSE coalesce(d.failing_since, clock_timestamp()) END,
        ready_at = clock_timestamp() + ${leaseMs}::float8 * interval '1 millisecond'
      FROM ready WHERE d.dispatch_id = ready.dispatch_id
      RETURNING d.dispatch_id, d.holder, d.workspace_id, d.session_id, d.dispatch, d.attempt, d.failures, d.created_at,
        coalesce(extract(epoch FROM clock_timestamp() - d.failing_since) * 1000, 0)::float8 AS failing_for_ms`,
    );
    return rows.map(fromDispatchRow).sort((a, b) => a.dispatchId - b.dispatchId);
  }

  async renewDispatch({ dispatchId, holder, attempt }: DispatchClaim, leaseMs: number): Promise<boolean> {
    const renewed = await orUnavailable(
      () => this.database.$executeRaw`
      UPDATE agent_sessions.dispatches SET
        ready_at = clock_timestamp() + ${leaseMs}::float8 * interval '1 millisecond'
      WHERE dispatch_id = ${BigInt(dispatchId)} AND holder = ${holder} AND attempt = ${attempt}`,
    );
    return renewed === 1;
  }

  async finishDispatch({ dispatchId, holder, attempt }: DispatchClaim): Promise<boolean> {
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<{ finished: boolean }[]>`
      SELECT agent_sessions.finish_dispatch(${BigInt(dispatchId)}::bigint, ${holder}::text, ${attempt}::int) AS finished`,
    );
    return row?.finished ?? false;
  }

  async retryDispatch(
    { dispatchId, holder, attempt }: DispatchClaim,
    { delayMs, isFailure }: DispatchRetry,
  ): Promise<boolean> {
    const delayed = await orUnavailable(
      () => this.database.$executeRaw`
      UPDATE agent_sessions.dispatches SET
        holder = NULL,
        failures = failures + ${isFailure ? 1 : 0}::int,
        failing_since = CASE WHEN ${isFailure} THEN coalesce(failing_since, clock_timestamp()) ELSE failing_since END,
        ready_at = clock_timestamp() + ${delayMs}::float8 * interval '1 millisecond'
      WHERE dispatch_id = ${BigInt(dispatchId)} AND holder = ${holder} AND attempt = ${attempt}`,
    );
    return delayed === 1;
  }

  async overdueRuns(nowMs: number, limit: number): Promise<readonly { workspaceId: number; sessionId: string }[]> {
    const rows = await orUnavailable(
      () => this.database.$queryRaw<{ workspace_id: number; session_id: string }[]>`
      SELECT workspace_id, session_id FROM agent_sessions.deadlines WHERE deadline_at <= ${boundedInteger(Math.floor(nowMs))}
      ORDER BY deadline_at, session_id LIMIT ${limit}`,
    );
    return rows.map(({ workspace_id, session_id }) => ({ workspaceId: workspace_id, sessionId: session_id }));
  }

  async forgetReceipts(olderThanMs: number, limit: number): Promise<number> {
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<{ forgotten: number }[]>`
      SELECT agent_sessions.forget_receipts(
        statement_timestamp() - ${olderThanMs}::float8 * interval '1 millisecond', ${limit}::int) AS forgotten`,
    );
    return row?.forgotten ?? 0;
  }
}
