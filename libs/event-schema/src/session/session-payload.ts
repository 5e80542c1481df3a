import type { EventData } from '../catalogue/event-type';

/** Our notes beside the event; see `SessionEventNotes`. */
const NOTES = 'sluice';

/** A session event as clients of the sessions API see it: its data without our notes. Never changes the data. */
export function toSessionPayload(data: EventData): Readonly<Record<string, unknown>> {
  if (!Object.hasOwn(data, NOTES)) return data;
  const { [NOTES]: _notes, ...payload } = data;
  return payload;
}
