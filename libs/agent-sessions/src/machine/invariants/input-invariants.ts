import type { SessionInvariant } from './invariants';
import { isQueuedCompanion, isRunStart, type Step } from './trace';

const at = ({ event, index }: Step): string => `events[${index}] ${event.type} ${event.id}`;

const BEFORE_SYSTEM_MESSAGE: readonly unknown[] = ['user.message', 'user.custom_tool_result', 'user.tool_result'];

/** What holds of inputs and of times. */
export const INPUT_INVARIANTS: readonly SessionInvariant[] = [
  {
    id: 'S15',
    text: 'A message has the time at which its run began, which is the first that began after it, and null exactly while there is none.',
    faults: (steps) => {
      const waiting = new Set(queued(steps));
      let runTime: string | null = null;
      const faults: Step[] = [];
      for (const step of steps.toReversed()) {
        if (isRunStart(step)) runTime = step.event.processed_at;
        if (waiting.has(step) && step.event.processed_at !== runTime) faults.unshift(step);
      }
      return faults.map(at);
    },
  },
  {
    id: 'S16',
    text: 'Every other event has a time when it is stored, and these times never fall.',
    faults: (steps) => {
      const waiting = new Set(queued(steps));
      let last = Number.NEGATIVE_INFINITY;
      return steps
        .filter((step) => !waiting.has(step))
        .filter(({ event }) => {
          const time = event.processed_at === null ? Number.NaN : Date.parse(event.processed_at);
          const isRight = time >= last;
          if (isRight) last = time;
          return !isRight;
        })
        .map(at);
    },
  },
  {
    id: 'S17',
    text: '`system.message` is right after a `user.message` or a tool result.',
    faults: (steps) =>
      steps
        .filter(({ event, index }) => {
          const before = steps[index - 1]?.event.type;
          return event.type === 'system.message' && !BEFORE_SYSTEM_MESSAGE.includes(before);
        })
        .map(at),
  },
  {
    id: 'S18',
    text: 'Each `user.define_outcome` has an `outcome_id` of its own.',
    faults: (steps) => {
      const seen = new Set<unknown>();
      return steps
        .filter(({ event }) => event.type === 'user.define_outcome')
        .filter(
          ({ event }) => typeof event['outcome_id'] !== 'string' || seen.size === seen.add(event['outcome_id']).size,
        )
        .map(at);
    },
  },
];

function queued(steps: readonly Step[]): readonly Step[] {
  return steps.filter(
    ({ event, index }) => event.type === 'user.message' || isQueuedCompanion(event, steps[index - 1]?.event),
  );
}
