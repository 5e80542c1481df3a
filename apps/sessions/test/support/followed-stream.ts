import type { Anthropic } from '@anthropic-ai/sdk';
import { until } from '@sluice/event-log/conformance';

export type StreamEvent = Anthropic.Beta.Sessions.BetaManagedAgentsStreamSessionEvents;
export type Previewed = Anthropic.Beta.Sessions.BetaManagedAgentsDeltaType;

export const ALL_DELTAS: Previewed[] = ['agent.message', 'agent.thinking'];

/** A stream of the SDK, and what came of it so far. */
export async function follow(client: Anthropic, session: string, deltas?: Previewed[]) {
  const stream = await client.beta.sessions.events.stream(session, deltas && { event_deltas: deltas });
  const events: StreamEvent[] = [];
  const ended = (async () => {
    for await (const event of stream) events.push(event);
  })();
  const has = (fits: (event: StreamEvent) => boolean, what: string) => until(() => events.some(fits), what);
  return {
    events,
    types: () => events.map(({ type }) => type),
    has,
    /** Waits for the end of a turn, then ends. */
    turn: async () => {
      await has(isEndOfTurn, 'the turn ends');
      stream.controller.abort();
      await ended;
      return events;
    },
  };
}

const isEndOfTurn = ({ type }: StreamEvent) => type === 'session.status_idle' || type === 'session.status_terminated';
export const isDelta = ({ type }: StreamEvent) => type === 'event_start' || type === 'event_delta';

/** The ids of what was begun. */
export const startedIds = (events: readonly StreamEvent[], of: Previewed = 'agent.message') =>
  events.flatMap((event) => (event.type === 'event_start' && event.event.type === of ? [event.event.id] : []));

/** The text of an event as its deltas have it. */
export function shownText(events: readonly StreamEvent[], id: string): string {
  return events
    .flatMap((event) => (event.type === 'event_delta' && event.event_id === id ? [event.delta.content.text] : []))
    .join('');
}

/** The texts of the whole messages. */
export const messageTexts = (events: readonly StreamEvent[]) =>
  events.flatMap((event) =>
    event.type === 'agent.message' ? event.content.map((block) => (block.type === 'text' ? block.text : '')) : [],
  );
