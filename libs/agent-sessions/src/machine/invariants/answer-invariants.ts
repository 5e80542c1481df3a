import { answeredToolUse, answersOf, isActionKind } from '../tool-kinds';
import type { SessionInvariant } from './invariants';
import { waitedFor, type Step } from './trace';

const at = ({ event, index }: Step): string => `events[${index}] ${event.type} ${event.id}`;

/** What holds of what a run waits for, and of its answers. */
export const ANSWER_INVARIANTS: readonly SessionInvariant[] = [
  {
    id: 'S10',
    text: '`requires_action` names at least one event, each once, and each is a tool use that came before.',
    faults: (steps) => {
      const uses = toolUsesOf(steps);
      const isBefore = (id: string, index: number): boolean => (uses.get(id)?.index ?? index) < index;
      return steps
        .filter(({ event, index }) => {
          const ids = waitedFor(event);
          if (ids === undefined) return false;
          return ids.length === 0 || new Set(ids).size < ids.length || !ids.every((id) => isBefore(id, index));
        })
        .map(at);
    },
  },
  {
    id: 'S11',
    text: 'An answer follows the tool use that it is for, is of its kind, and comes while a run is active.',
    faults: (steps) => {
      const uses = toolUsesOf(steps);
      return steps
        .filter(({ event, index, before }) => {
          if (!isActionKind(event.type)) return false;
          const use = uses.get(answeredToolUse(event));
          // Where tools run is not seen in the events: every kind that could be right is taken as right.
          const kinds = use === undefined || use.index > index ? [] : (answersOf(use.event.type, 'self_hosted') ?? []);
          return !before.hasRun || !kinds.includes(event.type);
        })
        .map(at);
    },
  },
  {
    id: 'S12',
    text: 'A tool use is answered once; only one that was allowed may have its result besides.',
    faults: (steps) => {
      const closed = new Set<string>();
      const allowed = new Set<string>();
      return steps
        .filter(({ event }) => {
          if (!isActionKind(event.type)) return false;
          const id = answeredToolUse(event);
          const isTwice = closed.has(id) || (event.type === 'user.tool_confirmation' && allowed.has(id));
          if (event.type === 'user.tool_confirmation' && event['result'] === 'allow') allowed.add(id);
          else closed.add(id);
          return isTwice;
        })
        .map(at);
    },
  },
  {
    id: 'S13',
    text: 'After answers that the run waits for, the session says at once where it stands: `session.status_running` when it has all of them, else `session.status_idle` with exactly the rest.',
    faults: (steps) => steps.filter((step) => isResolution(step) && !isSettled(step, steps)).map(at),
  },
  {
    id: 'S14',
    text: 'A run does not ask again for what was answered, unless it is a result after a confirmation.',
    faults: (steps) => {
      const closed = new Set<string>();
      return steps
        .filter(({ event, before }) => {
          if (isActionKind(event.type)) {
            const mayGoOn = event.type === 'user.tool_confirmation' && event['result'] === 'allow';
            if (!mayGoOn) closed.add(answeredToolUse(event));
          }
          return (waitedFor(event) ?? []).some((id) => closed.has(id) && !before.held.includes(id));
        })
        .map(at);
    },
  },
];

function toolUsesOf(steps: readonly Step[]): ReadonlyMap<string, Step> {
  const uses = steps.filter(({ event }) => answersOf(event.type, 'self_hosted') !== undefined);
  return new Map(uses.map((step) => [step.event.id, step]));
}

/** Whether something that the run waits for is answered by this event, or was before the run asked for it. */
function isResolution({ event, before, after }: Step): boolean {
  if (isActionKind(event.type)) return after.pending.length < before.pending.length;
  const ids = waitedFor(event);
  return ids !== undefined && after.pending.length < ids.length;
}

function isSettled({ event, index, after }: Step, steps: readonly Step[]): boolean {
  let next = steps[index + 1];
  while (next !== undefined && isPartOfAnswers(next)) next = steps[next.index + 1];
  if (next === undefined) return false;
  const rest = isActionKind(event.type) ? next.before.pending : after.pending;
  if (rest.length === 0) return next.event.type === 'session.status_running';
  const ids = waitedFor(next.event) ?? [];
  return ids.length === rest.length && rest.every((id) => ids.includes(id));
}

function isPartOfAnswers({ event }: Step): boolean {
  return isActionKind(event.type) || event.type === 'system.message';
}
