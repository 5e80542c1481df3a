import { STOP_REASONS } from '../engine-events';
import type { SessionInvariant } from './invariants';
import { isRunStart, type Step } from './trace';

const at = ({ event, index }: Step): string => `events[${index}] ${event.type} ${event.id}`;

/** What holds of a session's course: its statuses, its runs and its end. */
export const COURSE_INVARIANTS: readonly SessionInvariant[] = [
  {
    id: 'S1',
    text: 'An event id is there once.',
    faults: (steps) => {
      const seen = new Set<string>();
      return steps.filter(({ event }) => seen.size === seen.add(event.id).size).map(at);
    },
  },
  {
    id: 'S2',
    text: '`session.created` is the first event, `session.archived` is there at most once, `session.deleted` is the last.',
    faults: (steps) =>
      steps
        .filter(
          ({ event, index, before }) =>
            (event.type === 'session.created' && index > 0) ||
            (event.type === 'session.archived' && before.isArchived) ||
            (event.type === 'session.deleted' && index < steps.length - 1),
        )
        .map(at),
  },
  {
    id: 'S3',
    text: 'Without an active run the status changes by the start of a run only; what is terminated stays so.',
    faults: (steps) =>
      steps
        .filter(
          ({ event, before }) =>
            event.type.startsWith('session.status_') &&
            !before.hasRun &&
            (event.type !== 'session.status_running' || before.status === 'terminated'),
        )
        .map(at),
  },
  {
    id: 'S4',
    text: 'Only an active run has output (`agent.*`, `span.*`, `session.error`), and nothing of `agent.*` while it is rescheduled.',
    faults: (steps) =>
      steps
        .filter(
          ({ event, before }) =>
            (/^(agent|span)\.|^session\.error$/.test(event.type) && !before.hasRun) ||
            (event.type.startsWith('agent.') && before.status === 'rescheduling'),
        )
        .map(at),
  },
  {
    id: 'S5',
    text: 'Nothing is sent to a session that is archived or terminated.',
    faults: (steps) =>
      steps
        .filter(
          ({ event, before }) =>
            /^(user|system)\./.test(event.type) && (before.isArchived || before.status === 'terminated'),
        )
        .map(at),
  },
  {
    id: 'S6',
    text: 'Each `session.status_idle` says why, by a `stop_reason` that is known, and has `stop_details`.',
    faults: (steps) =>
      steps
        .filter(({ event }) => event.type === 'session.status_idle')
        .filter(({ event }) => !isKnownReason(event['stop_reason']) || event['stop_details'] === undefined)
        .map(at),
  },
  {
    id: 'S7',
    text: 'An interrupt ends the active run at once: the next event is `session.status_idle` with `end_turn`.',
    faults: (steps) =>
      steps
        .filter(({ event, before }) => event.type === 'user.interrupt' && before.hasRun)
        .filter(({ index }) => reasonOf(steps[index + 1]) !== 'end_turn')
        .map(at),
  },
  {
    id: 'S8',
    text: 'An idle session without a run has no input that waits: when a run ends, the next one begins with all of it.',
    faults: (steps) => {
      const isStuck = (step: Step): boolean =>
        !step.after.hasRun && step.after.status === 'idle' && step.after.waiting.length > 0;
      return steps
        .filter(isStuck)
        .filter(({ index }) => {
          const next = steps[index + 1];
          return next === undefined || !(isRunStart(next) || /^(user|system)\./.test(next.event.type));
        })
        .map(at);
    },
  },
  {
    id: 'S9',
    text: 'A run begins with at least one input.',
    faults: (steps) => steps.filter((step) => isRunStart(step) && step.before.waiting.length === 0).map(at),
  },
];

function reasonOf(step: Step | undefined): unknown {
  const reason = step?.event['stop_reason'];
  return typeof reason === 'object' && reason !== null && 'type' in reason ? reason.type : undefined;
}

function isKnownReason(reason: unknown): boolean {
  return (
    typeof reason === 'object' &&
    reason !== null &&
    'type' in reason &&
    STOP_REASONS.some((known) => known === reason.type)
  );
}
