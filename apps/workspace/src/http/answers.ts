import type { Changed } from '../changed';
import type { RouteAnswer } from './route';

/** A page of a list, with the cursor of the next one as text. */
export function listBody(list: object, nextCursor: number | undefined): RouteAnswer {
  return { body: { ...list, ...(nextCursor !== undefined && { next_cursor: String(nextCursor) }) } };
}

/** What a command left behind, as it is. */
export function answerOf<T extends object>({ value, isPending }: Changed<T>): RouteAnswer {
  return { body: value, isPending };
}
