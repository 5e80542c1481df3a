import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import {
  logEntityKey,
  SEALED_BYTES,
  SEALED_FORM,
  sealedHeaderEnd,
  type LogEntity,
  type SealedHeader,
} from '@sluice/event-log';
import type { EncodedEnvelope } from '@sluice/event-schema';

const ALGORITHM = 'aes-256-gcm';

export const KEY_BYTES = 32;

/** A key that is ready to be used. */
export interface RecordKey {
  readonly keyId: string;
  readonly entity: LogEntity;
  readonly key: Uint8Array;
}

/**
 * The text of an event, sealed (see `sealedHeaderEnd`) by AES-256-GCM. All that stands before the nonce is authenticated with the
 * text, so that neither can be changed.
 */
export function sealEvent({ event, json }: EncodedEnvelope, { keyId, key }: RecordKey): Uint8Array {
  const { id, family, entityId, workspaceId, occurredAt } = event;
  const clear = Buffer.from(JSON.stringify([id, family, entityId, workspaceId, occurredAt]));
  const head = Buffer.allocUnsafe(1 + SEALED_BYTES.keyId + SEALED_BYTES.length + clear.length);
  head[0] = SEALED_FORM;
  head.write(keyId.replaceAll('-', ''), 1, 'hex');
  head.writeUInt16BE(clear.length, 1 + SEALED_BYTES.keyId);
  clear.copy(head, 1 + SEALED_BYTES.keyId + SEALED_BYTES.length);
  const nonce = randomBytes(SEALED_BYTES.nonce);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(head);
  const text = cipher.update(json, 'utf8');
  return Buffer.concat([head, nonce, text, cipher.final(), cipher.getAuthTag()]);
}

/** The text of a sealed record, as it was appended; undefined when it does not open by this key. */
export function openRecord(
  value: Uint8Array,
  header: SealedHeader,
  { entity, key }: RecordKey,
): Uint8Array | undefined {
  // A key of another entity would say that one entity's event is another's.
  if (logEntityKey(header.entity) !== logEntityKey(entity)) return undefined;
  const bytes = asBuffer(value);
  const end = sealedHeaderEnd(bytes) ?? 0;
  const nonce = bytes.subarray(end, end + SEALED_BYTES.nonce);
  try {
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: SEALED_BYTES.tag })
      .setAAD(bytes.subarray(0, end))
      .setAuthTag(bytes.subarray(-SEALED_BYTES.tag));
    const text = decipher.update(bytes.subarray(end + SEALED_BYTES.nonce, -SEALED_BYTES.tag));
    decipher.final();
    return text;
  } catch {
    return undefined;
  }
}

function asBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
