import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { logEntityKey, type LogEntity } from '@sluice/event-log';
import type { EncodedEnvelope } from '@sluice/event-schema';

const ALGORITHM = 'aes-256-gcm';

/** The first byte of a sealed record, and its version. No JSON text begins with it. */
const FORM = 0x01;
const KEY_ID_BYTES = 16;
const LENGTH_BYTES = 2;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export const KEY_BYTES = 32;

/** A key that is ready to be used. */
export interface RecordKey {
  readonly keyId: string;
  readonly entity: LogEntity;
  readonly key: Uint8Array;
}

/** What can be read of a sealed record without its key. It is bound to what is sealed, so that neither can be changed. */
export interface SealedHeader {
  readonly keyId: string;
  readonly eventId: string;
  readonly entity: LogEntity;
  readonly occurredAt: number;
}

/** Whether a record claims to be sealed. */
export function isSealed(value: Uint8Array): boolean {
  return value[0] === FORM;
}

/**
 * The text of an event, sealed: form (1 byte), key id (16), length of the clear part (2), the clear part as a JSON array of id,
 * family, entity id, workspace id and time, nonce (12), the text as AES-256-GCM has it, tag (16). All that stands before the
 * nonce is authenticated with the text.
 */
export function sealEvent({ event, json }: EncodedEnvelope, { keyId, key }: RecordKey): Uint8Array {
  const { id, family, entityId, workspaceId, occurredAt } = event;
  const clear = Buffer.from(JSON.stringify([id, family, entityId, workspaceId, occurredAt]));
  const head = Buffer.allocUnsafe(1 + KEY_ID_BYTES + LENGTH_BYTES + clear.length);
  head[0] = FORM;
  head.write(keyId.replaceAll('-', ''), 1, 'hex');
  head.writeUInt16BE(clear.length, 1 + KEY_ID_BYTES);
  clear.copy(head, 1 + KEY_ID_BYTES + LENGTH_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(head);
  const text = cipher.update(json, 'utf8');
  return Buffer.concat([head, nonce, text, cipher.final(), cipher.getAuthTag()]);
}

/** The clear part of a sealed record; undefined when it is none. */
export function readHeader(value: Uint8Array): SealedHeader | undefined {
  const bytes = asBuffer(value);
  const end = headEnd(bytes);
  if (end === undefined) return undefined;
  const keyId = bytes.toString('hex', 1, 1 + KEY_ID_BYTES);
  try {
    const [eventId, family, entityId, workspaceId, occurredAt] = JSON.parse(
      bytes.toString('utf8', 1 + KEY_ID_BYTES + LENGTH_BYTES, end),
    ) as [string, LogEntity['family'], string, number, number];
    const entity = { workspaceId, family, entityId };
    return { keyId: keyId.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'), eventId, entity, occurredAt };
  } catch {
    return undefined;
  }
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
  const end = headEnd(bytes) ?? 0;
  const nonce = bytes.subarray(end, end + NONCE_BYTES);
  try {
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(bytes.subarray(0, end))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = decipher.update(bytes.subarray(end + NONCE_BYTES, -TAG_BYTES));
    decipher.final();
    return text;
  } catch {
    return undefined;
  }
}

/** Where the clear part ends; undefined when the record is too short to be one. */
function headEnd(bytes: Buffer): number | undefined {
  if (!isSealed(bytes) || bytes.length < 1 + KEY_ID_BYTES + LENGTH_BYTES) return undefined;
  const end = 1 + KEY_ID_BYTES + LENGTH_BYTES + bytes.readUInt16BE(1 + KEY_ID_BYTES);
  return bytes.length >= end + NONCE_BYTES + TAG_BYTES ? end : undefined;
}

function asBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
