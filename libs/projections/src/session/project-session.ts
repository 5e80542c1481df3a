import { isShownSessionEventType, type EventData, type RecordedEvent } from '@sluice/event-schema';
import type { SessionEventChange } from './session-event-change';

/** What one event means for the history of its session. Types of our own and free ones enter none. */
export function projectSession(event: RecordedEvent): readonly SessionEventChange[] {
  const { workspaceId, entityId: sessionId, type, position, data } = event;
  const { id, processed_at: processedAt } = data;
  if (!isShownSessionEventType(type) || typeof id !== 'string') return [];
  const processedAtMs = typeof processedAt === 'string' ? Date.parse(processedAt) : null;
  return [
    {
      kind: 'session_event',
      workspaceId,
      sessionId,
      processed: new Map(processedAtMs === null ? [] : processedInputs(data).map((input) => [input, processedAtMs])),
      added: [{ position, id, type, processedAtMs, data }],
    },
  ];
}

function processedInputs({ sluice }: EventData): readonly string[] {
  if (typeof sluice !== 'object' || sluice === null || !('processed_inputs' in sluice)) return [];
  const { processed_inputs: inputs } = sluice;
  return Array.isArray(inputs) ? inputs.filter((input): input is string => typeof input === 'string') : [];
}
