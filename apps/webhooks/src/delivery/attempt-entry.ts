import type { RecordedEvent } from '@sluice/event-schema';
import type { AttemptResult, AttemptVerdict, DeliveryEntry, DeliveryKind } from '@sluice/webhook-delivery';

type Told = Pick<RecordedEvent, 'id' | 'type'> & { readonly position?: number };

/** The line of the delivery log for one attempt. */
export function attemptEntry(
  kind: DeliveryKind,
  { id, type, position }: Told,
  result: AttemptResult,
  verdict: Pick<AttemptVerdict, 'outcome'> & { readonly nextAttemptAt?: number },
  { at, attempt }: { readonly at: number; readonly attempt: number },
): DeliveryEntry {
  const { outcome, nextAttemptAt } = verdict;
  return {
    kind,
    outcome,
    at,
    eventId: id,
    eventType: type,
    ...(position !== undefined && { position }),
    attempt,
    durationMs: result.durationMs,
    ...(result.kind === 'answered' ? answered(result) : unanswered(result)),
    ...(nextAttemptAt !== undefined && { nextAttemptAt }),
  };
}

function unanswered({ error, reason, status }: AttemptResult & { readonly kind: 'unanswered' }) {
  return { error, ...(reason !== undefined && { reason }), ...(status !== undefined && { status }) };
}

function answered({ status, answer }: AttemptResult & { readonly kind: 'answered' }) {
  return { status, ...(answer !== undefined && { answer }) };
}
