import { toPosition } from '@sluice/event-log';
import { recordEnvelope, type EncodedEnvelope } from '@sluice/event-schema';
import { changesOfKind } from '../change';
import { mergeChanges, projectEvent } from '../project';
import { MemorySessionEvents } from '../session/memory-session-events';
import type { ListSessionEvents, SessionEventPage, SessionEventRecord, SessionEvents } from '../session/session-events';
import { SESSION_ID } from './session-envelope';

/** One read model with nothing in it, and what reads the events of its sessions. */
export interface SessionEventsHarness {
  readonly events: SessionEvents;
  /** Records events in one batch, after those of the batches before. */
  record(envelopes: readonly EncodedEnvelope[]): Promise<void>;
  /** Has retention remove what is recorded by now. */
  removeAll(): Promise<void>;
  /** Lets go of the read model and everything that was opened. */
  destroy(): Promise<void>;
}

/** The harness of the test that runs. */
export type CurrentSessionHarness = () => SessionEventsHarness;

/** Session events in memory, with positions as a read model gives them. */
export function memorySessionHarness(): SessionEventsHarness {
  let removedUpTo = 0;
  const events = new MemorySessionEvents((position) => position > removedUpTo);
  const known = new Set<string>();
  const recorded = (envelope: EncodedEnvelope) => {
    known.add(envelope.event.id);
    return recordEnvelope(envelope, { position: toPosition(known.size), entitySequence: 1, recordedAt: 1 }).event;
  };
  return {
    events,
    record: async (envelopes) => {
      const fresh = envelopes.flatMap((envelope) => (known.has(envelope.event.id) ? [] : [recorded(envelope)]));
      events.apply(changesOfKind('session_event', mergeChanges(fresh.flatMap(projectEvent))));
    },
    removeAll: async () => void (removedUpTo = known.size),
    destroy: async () => undefined,
  };
}

export type PageQuery = Partial<ListSessionEvents>;

/** One page of a session, of session 1 in workspace 1 unless the query says otherwise. */
export function pageOf({ events }: SessionEventsHarness, query: PageQuery = {}): Promise<SessionEventPage> {
  return events.list({ workspaceId: 1, sessionId: SESSION_ID, order: 'ascending', limit: 100, ...query });
}

/** More pages than any test has. */
const MAX_PAGES = 1000;

/** All pages of a list, one after the other. */
export async function pagesOf(harness: SessionEventsHarness, query: PageQuery = {}): Promise<SessionEventPage[]> {
  const pages: SessionEventPage[] = [];
  for (let place: PageQuery = {}; pages.length < MAX_PAGES;) {
    const page = await pageOf(harness, { ...query, ...place });
    pages.push(page);
    if (page.next === undefined) return pages;
    place = { after: page.next };
  }
  throw new Error('A list has no end');
}

/** All events of a list. */
export async function eventsOf(
  harness: SessionEventsHarness,
  query: PageQuery = {},
): Promise<readonly SessionEventRecord[]> {
  return (await pagesOf(harness, query)).flatMap(({ events }) => events);
}

/** The ids of all events of a list. */
export async function idsOf(harness: SessionEventsHarness, query: PageQuery = {}): Promise<readonly string[]> {
  return (await eventsOf(harness, query)).map(({ id }) => id);
}
