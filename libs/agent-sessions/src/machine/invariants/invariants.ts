import type { SessionEventBody } from '../../session-event';
import { ANSWER_INVARIANTS } from './answer-invariants';
import { COURSE_INVARIANTS } from './course-invariants';
import { INPUT_INVARIANTS } from './input-invariants';
import { trace, type Step } from './trace';

/** What holds of the events of every session, at rest, in the order of its list. */
export interface SessionInvariant {
  /** `S1` and so on: the number that tests and documents name. */
  readonly id: string;
  readonly text: string;
  /** Where it does not hold. */
  readonly faults: (steps: readonly Step[]) => readonly string[];
}

/** Every invariant of a session's events, in the order of their numbers. */
export const SESSION_INVARIANTS: readonly SessionInvariant[] = [
  ...COURSE_INVARIANTS,
  ...ANSWER_INVARIANTS,
  ...INPUT_INVARIANTS,
];

/**
 * Checks all that a session recorded, in the order and form in which it is listed, while no command on it is under way.
 * Gives what does not hold: the number of the invariant and where. It needs nothing but the list; it sees more if the list
 * has `session.created` and `session.archived` too.
 */
export function checkSessionInvariants(events: readonly SessionEventBody[]): string[] {
  const steps = trace(events);
  return SESSION_INVARIANTS.flatMap(({ id, faults }) => faults(steps).map((fault) => `${id}: ${fault}`));
}
