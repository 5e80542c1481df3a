import type { Decision, DecisionContext, SessionRefusal } from '../decision';
import type { SessionState } from '../session-state';
import type { CreateSession, SessionEventInput } from './inputs';
import { MAX_INITIAL_EVENTS, MAX_METADATA_ENTRIES, MAX_SESSION_RESOURCES } from './limits';
import { invalid, refused } from './refusals';
import { isPlaceTaken, placeTaken } from './resources';
import { takeAll } from './send';
import { SessionChange } from './session-change';

const INITIAL_TYPES: readonly string[] = ['user.message', 'user.define_outcome'];

/** A new session, and what its first events start: the same as if they were sent at once. */
export function createSession(input: CreateSession, ctx: DecisionContext): Decision {
  const { initialEvents = [] } = input;
  const refusal = refusalOf(input, initialEvents);
  if (refusal !== undefined) return refused(refusal);
  const change = new SessionChange(newState(input, ctx.nowMs), ctx);
  const { title, metadata, agent, environmentId } = change.state;
  change.emit('session.created', {
    title,
    agent: { id: agent.id, version: agent.version },
    environment_id: environmentId,
    metadata,
  });
  const fault = initialEvents.length === 0 ? undefined : takeAll(change, initialEvents, 'initial_events');
  return fault === undefined ? change.accept() : refused(fault);
}

function refusalOf(input: CreateSession, initialEvents: readonly SessionEventInput[]): SessionRefusal | undefined {
  const { metadata = {}, resources = [] } = input;
  if (Object.keys(metadata).length > MAX_METADATA_ENTRIES) {
    return invalid(`At most ${MAX_METADATA_ENTRIES} entries are taken`, 'metadata');
  }
  if (resources.length > MAX_SESSION_RESOURCES) {
    return invalid(`At most ${MAX_SESSION_RESOURCES} resources are taken`, 'resources');
  }
  const taken = resources.findIndex((resource, at) => isPlaceTaken(resources.slice(0, at), resource));
  if (taken !== -1) return placeTaken(resources[taken]?.['mount_path'], `resources[${taken}].mount_path`);
  if (initialEvents.length > MAX_INITIAL_EVENTS) {
    return invalid(`At most ${MAX_INITIAL_EVENTS} events are taken`, 'initial_events');
  }
  const index = initialEvents.findIndex((event) => !INITIAL_TYPES.includes(event.type));
  return index === -1
    ? undefined
    : invalid(`Sessions begin with ${INITIAL_TYPES.join(' or ')} only`, `initial_events[${index}].type`);
}

function newState(input: CreateSession, nowMs: number): SessionState {
  return {
    workspaceId: input.workspaceId,
    id: input.id,
    title: input.title ?? null,
    metadata: input.metadata ?? {},
    agent: input.agent,
    environmentId: input.environmentId,
    environmentType: input.environmentType,
    vaultIds: input.vaultIds ?? [],
    resources: input.resources ?? [],
    budget: input.budget ?? null,
    usage: {},
    threadId: input.threadId,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    archivedAtMs: null,
    status: 'idle',
    activeMs: 0,
    statusSinceMs: nowMs,
    run: null,
    endedRuns: [],
    pending: [],
    queue: [],
    toolUses: [],
    heldAnswers: [],
    outcomes: [],
  };
}
