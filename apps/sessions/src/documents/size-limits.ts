import type { Decision } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';

/** Most bytes of JSON of one document: an agent, one version of it, an environment, and so on. */
export const MAX_DOCUMENT_BYTES = 1_048_576;

/** Most bytes of JSON that callers can make of the state of one session, its agent and its resources among it. */
export const MAX_SESSION_BYTES = 2 * MAX_DOCUMENT_BYTES;

/** @throws SluiceError `payload_too_large` */
export function requireDocumentSize(fields: object): void {
  requireSize(fields, MAX_DOCUMENT_BYTES);
}

/** For decisions on what callers give to a session. @throws SluiceError `payload_too_large` */
export function withinSessionSize(decision: Decision): Decision {
  if (decision.kind === 'accepted' && decision.state) requireSize(decision.state, MAX_SESSION_BYTES);
  return decision;
}

function requireSize(value: object, maxBytes: number): void {
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > maxBytes) throw new SluiceError('payload_too_large', `It would have more than ${maxBytes} bytes`);
}
