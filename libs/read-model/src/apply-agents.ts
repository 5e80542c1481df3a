import {
  nameKeyOf,
  responseLength,
  type AgentChange,
  type AgentContent,
  type AgentFile,
  type AgentParts,
  type AgentPatch,
  type FeedbackChange,
} from '@sluice/projections';
import type { Queries } from './database';
import { toLines } from './text-lines';

/** Applies merged changes by one call of a function in the database, whatever their number. */
export async function applyAgents(queries: Queries, changes: readonly AgentChange[]): Promise<void> {
  const ended = changes.filter(({ begins }) => begins !== undefined);
  const gone = ended.filter(({ begins }) => begins === null);
  const begun = changes.flatMap(({ agentId, begins }) => (begins ? [begunRow(agentId, begins)] : []));
  const patched = changes.flatMap(({ agentId, patch }) => (patch ? [patchedRow(agentId, patch)] : []));
  const feedback = changes.flatMap(({ agentId, feedback: all }) =>
    [...all].map(([name, change]) => ({ place: { agent_id: agentId, name }, change })),
  );
  const rows = (rowsOf: (place: FeedbackName, change: FeedbackChange) => readonly object[]) =>
    JSON.stringify(feedback.flatMap(({ place, change }) => rowsOf(place, change)));
  await queries.$executeRaw`
    SELECT read_model.change_agents(
      ${toLines(gone.map(({ agentId }) => agentId))}::text,
      ${toLines(ended.map(({ agentId }) => agentId))}::text,
      ${JSON.stringify(begun)}::text::json,
      ${JSON.stringify(patched)}::text::json,
      ${rows(madeRows)}::text::json,
      ${rows(unmadeRows)}::text::json,
      ${rows(revokedRows)}::text::json,
      ${rows(responseRows)}::text::json,
      ${rows(withdrawnRows)}::text::json)`;
}

function begunRow(agentId: string, content: AgentContent): object {
  return {
    agent_id: agentId,
    chain_id: Number(agentId.slice(0, agentId.indexOf(':'))),
    ...partColumns(content.parts),
    registered_at: content.registeredAt,
    created_position: content.createdPosition,
    updated_at: content.updatedAt,
    last_position: content.lastPosition,
  };
}

function patchedRow(agentId: string, { parts, updatedAt, lastPosition }: AgentPatch): object {
  return {
    agent_id: agentId,
    parts: Object.keys(parts),
    ...partColumns(parts),
    updated_at: updatedAt,
    last_position: lastPosition,
  };
}

/** A member that is absent is null in the database. */
function partColumns({ file, reachability, classification, rating, ...parts }: Partial<AgentParts>): object {
  return {
    owner: parts.owner,
    uri: textOf(parts.uri),
    wallet: parts.wallet,
    ...(file && fileColumns(file)),
    file_error: textOf(parts.fileError),
    metadata: textOf(parts.metadata),
    mcp_reachable: reachability?.mcp,
    a2a_reachable: reachability?.a2a,
    reachability_checked_at: reachability?.checkedAt,
    classification: textOf(classification),
    skills: classification?.skills.map(({ slug }) => slug) ?? [],
    domains: classification?.domains.map(({ slug }) => slug) ?? [],
    score: rating?.score,
    feedback_count: rating?.feedbackCount,
  };
}

function fileColumns({ hasMcp, hasA2a, ...file }: AgentFile): object {
  return {
    name_key: nameKeyOf(file.name),
    has_mcp: hasMcp,
    has_a2a: hasA2a,
    active: file.active,
    file: textOf(file),
  };
}

interface FeedbackName {
  readonly agent_id: string;
  readonly name: string;
}

function madeRows(place: FeedbackName, { made, revoked = false }: FeedbackChange): readonly object[] {
  return made ? [{ ...place, content: textOf(made), revoked, created_position: made.createdPosition }] : [];
}

function unmadeRows(place: FeedbackName, { made }: FeedbackChange): readonly object[] {
  return made === null ? [place] : [];
}

/** What is made says itself whether it is revoked. */
function revokedRows(place: FeedbackName, { made, revoked }: FeedbackChange): readonly object[] {
  return made === undefined && revoked !== undefined ? [{ ...place, revoked }] : [];
}

function responseRows(place: FeedbackName, { responses }: FeedbackChange): readonly object[] {
  return [...responses].map(([event_id, { position, ...response }]) => ({
    ...place,
    event_id,
    content: textOf(response),
    length: responseLength(response),
    position,
  }));
}

function withdrawnRows(place: FeedbackName, { withdrawn }: FeedbackChange): readonly object[] {
  return [...withdrawn].map((event_id) => ({ ...place, event_id }));
}

/** Text that people wrote, as a JSON text: columns refuse U+0000. */
function textOf(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}
