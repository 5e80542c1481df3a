import type { Decision, DecisionContext, SessionRefusal } from '../decision';
import type { AgentSnapshot, SessionState } from '../session-state';
import type { UpdateSession } from './inputs';
import { MAX_METADATA_ENTRIES } from './limits';
import { conflict, invalid, refused } from './refusals';
import { SessionChange } from './session-change';
import { agentView } from './views';

/**
 * Changes what a session is called, carries and may use; a run that is under way goes on as it began. Tells
 * `session.updated` with what changed. The agent and the budget of a session that is terminated cannot be changed, nor the
 * agent while a run works.
 */
export function decideUpdate(state: SessionState, update: UpdateSession, ctx: DecisionContext): Decision {
  const refusal = refusalOf(state, update);
  if (refusal !== undefined) return refused(refusal);
  const next = updated(state, update);
  if (Object.keys(next.metadata).length > MAX_METADATA_ENTRIES) {
    return refused(invalid(`At most ${MAX_METADATA_ENTRIES} entries are taken`, 'metadata'));
  }
  const shown = changesOf(state, next);
  if (shown === undefined) return { kind: 'accepted', state, events: [], dispatches: [] };
  const change = new SessionChange(state, ctx);
  change.set(next);
  change.emit('session.updated', shown);
  return change.accept();
}

type Updatable = Pick<SessionState, 'title' | 'metadata' | 'agent' | 'budget'>;

function refusalOf(state: SessionState, { agent, budget }: UpdateSession): SessionRefusal | undefined {
  if (state.archivedAtMs !== null) return conflict('The session is archived');
  const isTerminated = state.status === 'terminated';
  if (isTerminated && (agent !== undefined || budget !== undefined)) return conflict('The session is terminated');
  if (agent !== undefined && (state.status === 'running' || state.status === 'rescheduling')) {
    return conflict(`The agent cannot be changed while the session is ${state.status}: send user.interrupt first`);
  }
  if (budget != null && state.budget === null) {
    return invalid('A budget can be given at creation only, and then be replaced or removed', 'budget');
  }
  return undefined;
}

function updated(state: SessionState, update: UpdateSession): Updatable {
  return {
    title: update.title === undefined ? state.title : update.title,
    metadata: patched(state.metadata, update.metadata ?? {}),
    agent: update.agent === undefined ? state.agent : withTools(state.agent, update.agent),
    budget: update.budget === undefined ? state.budget : update.budget,
  };
}

function patched(
  metadata: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string>> {
  const result = new Map(Object.entries(metadata));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, value);
  }
  return Object.fromEntries(result);
}

function withTools(agent: AgentSnapshot, update: NonNullable<UpdateSession['agent']>): AgentSnapshot {
  return {
    ...agent,
    ...(update.tools === undefined ? {} : { tools: update.tools ?? [] }),
    ...(update.mcp_servers === undefined ? {} : { mcp_servers: update.mcp_servers ?? [] }),
  };
}

/** The fields of `session.updated`, or undefined when nothing changed. */
function changesOf(before: Updatable, after: Updatable): Readonly<Record<string, unknown>> | undefined {
  const isChanged = (name: keyof Updatable): boolean => !isSame(before[name], after[name]);
  if (!isChanged('title') && !isChanged('metadata') && !isChanged('agent') && !isChanged('budget')) return undefined;

  return {
    ...(isChanged('title') ? { title: after.title } : {}),
    ...(isChanged('metadata') && Object.keys(after.metadata).length > 0 ? { metadata: after.metadata } : {}),
    ...(isChanged('agent') ? { agent: agentView(after.agent) } : {}),
    ...(isChanged('budget') ? { budget: after.budget } : {}),
  };
}

/** Equal values, whatever the order of their keys. */
function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const ofLeft = new Map<string, unknown>(Object.entries(left));
  const ofRight = Object.entries(right);
  return (
    ofLeft.size === ofRight.length && ofRight.every(([key, value]) => ofLeft.has(key) && isSame(ofLeft.get(key), value))
  );
}
