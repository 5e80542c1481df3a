import { newEventId } from '@sluice/event-schema';
import type { Repetition } from '../http/sdk-door';
import type { CommandReceipt } from '../journal/command-receipt';

/** Of a call that must not happen twice. */
export function receiptOf(repetition: Repetition): CommandReceipt {
  const { requestHash, isRetry, arrivedAtMs, onAnswered } = repetition;
  const unkeyed = { isRetry, arrivedAtMs, onAnswered };
  return keyedReceiptOf(repetition) ?? { key: `request/${newEventId()}`, requestHash, unkeyed };
}

/** Of a call that makes a session: it has no session yet in which it could be looked for. */
export function creationReceiptOf(workspaceId: number, repetition: Repetition): CommandReceipt {
  return { ...receiptOf(repetition), scope: `create/${workspaceId}` };
}

/** Of a call that may happen twice, unless its caller says by a key that it may not. */
export function keyedReceiptOf({ key, requestHash }: Repetition): CommandReceipt | undefined {
  return key === undefined ? undefined : { key: `key/${key}`, requestHash };
}
