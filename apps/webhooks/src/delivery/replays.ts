import { encodeEnvelope, recordEnvelope, type RecordedEvent } from '@sluice/event-schema';
import {
  isSuccess,
  webhookBody,
  type DeadLetter,
  type RecordedDelivery,
  type WebhookEndpoint,
  type WebhookGrant,
} from '@sluice/webhook-delivery';
import { attemptEntry } from './attempt-entry';
import type { RunnerPorts } from './runner-ports';

/** Dead letters that are sent between live events, before those have their turn again. */
const REPLAYED_AT_ONCE = 10;

interface Replaying {
  readonly endpoint: WebhookEndpoint;
  readonly grant: WebhookGrant;
  readonly ports: RunnerPorts;
  readonly record: (delivery: RecordedDelivery) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Sends some of the dead letters that wait for it, each once. Whether more of them may wait. */
export async function sendReplays(replaying: Replaying): Promise<boolean> {
  const { ports, grant, signal } = replaying;
  const letters = await ports.store.replays(grant, REPLAYED_AT_ONCE);
  if (letters.length === 0) return false;
  const events = await ports.reader.findByIds(letters.map(({ eventId }) => eventId));
  for (const letter of letters) {
    signal.throwIfAborted();
    await replay(replaying, letter, events.get(letter.eventId));
  }
  return letters.length === REPLAYED_AT_ONCE;
}

async function replay(
  { endpoint, ports, record, signal }: Replaying,
  letter: DeadLetter,
  event: RecordedEvent | undefined,
): Promise<void> {
  const { deadLetterId, eventId, eventType, position } = letter;
  const at = ports.clock.now();
  // It may be kept no longer; the dead letter stays, for its owner to see.
  const result =
    event === undefined
      ? ({ kind: 'unanswered', error: 'event_not_kept', durationMs: 0 } as const)
      : await ports.sender.send({ endpoint, id: eventId, body: bodyOf(event), isRetry: true }, signal);
  const isDelivered = isSuccess(result);
  const outcome = isDelivered ? 'delivered' : 'failed';
  const told = { id: eventId, type: eventType, position };
  const entry = attemptEntry('replay', told, result, { outcome }, { at, attempt: letter.attempts + 1 });
  await record({ entry, replayed: { deadLetterId, isDelivered } });
  ports.signals.attempted('replay', outcome, result.durationMs);
}

function bodyOf(event: RecordedEvent): string {
  const { json } = recordEnvelope(encodeEnvelope(event), event);
  return webhookBody({ eventId: event.id, type: event.type, occurredAt: event.occurredAt, json });
}
