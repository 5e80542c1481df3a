import type {
  BlockHeader,
  BlockJournal,
  BlockRef,
  ChainDocument,
  ChainDocumentChange,
  EmittedEvent,
  JsonObject,
} from '@sluice/agent-registry';
import type { EncodedEnvelope, EventEnvelope } from '@sluice/event-schema';

export interface ChainRow {
  readonly cursor_number: bigint | null;
  readonly cursor_hash: string | null;
  readonly halted: string | null;
  readonly accepts_deep_reorg: boolean;
}

export interface DocumentRow {
  readonly key: string;
  readonly value: string;
  readonly due_at: number | null;
}

export interface HeaderRow {
  readonly number: bigint;
  readonly hash: string;
  readonly parent_hash: string;
  readonly timestamp: bigint;
}

export interface JournalRow extends HeaderRow {
  readonly before: string;
  readonly emitted: string;
}

export function fromCursor({ cursor_number, cursor_hash }: ChainRow): BlockRef | undefined {
  return cursor_number === null || cursor_hash === null
    ? undefined
    : { number: Number(cursor_number), hash: cursor_hash };
}

export function fromDocumentRow({ key, value, due_at }: DocumentRow): ChainDocument {
  return { key, value: JSON.parse(value) as JsonObject, ...(due_at === null ? {} : { dueAt: due_at }) };
}

export function fromHeaderRow({ number, hash, parent_hash, timestamp }: HeaderRow): BlockHeader {
  return { number: Number(number), hash, parentHash: parent_hash, timestamp: Number(timestamp) };
}

export function fromJournalRow(row: JournalRow): BlockJournal {
  return {
    block: fromHeaderRow(row),
    before: JSON.parse(row.before) as ChainDocumentChange[],
    emitted: JSON.parse(row.emitted) as EmittedEvent[],
  };
}

/** Whether it can be a line of a list, and stored. */
export function isKey(key: string): boolean {
  return /^[^\n\0]+$/.test(key);
}

/** The envelopes whose texts are lines. */
export function fromEventLines(lines: string): readonly EncodedEnvelope[] {
  return lines.split('\n').map((json) => ({ event: JSON.parse(json) as EventEnvelope, json }));
}
