import { decodeUtf8, type JournalledKey, type LogEntity, type LogEntry } from '@sluice/event-log';
import { KEY_BYTES } from './sealed-record';

const VERSION = 1;

interface JournalLine extends LogEntity {
  readonly version: number;
  readonly keyId: string;
  readonly generation: number;
  /** Base64; absent when it is destroyed. */
  readonly key?: string;
}

/** A key as the journal has it. What says that it is destroyed supersedes the key, and stays for good. */
export function toJournalEntry({ keyId, entity, generation, key }: JournalledKey): LogEntry {
  const { workspaceId, family, entityId } = entity;
  const line: JournalLine = {
    version: VERSION,
    keyId,
    workspaceId,
    family,
    entityId,
    generation,
    ...(key === undefined ? {} : { key: Buffer.from(key).toString('base64') }),
  };
  return { key: keyId, value: Buffer.from(JSON.stringify(line)) };
}

/** @throws Error for what is no line of the journal */
export function fromJournal(value: Uint8Array): JournalledKey {
  const line = JSON.parse(decodeUtf8(value)) as Partial<JournalLine> | null;
  const { version, keyId, workspaceId, family, entityId, generation, key } = line ?? {};
  if (version !== VERSION) throw new Error(`version ${String(version)} is not known`);
  if (keyId === undefined || workspaceId === undefined || family === undefined || entityId === undefined) {
    throw new Error('it lacks a member');
  }
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(keyId)) throw new Error('its id is no UUID');
  if (typeof generation !== 'number' || !Number.isInteger(generation)) throw new Error('it has no generation');
  const bytes = key === undefined ? undefined : Buffer.from(key, 'base64');
  if (bytes && bytes.length !== KEY_BYTES) throw new Error('its key has another length');
  return {
    keyId,
    entity: { workspaceId, family, entityId },
    generation,
    ...(bytes === undefined ? {} : { key: bytes }),
  };
}
