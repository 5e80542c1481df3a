import type { EncodedEnvelope } from '@sluice/event-schema';
import type { BlockHeader, BlockRef } from './facts';

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue | undefined };
export type JsonObject = { readonly [name: string]: JsonValue | undefined };

/** One piece of what the watcher knows of a chain. Its kind is the part of its key before the first `/`. */
export interface ChainDocument {
  readonly key: string;
  readonly value: JsonObject;
  /** When something is to be done about it: milliseconds since 1970. */
  readonly dueAt?: number;
}

/** A document as it is from now on; `value` null: gone. */
export interface ChainDocumentChange {
  readonly key: string;
  readonly value: JsonObject | null;
  readonly dueAt?: number;
}

/** An event that came of a block: what is taken back if the block vanishes. */
export interface EmittedEvent {
  readonly eventId: string;
  readonly type: string;
  readonly agentId: string;
  readonly data: JsonObject;
}

/** What undoes a block: documents as they were before it, and the events that came of it, in their order. */
export interface BlockJournal {
  readonly block: BlockHeader;
  readonly before: readonly ChainDocumentChange[];
  readonly emitted: readonly EmittedEvent[];
}

/** The right to change what is known of a chain: one holder at a time. */
export interface ChainGrant {
  readonly chainId: number;
  readonly holder: string;
  /** Rises with every change of holder. */
  readonly fencingToken: number;
}

/** Why a chain is not followed any more, until an operator decides. */
export interface ChainHalt {
  readonly reason: 'reorg_beyond_finality';
  readonly message: string;
  readonly haltedAt: number;
  /** The cursor that is no longer on the chain. */
  readonly cursor: BlockRef;
}

/** Where a watcher goes on. */
export interface ChainState {
  /** The last block that was worked off; absent: nothing yet. */
  readonly cursor: BlockRef | undefined;
  /** Blocks that can be undone, in ascending order; the last one is the cursor where it has a journal. */
  readonly journaled: readonly BlockHeader[];
  readonly halted: ChainHalt | undefined;
  /** An operator agreed to undo more than finality allows. */
  readonly acceptsDeepReorg: boolean;
}

/** All or nothing. What is absent stays as it is. */
export interface ChainCommit {
  readonly cursor?: BlockRef;
  readonly changes?: readonly ChainDocumentChange[];
  readonly journals?: readonly BlockJournal[];
  /** Forgets the journals of blocks above this number: they were undone. Before `journals` are added. */
  readonly dropJournalsAbove?: number;
  /** Forgets the journals of blocks up to this number. */
  readonly dropJournalsUpTo?: number;
  /** Sets or, with null, lifts the halt; lifting it also takes back an operator's agreement. */
  readonly halted?: ChainHalt | null;
  /** Events to append to the durable log, in this order. */
  readonly outbox?: readonly EncodedEnvelope[];
}

/** Events that were committed and are to be appended. */
export interface OutboxBatch {
  /** Rises from commit to commit. */
  readonly batchId: number;
  readonly events: readonly EncodedEnvelope[];
}

/** How a chain is coming on, as its watcher last said. */
export interface ChainStatus {
  readonly chainId: number;
  readonly cursor: BlockRef | undefined;
  readonly holder: string | undefined;
  readonly halted: ChainHalt | undefined;
  readonly acceptsDeepReorg: boolean;
  /** What the watcher reported, for people; see the watcher's status. */
  readonly report: JsonObject;
  readonly reportedAt: number | undefined;
}

/** Most documents that `due` gives at once. */
export const MAX_DUE_CHAIN_DOCUMENTS = 1000;

/**
 * What the watcher of chains keeps: its cursor, what it knows of agents, how to undo blocks that may vanish, and events on
 * their way to the durable log. It is the watcher's alone; everybody else reads the read model.
 *
 * `commit` is one transaction, and refused unless the grant is valid: whoever lost it changes nothing. Every method may
 * throw SluiceError `read_model_unavailable`; those that need a grant throw `conflict` when it is no longer valid.
 */
export interface ChainStore {
  /** Takes or renews the grant for `holder`; undefined while another one holds it. The store's clock decides. */
  acquire(chainId: number, holder: string, leaseMs: number): Promise<ChainGrant | undefined>;
  release(grant: ChainGrant): Promise<void>;
  load(grant: ChainGrant): Promise<ChainState>;
  /** The documents among these keys. */
  read(chainId: number, keys: readonly string[]): Promise<ReadonlyMap<string, ChainDocument>>;
  /** Documents of a kind that fall due at or before an instant, the earliest first. */
  due(query: {
    readonly chainId: number;
    readonly kind: string;
    readonly dueBefore: number;
    readonly limit: number;
  }): Promise<readonly ChainDocument[]>;
  /** Journals of blocks above this number, the highest first. */
  journals(chainId: number, above: number): Promise<readonly BlockJournal[]>;
  /** The number of the outbox batch, or undefined when there were no events. */
  commit(grant: ChainGrant, commit: ChainCommit): Promise<number | undefined>;
  /** Batches that are not settled yet, the oldest first. */
  outbox(grant: ChainGrant, limit: number): Promise<readonly OutboxBatch[]>;
  /** Forgets the batches up to this number: the durable log has them. */
  settle(grant: ChainGrant, upToBatchId: number): Promise<void>;
  /** What is shown to people; without a grant's protection, but nothing of a former holder overwrites that of its successor. */
  report(grant: ChainGrant, report: JsonObject): Promise<void>;
  statuses(): Promise<readonly ChainStatus[]>;
  /** An operator agrees that a halted chain is undone beyond its finality. False when the chain is not halted. */
  acceptDeepReorg(chainId: number): Promise<boolean>;
}
