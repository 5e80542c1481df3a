import type { EventFamily } from '@sluice/event-schema';
import { decodeUtf8 } from './encoding';
import type { LogEntity } from './ports/log-erasure';

/** The first byte of a sealed record, and its version. No JSON text begins with it. */
export const SEALED_FORM = 0x01;

/** Bytes of the parts of a sealed record: see `sealedHeaderEnd`. */
export const SEALED_BYTES = { keyId: 16, length: 2, nonce: 12, tag: 16 } as const;

const CLEAR_AT = 1 + SEALED_BYTES.keyId + SEALED_BYTES.length;

/** What can be read of a sealed record without its key. Only who has the key can tell whether it is true. */
export interface SealedHeader {
  readonly keyId: string;
  readonly eventId: string;
  readonly entity: LogEntity;
  readonly occurredAt: number;
}

/** Whether a record claims to be sealed. */
export function isSealed(value: Uint8Array): boolean {
  return value[0] === SEALED_FORM;
}

/**
 * A sealed record is: form (1 byte), key id (16), length of the clear part (2), the clear part as a JSON array of event id,
 * family, entity id, workspace id and time, nonce (12), what is sealed, tag (16).
 * @returns where the clear part ends; undefined when the record is too short to be one
 */
export function sealedHeaderEnd(value: Uint8Array): number | undefined {
  if (!isSealed(value) || value.length < CLEAR_AT) return undefined;
  const [high = 0, low = 0] = value.subarray(CLEAR_AT - SEALED_BYTES.length, CLEAR_AT);
  const end = CLEAR_AT + high * 256 + low;
  return value.length >= end + SEALED_BYTES.nonce + SEALED_BYTES.tag ? end : undefined;
}

/** Undefined when the record is no sealed one. */
export function readSealedHeader(value: Uint8Array): SealedHeader | undefined {
  const end = sealedHeaderEnd(value);
  if (end === undefined) return undefined;
  const keyId = Buffer.from(value.subarray(1, 1 + SEALED_BYTES.keyId)).toString('hex');
  try {
    const clear: unknown = JSON.parse(decodeUtf8(value.subarray(CLEAR_AT, end)));
    if (!Array.isArray(clear)) return undefined;
    const [eventId, family, entityId, workspaceId, occurredAt] = clear as unknown[];
    if (typeof eventId !== 'string' || typeof family !== 'string' || typeof entityId !== 'string') return undefined;
    if (typeof workspaceId !== 'number' || typeof occurredAt !== 'number') return undefined;
    const entity = { workspaceId, family: family as EventFamily, entityId };
    return { keyId: keyId.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'), eventId, entity, occurredAt };
  } catch {
    return undefined;
  }
}
