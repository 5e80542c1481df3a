import type { SessionEventBody } from '../../session-event';
import type { AgentSessionStatus } from '../../session-state';
import { answeredToolUse, isActionKind } from '../tool-kinds';

/** What the events of a session say of it up to some point. */
export interface Standing {
  readonly status: AgentSessionStatus;
  readonly hasRun: boolean;
  /** Ids that the run waits for. */
  readonly pending: readonly string[];
  /** Tool uses that were answered before the run asked for it. */
  readonly held: readonly string[];
  /** Inputs that wait for their run. */
  readonly waiting: readonly SessionEventBody[];
  readonly isArchived: boolean;
}

/** One event, and how the session stood before and after it. */
export interface Step {
  readonly event: SessionEventBody;
  readonly index: number;
  readonly before: Standing;
  readonly after: Standing;
}

const BEGINNING: Standing = {
  status: 'idle',
  hasRun: false,
  pending: [],
  held: [],
  waiting: [],
  isArchived: false,
};

const NO_RUN = { hasRun: false, pending: [], held: [] } as const;

/** Reads the events of a session in their order. */
export function trace(events: readonly SessionEventBody[]): readonly Step[] {
  const steps: Step[] = [];
  let before = BEGINNING;
  for (const [index, event] of events.entries()) {
    const after = follow(before, event, events[index - 1]);
    steps.push({ event, index, before, after });
    before = after;
  }
  return steps;
}

/** The ids that a `session.status_idle` says its run waits for; undefined when it does not wait. */
export function waitedFor(event: SessionEventBody): readonly string[] | undefined {
  const reason = event['stop_reason'];
  if (event.type !== 'session.status_idle' || typeof reason !== 'object' || reason === null) return undefined;
  if (!('type' in reason) || reason.type !== 'requires_action') return undefined;
  return 'event_ids' in reason && Array.isArray(reason.event_ids) ? reason.event_ids.map(String) : [];
}

/** Whether the event begins a run, and does not resume one. */
export function isRunStart({ event, before }: Step): boolean {
  return event.type === 'session.status_running' && !before.hasRun;
}

/** Whether a `system.message` is queued with the message before it. */
export function isQueuedCompanion(event: SessionEventBody, previous: SessionEventBody | undefined): boolean {
  return event.type === 'system.message' && previous?.type === 'user.message';
}

function follow(before: Standing, event: SessionEventBody, previous: SessionEventBody | undefined): Standing {
  if (isActionKind(event.type)) return answer(before, answeredToolUse(event));
  if (isQueuedCompanion(event, previous)) return { ...before, waiting: [...before.waiting, event] };
  switch (event.type) {
    case 'user.message':
    case 'user.define_outcome':
      return { ...before, waiting: [...before.waiting, event] };
    case 'session.status_running':
      return before.hasRun
        ? { ...before, status: 'running', pending: [] }
        : { ...before, status: 'running', hasRun: true, pending: [], waiting: [] };
    case 'session.status_rescheduled':
      return { ...before, status: 'rescheduling', pending: [] };
    case 'session.status_terminated':
      return { ...before, ...NO_RUN, status: 'terminated' };
    case 'session.status_idle':
      return idle(before, waitedFor(event));
    case 'session.archived':
      return { ...before, isArchived: true };
    default:
      return before;
  }
}

function answer(before: Standing, toolUseId: string): Standing {
  return before.pending.includes(toolUseId)
    ? { ...before, pending: before.pending.filter((id) => id !== toolUseId) }
    : { ...before, held: [...before.held, toolUseId] };
}

function idle(before: Standing, ids: readonly string[] | undefined): Standing {
  if (ids === undefined) return { ...before, ...NO_RUN, status: 'idle' };
  return {
    ...before,
    status: 'idle',
    pending: ids.filter((id) => !before.held.includes(id)),
    held: before.held.filter((id) => !ids.includes(id)),
  };
}
