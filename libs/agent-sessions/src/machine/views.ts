import type { AgentSnapshot, SessionState } from '../session-state';
import { activeMsAt } from './session-change';

/** The session object of the SDK. */
export function sessionView(state: SessionState, nowMs: number): Readonly<Record<string, unknown>> {
  const times = timesOf(state, nowMs);
  return {
    id: state.id,
    type: 'session',
    agent: agentView(state.agent),
    archived_at: timeView(state.archivedAtMs),
    budget: state.budget,
    created_at: timeView(state.createdAtMs),
    environment_id: state.environmentId,
    metadata: state.metadata,
    outcome_evaluations: state.outcomes,
    resources: state.resources,
    stats: times,
    status: state.status,
    title: state.title,
    updated_at: timeView(state.updatedAtMs),
    usage: { ...state.usage, active_seconds: times.active_seconds },
    vault_ids: state.vaultIds,
  };
}

/** The primary thread, which is the only one, in the form of the SDK. */
export function threadView(state: SessionState, nowMs: number): Readonly<Record<string, unknown>> {
  const times = timesOf(state, nowMs);
  const { multiagent: _multiagent, ...agent } = agentView(state.agent);
  return {
    id: state.threadId,
    type: 'session_thread',
    agent,
    archived_at: timeView(state.archivedAtMs),
    created_at: timeView(state.createdAtMs),
    parent_thread_id: null,
    session_id: state.id,
    stats: times,
    status: state.status,
    updated_at: timeView(state.updatedAtMs),
    usage: { ...state.usage, active_seconds: times.active_seconds },
    workflow_run_id: null,
  };
}

/** The agent of a session as the SDK shows it. */
export function agentView(agent: AgentSnapshot): Omit<AgentSnapshot, 'metadata'> {
  const { metadata: _metadata, ...view } = agent;
  return view;
}

function timesOf(state: SessionState, nowMs: number): { active_seconds: number; duration_seconds: number } {
  // A terminated session lasts no longer.
  const endMs = state.status === 'terminated' ? state.statusSinceMs : Math.max(nowMs, state.createdAtMs);
  return {
    active_seconds: activeMsAt(state, nowMs) / 1000,
    duration_seconds: (endMs - state.createdAtMs) / 1000,
  };
}

function timeView(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}
