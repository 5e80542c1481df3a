import type { EncodedEnvelope, SessionEventData } from '@sluice/event-schema';
import fc from 'fast-check';
import { processedAt, queued, running, said, SESSION_ID, sessionEnvelope } from './session-envelope';

/** Few of each, so that events meet. */
export const HISTORY_WORKSPACE_IDS = [1, 2];
export const HISTORY_SESSION_IDS = [SESSION_ID, `sesn_${'f'.repeat(32)}`];

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const ms = fc.nat(20);

const data: fc.Arbitrary<SessionEventData> = fc.oneof(
  id.map((one) => queued(one)),
  fc.tuple(id, ms).map(([one, at]) => said(one, at)),
  fc.tuple(id, fc.array(id, { maxLength: 4 }), ms).map(([one, inputs, at]) => running(one, inputs, at)),
  fc.tuple(id, ms).map(([one, at]) => ({ id: one, type: 'session.created', processed_at: processedAt(at) })),
);

/** Batches of events that meet each other, in any order: also orders that no producer of ours makes. */
export const sessionHistory: fc.Arbitrary<readonly (readonly EncodedEnvelope[])[]> = fc.array(
  fc.array(
    fc
      .tuple(data, fc.constantFrom(...HISTORY_WORKSPACE_IDS), fc.constantFrom(...HISTORY_SESSION_IDS))
      .map(([one, workspaceId, entityId]) => sessionEnvelope(one, { workspaceId, entityId })),
    { maxLength: 30, size: 'max' },
  ),
  { maxLength: 6, size: 'max' },
);
