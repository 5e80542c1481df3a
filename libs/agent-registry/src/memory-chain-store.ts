import { SluiceError } from '@sluice/event-log';
import type { EncodedEnvelope } from '@sluice/event-schema';
import {
  MAX_DUE_CHAIN_DOCUMENTS,
  type BlockJournal,
  type ChainCommit,
  type ChainDocument,
  type ChainGrant,
  type ChainHalt,
  type ChainState,
  type ChainStatus,
  type ChainStore,
  type JsonObject,
  type OutboxBatch,
} from './chain-store';
import type { BlockRef } from './facts';

interface Chain {
  readonly chainId: number;
  grant: { holder: string | undefined; fencingToken: number; expiresAt: number };
  cursor: BlockRef | undefined;
  halted: ChainHalt | undefined;
  acceptsDeepReorg: boolean;
  readonly documents: Map<string, ChainDocument>;
  readonly journals: Map<number, BlockJournal>;
  lastBatchId: number;
  outbox: { readonly batchId: number; readonly events: readonly EncodedEnvelope[] }[];
  report: JsonObject;
  reportedAt: number | undefined;
}

/** The readable one: keeps everything in this process. */
export class MemoryChainStore implements ChainStore {
  readonly #chains = new Map<number, Chain>();

  /** `now` gives milliseconds since 1970. */
  constructor(private readonly now: () => number = Date.now) {}

  async acquire(chainId: number, holder: string, leaseMs: number): Promise<ChainGrant | undefined> {
    const chain = this.#chainOf(chainId);
    const { grant } = chain;
    const isFree = grant.holder === undefined || grant.expiresAt <= this.now();
    if (!isFree && grant.holder !== holder) return undefined;
    const fencingToken = isFree ? grant.fencingToken + 1 : grant.fencingToken;
    chain.grant = { holder, fencingToken, expiresAt: this.now() + leaseMs };
    return { chainId, holder, fencingToken };
  }

  async release(grant: ChainGrant): Promise<void> {
    const chain = this.#chainOf(grant.chainId);
    if (isOf(chain, grant)) chain.grant = { holder: undefined, fencingToken: grant.fencingToken, expiresAt: 0 };
  }

  async load(grant: ChainGrant): Promise<ChainState> {
    const { cursor, journals, halted, acceptsDeepReorg } = this.#granted(grant);
    const journaled = [...journals.values()].map(({ block }) => block).sort((a, b) => a.number - b.number);
    return { cursor, journaled, halted, acceptsDeepReorg };
  }

  async read(chainId: number, keys: readonly string[]): Promise<ReadonlyMap<string, ChainDocument>> {
    const { documents } = this.#chainOf(chainId);
    const found = new Map<string, ChainDocument>();
    for (const key of keys) {
      const document = documents.get(key);
      if (document !== undefined) found.set(key, document);
    }
    return found;
  }

  async due(query: {
    readonly chainId: number;
    readonly kind: string;
    readonly dueBefore: number;
    readonly limit: number;
  }): Promise<readonly ChainDocument[]> {
    const due: { readonly document: ChainDocument; readonly dueAt: number }[] = [];
    for (const document of this.#chainOf(query.chainId).documents.values()) {
      const { key, dueAt } = document;
      if (dueAt === undefined || dueAt > query.dueBefore || key.split('/', 1)[0] !== query.kind) continue;
      due.push({ document, dueAt });
    }
    due.sort((a, b) => a.dueAt - b.dueAt);
    return due.slice(0, Math.min(query.limit, MAX_DUE_CHAIN_DOCUMENTS)).map(({ document }) => document);
  }

  async journals(chainId: number, above: number): Promise<readonly BlockJournal[]> {
    const journals = [...this.#chainOf(chainId).journals.values()];
    return journals.filter(({ block }) => block.number > above).sort((a, b) => b.block.number - a.block.number);
  }

  async commit(grant: ChainGrant, commit: ChainCommit): Promise<number | undefined> {
    const chain = this.#granted(grant);
    const { dropJournalsAbove, dropJournalsUpTo } = commit;
    if (commit.cursor !== undefined) chain.cursor = commit.cursor;
    for (const { key, value, dueAt } of commit.changes ?? []) {
      if (value === null) chain.documents.delete(key);
      else chain.documents.set(key, { key, value: detached(value), ...(dueAt !== undefined && { dueAt }) });
    }
    for (const number of [...chain.journals.keys()]) {
      const isUndone = dropJournalsAbove !== undefined && number > dropJournalsAbove;
      if (isUndone || (dropJournalsUpTo !== undefined && number <= dropJournalsUpTo)) chain.journals.delete(number);
    }
    for (const journal of commit.journals ?? []) {
      // A journal that the same commit forgets: its block is final already.
      if (dropJournalsUpTo !== undefined && journal.block.number <= dropJournalsUpTo) continue;
      chain.journals.set(journal.block.number, detached(journal));
    }
    if (commit.halted !== undefined) {
      chain.halted = commit.halted ?? undefined;
      chain.acceptsDeepReorg = false;
    }
    if (commit.outbox === undefined || commit.outbox.length === 0) return undefined;
    chain.outbox.push({ batchId: ++chain.lastBatchId, events: [...commit.outbox] });
    return chain.lastBatchId;
  }

  async outbox(grant: ChainGrant, limit: number): Promise<readonly OutboxBatch[]> {
    return this.#granted(grant).outbox.slice(0, limit);
  }

  async settle(grant: ChainGrant, upToBatchId: number): Promise<void> {
    const chain = this.#granted(grant);
    chain.outbox = chain.outbox.filter(({ batchId }) => batchId > upToBatchId);
  }

  async report(grant: ChainGrant, report: JsonObject): Promise<void> {
    const chain = this.#chainOf(grant.chainId);
    if (grant.fencingToken !== chain.grant.fencingToken) return;
    chain.report = detached(report);
    chain.reportedAt = this.now();
  }

  async statuses(): Promise<readonly ChainStatus[]> {
    return [...this.#chains.values()]
      .sort((a, b) => a.chainId - b.chainId)
      .map(({ chainId, cursor, grant, halted, acceptsDeepReorg, report, reportedAt }) => {
        const holder = grant.expiresAt > this.now() ? grant.holder : undefined;
        return { chainId, cursor, holder, halted, acceptsDeepReorg, report, reportedAt };
      });
  }

  async acceptDeepReorg(chainId: number): Promise<boolean> {
    const chain = this.#chains.get(chainId);
    if (chain?.halted === undefined) return false;
    chain.acceptsDeepReorg = true;
    return true;
  }

  /** @throws SluiceError `conflict` when the grant is no longer the chain's. */
  #granted(grant: ChainGrant): Chain {
    const chain = this.#chainOf(grant.chainId);
    if (!isOf(chain, grant) || chain.grant.expiresAt <= this.now())
      throw new SluiceError('conflict', `The chain ${grant.chainId} is watched by another one`);
    return chain;
  }

  #chainOf(chainId: number): Chain {
    let chain = this.#chains.get(chainId);
    if (chain === undefined) {
      chain = {
        chainId,
        grant: { holder: undefined, fencingToken: 0, expiresAt: 0 },
        cursor: undefined,
        halted: undefined,
        acceptsDeepReorg: false,
        documents: new Map(),
        journals: new Map(),
        lastBatchId: 0,
        outbox: [],
        report: {},
        reportedAt: undefined,
      };
      this.#chains.set(chainId, chain);
    }
    return chain;
  }
}

function isOf({ grant }: Chain, { holder, fencingToken }: ChainGrant): boolean {
  return grant.holder === holder && grant.fencingToken === fencingToken;
}

/** A value as a store gives it back: JSON, without members that are undefined. */
function detached<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
