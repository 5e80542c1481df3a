import { z } from 'zod';
import { SdkRefusal } from '../refusal';

/** Most entries of the metadata of one thing. */
const MAX_METADATA_ENTRIES = 16;
const MAX_KEY_LENGTH = 64;
const MAX_VALUE_LENGTH = 512;

const keyField = z.string().min(1).max(MAX_KEY_LENGTH);
const valueField = z.string().max(MAX_VALUE_LENGTH);

/** Texts of the caller's own, which are given back as they are. */
export const metadataField = z
  .record(keyField, valueField)
  .refine(
    (entries) => Object.keys(entries).length <= MAX_METADATA_ENTRIES,
    `must have at most ${MAX_METADATA_ENTRIES} entries`,
  );

/** As `metadataField`, where null removes a key. */
export const metadataPatchField = z.record(keyField, valueField.nullable()).nullable();

/**
 * Metadata with a patch of it: null removes a key.
 * @throws SdkRefusal `invalid_metadata` when there would be too many keys
 */
export function patchMetadata(
  before: unknown,
  patch: Readonly<Record<string, string | null>> | null | undefined,
): Readonly<Record<string, string>> {
  const entries = new Map(Object.entries(Object(before) as Record<string, string>));
  for (const [key, value] of Object.entries(patch ?? {})) {
    if (value === null) entries.delete(key);
    else entries.set(key, value);
  }
  if (entries.size > MAX_METADATA_ENTRIES) {
    const where = 'metadata';
    const message = `${where}: there can be at most ${MAX_METADATA_ENTRIES} keys`;
    throw new SdkRefusal('invalid_request', 'invalid_metadata', message, { where });
  }
  return Object.fromEntries(entries);
}
