import type { SessionCommit, SessionCommitOutcome, SessionState } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { createHash } from 'node:crypto';
import type { Queries } from './database';
import { isLine } from './session-rows';
import { toLines } from './text-lines';

interface OutcomeRow {
  readonly outcome: SessionCommitOutcome['kind'];
  readonly version: bigint | null;
  readonly taken_id: string | null;
  readonly known_key: string | null;
  readonly known_hash: string | null;
  readonly known_answer: string | null;
}

/**
 * One call of a function in the database: one round trip, whatever is in the commit.
 * @throws SluiceError `internal` for an id of an event that none can have
 */
export async function commitSession(queries: Queries, commit: SessionCommit): Promise<SessionCommitOutcome> {
  const { state, receipt } = commit;
  if (!commit.eventIds.every(({ id }) => isLine(id))) {
    throw new SluiceError('internal', 'An event has an id that none can have');
  }
  const columns = state && stateColumns(state);
  const [row] = await queries.$queryRaw<OutcomeRow[]>`
    SELECT outcome, version, taken_id, known_key, known_hash, known_answer FROM agent_sessions.commit_session(
      ${commit.workspaceId}::int,
      ${commit.sessionId}::text,
      ${BigInt(commit.expectedVersion)}::bigint,
      ${columns?.state ?? null}::text,
      ${columns?.agent ?? null}::text,
      ${columns?.agentHash ?? null}::text,
      ${columns?.agentId ?? null}::text,
      ${columns?.agentVersion ?? null}::bigint,
      ${columns?.createdAt ?? null}::bigint,
      ${columns?.archived ?? null}::boolean,
      ${columns?.status ?? null}::text,
      ${columns?.deadlineAt ?? null}::bigint,
      ${toLines(commit.events.map(({ json }) => json))}::text,
      ${toLines(commit.eventIds.map(({ id }) => id))}::text,
      ${toLines(commit.eventIds.map(({ type }) => type))}::text,
      ${toLines(commit.dispatches.map((dispatch) => JSON.stringify(dispatch)))}::text,
      ${receipt?.key ?? null}::text,
      ${receipt?.requestHash ?? null}::text,
      ${receipt?.answer ?? null}::text,
      ${receipt?.scope ?? commit.sessionId}::text,
      ${receipt?.unkeyed?.isRetry ?? null}::boolean,
      ${receipt?.unkeyed?.arrivedMsAgo ?? null}::float8,
      ${receipt?.unkeyed?.repeatableForMs ?? null}::float8)`;
  if (!row) throw new Error('commit_session gave no outcome');
  return outcomeOf(row);
}

function stateColumns({ agent, ...rest }: SessionState) {
  const agentText = JSON.stringify(agent);
  return {
    state: JSON.stringify(rest),
    agent: agentText,
    agentHash: createHash('sha256').update(agentText).digest('base64'),
    agentId: agent.id,
    agentVersion: BigInt(agent.version),
    createdAt: BigInt(rest.createdAtMs),
    archived: rest.archivedAtMs !== null,
    status: rest.status,
    deadlineAt: rest.run?.deadlineMs === undefined ? null : BigInt(rest.run.deadlineMs),
  };
}

function outcomeOf(row: OutcomeRow): SessionCommitOutcome {
  switch (row.outcome) {
    case 'committed':
      return { kind: 'committed', version: Number(row.version) };
    case 'conflict':
      return { kind: 'conflict' };
    case 'event_id_taken':
      return { kind: 'event_id_taken', eventId: row.taken_id ?? '' };
    case 'repeated':
      return {
        kind: 'repeated',
        receipt: {
          key: row.known_key ?? '',
          requestHash: row.known_hash ?? '',
          answer: row.known_answer ?? '',
        },
      };
  }
}
