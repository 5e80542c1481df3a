import { decodeUtf8, type JournalledKey, type LogEntry } from '@sluice/event-log';
import { eventFamilySchema } from '@sluice/event-schema';
import { z } from 'zod';
import { KEY_BYTES } from './sealed-record';

const VERSION = 1;
const TICK_VALUE = Buffer.from(JSON.stringify({ version: VERSION, tick: true }));

const keyField = z.base64().transform((text, context) => {
  const key = Buffer.from(text, 'base64');
  if (key.length !== KEY_BYTES) context.addIssue({ code: 'custom', message: `must have ${KEY_BYTES} bytes` });
  return key;
});

/** A line of the journal. Without a key it says that the key is destroyed. */
const lineSchema = z.object({
  version: z.literal(VERSION),
  keyId: z.guid().lowercase(),
  workspaceId: z.int32(),
  family: eventFamilySchema,
  entityId: z.string(),
  generation: z.int32().min(0),
  key: keyField.optional(),
});

/**
 * A record that says nothing and supersedes itself. A broker compacts only what it does not write to any more, so a journal in
 * which nothing else happens is ticked until what was destroyed is gone from its disks.
 */
export const TICK: LogEntry = { key: 'tick', value: TICK_VALUE };

/** A key as the journal has it. What says that it is destroyed supersedes the key, and stays for good. */
export function toJournalEntry({ keyId, entity, generation, key }: JournalledKey): LogEntry {
  const { workspaceId, family, entityId } = entity;
  const line: z.input<typeof lineSchema> = {
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

/** @returns undefined for a tick. @throws Error for what is no line of the journal */
export function fromJournal(value: Uint8Array): JournalledKey | undefined {
  if (TICK_VALUE.equals(value)) return undefined;
  const { data, error } = lineSchema.safeParse(JSON.parse(decodeUtf8(value)));
  if (!data) throw new Error(z.prettifyError(error));
  const { keyId, workspaceId, family, entityId, generation, key } = data;
  return {
    keyId,
    entity: { workspaceId, family, entityId },
    generation,
    ...(key === undefined ? {} : { key }),
  };
}
