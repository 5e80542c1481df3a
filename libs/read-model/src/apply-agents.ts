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
import type { ModelSchema } from './rebuild/model-schemas';
import { toLines } from './text-lines';

/** Applies merged changes by one call of a function in the database, whatever their number. */
export async function applyAgents(
  queries: Queries,
  changes: readonly AgentChange[],
  schema: ModelSchema,
): Promise<void> {
  const ended = changes.filter(({ begins }) => begins !== undefined);
  const gone = ended.filter(({ begins }) => begins === null);
  const begun = changes.flatMap(({ agentId, begins }) => (begins ? [begunRow(agentId, begins)] : []));
  const patches = changes.flatMap(({ agentId, patch }) => (patch ? [{ agentId, ...patch }] : []));
  const patched = patches.filter(({ parts }) => changesAgent(parts)).map(patchedRow);
  const feedback: FeedbackOfAgent[] = [];
  for (const { agentId, feedback: all } of changes) {
    for (const [name, change] of all) feedback.push({ place: { agent_id: agentId, name }, change });
  }
  const made = feedback.flatMap(({ place, change }) =>
    change.made ? [{ ...place, made: change.made, revoked: change.revoked ?? false }] : [],
  );
  const rows = (rowsOf: (place: FeedbackName, change: FeedbackChange) => readonly object[]) =>
    JSON.stringify(feedback.flatMap(({ place, change }) => rowsOf(place, change)));
  await queries.$executeRaw`
    SELECT ${schema}.change_agents(
      ${toLines(gone.map(({ agentId }) => agentId))}::text,
      ${toLines(ended.map(({ agentId }) => agentId))}::text,
      ${JSON.stringify(begun)}::text::json,
      ${JSON.stringify(patched)}::text::json,
      ${toLines(patches.map(({ agentId }) => agentId))}::text,
      ${toLines(patches.map(({ parts }) => String(parts.rating !== undefined)))}::text,
      ${toLines(patches.map(({ parts }) => String(parts.rating?.score ?? null)))}::text,
      ${toLines(patches.map(({ parts }) => String(parts.rating?.feedbackCount ?? 0)))}::text,
      ${toLines(patches.map(({ updatedAt }) => String(updatedAt)))}::text,
      ${toLines(patches.map(({ lastPosition }) => String(lastPosition)))}::text,
      ${toLines(made.map(({ agent_id }) => agent_id))}::text,
      ${toLines(made.map(({ name }) => name))}::text,
      ${toLines(made.map(({ made: content }) => JSON.stringify(content)))}::text,
      ${toLines(made.map(({ revoked }) => String(revoked)))}::text,
      ${toLines(made.map(({ made: { createdPosition } }) => String(createdPosition)))}::text,
      ${rows(unmadeRows)}::text::json,
      ${rows(revokedRows)}::text::json,
      ${rows(responseRows)}::text::json,
      ${rows(withdrawnRows)}::text::json)`;
}

/** Whether more than the standing of the agent changes. */
function changesAgent(parts: AgentPatch['parts']): boolean {
  for (const part in parts) if (part !== 'rating') return true;
  return false;
}

function begunRow(agentId: string, content: AgentContent): object {
  return {
    agent_id: agentId,
    chain_id: Number(agentId.slice(0, agentId.indexOf(':'))),
    ...partColumns(content.parts),
    score: content.parts.rating.score,
    feedback_count: content.parts.rating.feedbackCount,
    registered_at: content.registeredAt,
    created_position: content.createdPosition,
    updated_at: content.updatedAt,
    last_position: content.lastPosition,
  };
}

function patchedRow({ agentId, parts }: AgentPatch & { readonly agentId: string }): object {
  return { agent_id: agentId, parts: Object.keys(parts), ...partColumns(parts) };
}

/** A member that is absent is null in the database. */
function partColumns({ file, reachability, classification, ...parts }: Partial<AgentParts>): object {
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

interface FeedbackOfAgent {
  readonly place: FeedbackName;
  readonly change: FeedbackChange;
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
