import {
  encodeEnvelope,
  newEventId,
  sessionEventDataSchema,
  STORED_SESSION_EVENT_TYPES,
  type EncodedEnvelope,
  type EventEnvelope,
  type SessionEventData,
  type StoredSessionEventType,
} from '@sluice/event-schema';
import { OCCURRED_AT } from './workspace-envelope';

/** The session that the events of tests are of unless they say otherwise. */
export const SESSION_ID = `sesn_${'0'.repeat(31)}1`;

/** When the event that is `ms` after the first one was processed, as clients see it. */
export const processedAt = (ms: number) => new Date(OCCURRED_AT + ms).toISOString();

/** A session event for tests, with an envelope id of its own. Its data has to be what its type says. */
export function sessionEnvelope(data: SessionEventData, overrides: Partial<EventEnvelope> = {}): EncodedEnvelope {
  return encodeEnvelope({
    id: newEventId(),
    family: 'session',
    entityId: SESSION_ID,
    workspaceId: 1,
    type: data.type,
    schemaVersion: 1,
    occurredAt: OCCURRED_AT,
    data: isKnown(data.type) ? sessionEventDataSchema(data.type).parse(data) : data,
    ...overrides,
  });
}

const isKnown = (type: string): type is StoredSessionEventType =>
  STORED_SESSION_EVENT_TYPES.some((known) => known === type);

/** A message that waits for its run. */
export const queued = (id: string, text = id): SessionEventData => ({
  id,
  type: 'user.message',
  processed_at: null,
  content: [{ type: 'text', text }],
});

/** What the agent says `ms` after the first event. */
export const said = (id: string, ms = 0, text = id): SessionEventData => ({
  id,
  type: 'agent.message',
  processed_at: processedAt(ms),
  content: [{ type: 'text', text }],
});

/** A run that begins `ms` after the first event, with what was queued. */
export const running = (id: string, inputs: readonly string[], ms = 0): SessionEventData => ({
  id,
  type: 'session.status_running',
  processed_at: processedAt(ms),
  sluice: { processed_inputs: [...inputs], run_id: 'srun_1' },
});
