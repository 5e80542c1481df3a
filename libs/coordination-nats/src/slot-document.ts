import { createHash } from 'node:crypto';
import { isObject } from './is-object';

/** Who holds how many slots of one key: what the document about it says. */
export interface SlotDocument {
  readonly key: string;
  /** Slots by replica; never 0. */
  readonly held: ReadonlyMap<string, number>;
}

/** The name of a key's document: keys may have any characters, names in a bucket may not. */
export function documentName(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

export function encodeDocument({ key, held }: SlotDocument): string {
  return JSON.stringify({ key, held: Object.fromEntries(held) });
}

/**
 * What a document says; one that nobody of ours wrote says that nobody holds anything, and is overwritten by the next
 * who takes a slot.
 */
export function decodeDocument(key: string, text: string): SlotDocument {
  return { key, held: new Map(countsIn(text)) };
}

function countsIn(text: string): (readonly [string, number])[] {
  try {
    const parsed: unknown = JSON.parse(text);
    if (!isObject(parsed) || !isObject(parsed['held'])) return [];
    return Object.entries(parsed['held']).flatMap(([replica, count]) =>
      Number.isSafeInteger(count) && Number(count) > 0 ? [[replica, Number(count)] as const] : [],
    );
  } catch {
    return [];
  }
}
