import {
  eventIdFromIdempotencyKey,
  MAX_TIMESTAMP_MS,
  PUBLIC_WORKSPACE_ID,
  type RegistryEventData,
  type RegistryEventType,
} from '@sluice/event-schema';
import type { BlockJournal, ChainDocument, ChainDocumentChange, EmittedEvent, JsonObject } from '../chain-store';
import type { BlockHeader } from '../facts';
import { sequenceKey, type SequenceValue } from './documents';
import {
  IGNORED_REASONS,
  type IgnoredReason,
  type LedgerContext,
  type LedgerOutcome,
  type RegistryDraft,
} from './ledger-types';

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** The own fields of an event type. */
export type EventFields<T extends RegistryEventType> = DeepReadonly<
  Omit<RegistryEventData<T>, 'agentId' | 'chainId' | 'chain'>
>;

/** Where on its chain something was logged. */
export type ChainCoordinates = {
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly logIndex: number;
};

/** What an event came of: a log, or something else. */
export type Origin =
  | { readonly kind: 'log'; readonly chain: ChainCoordinates; readonly occurredAt: number; readonly suffix: string }
  | { readonly kind: 'off_chain' };

export const OFF_CHAIN: Origin = { kind: 'off_chain' };

/** One run of the ledger: documents with what changed of them so far, and the events of that. */
export class LedgerRun {
  readonly #changes = new Map<string, ChainDocumentChange>();
  readonly #drafts: RegistryDraft[] = [];
  readonly #ignored = Object.fromEntries(IGNORED_REASONS.map((reason) => [reason, 0])) as Record<IgnoredReason, number>;
  readonly #journals: BlockJournal[] = [];
  #before: Map<string, ChainDocumentChange> | undefined;
  #emitted: EmittedEvent[] = [];

  constructor(
    private readonly documents: ReadonlyMap<string, ChainDocument>,
    readonly context: LedgerContext,
  ) {}

  /** What a document says now; the caller knows its kind. */
  find<T extends JsonObject>(key: string): T | undefined {
    const change = this.#changes.get(key);
    return (change === undefined ? this.documents.get(key)?.value : (change.value ?? undefined)) as T | undefined;
  }

  /** A document with the time it is due at, as a change that puts it back. */
  held(key: string): ChainDocumentChange {
    return this.#changes.get(key) ?? this.documents.get(key) ?? { key, value: null };
  }

  put(key: string, value: JsonObject, dueAt?: number): void {
    this.apply(dueAt === undefined ? { key, value } : { key, value, dueAt });
  }

  remove(key: string): void {
    if (this.held(key).value !== null) this.apply({ key, value: null });
  }

  apply(change: ChainDocumentChange): void {
    this.touch(change.key);
    this.#changes.set(change.key, change);
  }

  /** Puts the document into the journal as it is now, whether or not it changes. */
  touch(key: string): void {
    if (this.#before !== undefined && !this.#before.has(key)) this.#before.set(key, this.held(key));
  }

  ignore(reason: IgnoredReason): void {
    this.#ignored[reason]++;
  }

  openJournal(): void {
    this.#before = new Map();
    this.#emitted = [];
  }

  closeJournal({ number, hash, parentHash, timestamp }: BlockHeader): void {
    const before = [...(this.#before?.values() ?? [])];
    this.#journals.push({ block: { number, hash, parentHash, timestamp }, before, emitted: this.#emitted });
    this.#before = undefined;
  }

  emit<T extends RegistryEventType>(origin: Origin, type: T, tokenId: string, fields: EventFields<T>): void {
    const { chainId, nowMs } = this.context;
    const agentId = `${chainId}:${tokenId}`;
    if (origin.kind === 'off_chain') {
      const key = `${chainId}/${tokenId}/${type}/${this.#nextNumber(tokenId)}`;
      this.#add(type, agentId, key, nowMs, fields, undefined);
      return;
    }
    const { chain, occurredAt, suffix } = origin;
    const key = `${chainId}/${chain.blockHash}/${chain.transactionHash}/${chain.logIndex}/${type}${suffix}`;
    this.#add(type, agentId, key, occurredAt, fields, chain);
  }

  /** Answers an event whose block vanished. */
  emitReversal<T extends RegistryEventType>(reverted: EmittedEvent, type: T, fields: EventFields<T>): void {
    const { eventId, agentId, data } = reverted;
    const chain = data['chain'] as ChainCoordinates | undefined;
    this.#add(type, agentId, `${eventId}/${type}/reverted`, this.context.nowMs, fields, chain);
  }

  outcome(): LedgerOutcome {
    return {
      changes: [...this.#changes.values()],
      journals: this.#journals,
      drafts: this.#drafts,
      ignored: this.#ignored,
    };
  }

  #add(
    type: RegistryEventType,
    agentId: string,
    key: string,
    occurredAt: number,
    fields: object,
    chain: ChainCoordinates | undefined,
  ): void {
    const data = { agentId, chainId: this.context.chainId, ...fields, chain } as JsonObject;
    const eventId = eventIdOf({ agentId, key });
    this.#drafts.push({ type, agentId, data, key, eventId, occurredAt });
    if (this.#before !== undefined) this.#emitted.push({ eventId, type, agentId, data });
  }

  /** Never given back, not even when the agent vanishes: what comes of a later one is another event. */
  #nextNumber(tokenId: string): number {
    const key = sequenceKey(tokenId);
    const events = (this.find<SequenceValue>(key)?.events ?? 0) + 1;
    this.put(key, { events });
    return events;
  }
}

/** The id of the event that a draft becomes: the same agent and key always give the same one. */
export function eventIdOf({ agentId, key }: Pick<RegistryDraft, 'agentId' | 'key'>): string {
  return eventIdFromIdempotencyKey({ workspaceId: PUBLIC_WORKSPACE_ID, family: 'registry', entityId: agentId }, key);
}

export function tokenIdOfAgent(agentId: string): string {
  return agentId.slice(agentId.indexOf(':') + 1);
}

/** The time of a block as events have it, whatever its producer said. */
export function blockTimeMs({ timestamp }: Pick<BlockHeader, 'timestamp'>): number {
  const ms = Math.trunc(timestamp * 1000);
  return ms >= 0 && ms <= MAX_TIMESTAMP_MS ? ms : ms > 0 ? MAX_TIMESTAMP_MS : 0;
}
