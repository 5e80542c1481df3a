import type { SessionEventInput } from './inputs';
import { answeredToolUse, isActionKind } from './tool-kinds';

/** The ids of events that deciding on these ones has to know of: what `DecisionContext.knownEvents` is to be asked for. */
export function referencedEventIds(events: readonly SessionEventInput[]): readonly string[] {
  const ids = new Set<string>();
  for (const event of events) {
    if (typeof event['id'] === 'string') ids.add(event['id']);
    if (isActionKind(event.type)) ids.add(answeredToolUse(event));
    for (const id of waitedFor(event['stop_reason'])) ids.add(id);
  }
  return [...ids];
}

function waitedFor(stopReason: unknown): readonly string[] {
  if (typeof stopReason !== 'object' || stopReason === null || !('event_ids' in stopReason)) return [];
  const { event_ids: eventIds } = stopReason;
  return Array.isArray(eventIds) ? eventIds.filter((id) => typeof id === 'string') : [];
}
