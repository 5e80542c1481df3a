import type { ListSessions, SessionState, SessionStore } from '@sluice/agent-sessions';
import { z } from 'zod';
import { createdPlaceSchema, decodePage, encodePage, type PageOrder } from './paging';

const LIST = 'sessions';

/** A place, and which way from there: after it in the order of the list, unless it says `before`. */
const placeSchema = z.union([createdPlaceSchema, z.tuple([...createdPlaceSchema.def.items, z.literal('before')])]);

/** What is listed, but for where. */
export type AskedSessions = Omit<ListSessions, 'after'>;

export interface SessionPage {
  readonly states: readonly SessionState[];
  readonly next_page: string | null;
  readonly prev_page: string | null;
}

/** The place that a page is asked for by. @throws SluiceError `invalid_cursor` */
export function sessionPlaceOf(page: string, order: PageOrder): z.output<typeof placeSchema> {
  return decodePage(page, LIST, order, placeSchema);
}

/**
 * One page of sessions. From each page but the first one there is a way back; it has the same order, so that a page is the
 * same from both sides.
 */
export async function pageOfSessions(
  store: Pick<SessionStore, 'list'>,
  query: AskedSessions,
  place: z.output<typeof placeSchema> | undefined,
): Promise<SessionPage> {
  const { order } = query;
  const isBackwards = place?.[2] === 'before';
  const found = await store.list({
    ...query,
    order: isBackwards ? opposite(order) : order,
    ...(place && { after: { createdAtMs: place[0], id: place[1] } }),
  });
  const { hasMore } = found;
  const states = isBackwards ? found.states.toReversed() : found.states;
  const [first, last] = [states.at(0), states.at(-1)];
  // The way by which the caller came leads back.
  const hasNext = isBackwards || hasMore;
  const hasPrevious = isBackwards ? hasMore : place !== undefined;
  return {
    states,
    next_page: last && hasNext ? encodePage(LIST, order, [last.createdAtMs, last.id]) : null,
    prev_page: first && hasPrevious ? encodePage(LIST, order, [first.createdAtMs, first.id, 'before']) : null,
  };
}

function opposite(order: PageOrder): PageOrder {
  return order === 'ascending' ? 'descending' : 'ascending';
}
