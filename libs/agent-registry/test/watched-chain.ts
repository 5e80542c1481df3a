import type { EventEnvelope } from '@sluice/event-schema';
import {
  applyBlocks,
  applyClassification,
  applyFile,
  applyProbe,
  classificationKeys,
  classificationRequestOf,
  encodeDraft,
  fileKeys,
  fileRequestOf,
  keysOfJournals,
  MemoryChainStore,
  probeKeys,
  probeTargetOf,
  readDocumentsOf,
  revertBlocks,
  type BlockJournal,
  type ChainBlock,
  type ChainDocument,
  type ChainGrant,
  type ClassificationResult,
  type FileReading,
  type IgnoredReason,
  type LedgerContext,
  type LedgerOutcome,
  type ProbePolicy,
  type ProbeResult,
} from '../src';
import { CHAIN_ID } from './samples';

export const NOW_MS = 1_795_000_000_000;
export const HOUR_MS = 3_600_000;
export const POLICY: ProbePolicy = { failuresToDown: 3, intervalMs: HOUR_MS, jitter: 0 };

type Settings = Partial<Omit<LedgerContext, 'files'>> & { readonly journalFrom?: number };

/** The ledger on a real store, as a watcher uses it: what it does not read, or loses in JSON, is not there. */
export class WatchedChain {
  readonly events: EventEnvelope[] = [];
  readonly ignored: Partial<Record<IgnoredReason, number>> = {};
  nowMs = NOW_MS;
  readonly #keys = new Set<string>();
  #grant: ChainGrant | undefined;

  constructor(
    private readonly settings: Settings = {},
    readonly store = new MemoryChainStore(),
  ) {}

  async apply(blocks: readonly ChainBlock[], files: readonly FileReading[] = []): Promise<readonly EventEnvelope[]> {
    const documents = await readDocumentsOf(this.store, CHAIN_ID, blocks);
    const context = { ...this.#context(), files: new Map(files.map((reading) => [reading.uri, reading])) };
    return this.#commit(applyBlocks(documents, blocks, { ...context, journalFrom: this.settings.journalFrom ?? 0 }));
  }

  /** Undoes the blocks above a number. */
  async revert(above: number): Promise<readonly EventEnvelope[]> {
    const journals = await this.store.journals(CHAIN_ID, above);
    const documents = await this.store.read(CHAIN_ID, keysOfJournals(journals));
    return this.#commit(revertBlocks(documents, journals, this.#context()), above);
  }

  async file(tokenId: string, reading: FileReading): Promise<readonly EventEnvelope[]> {
    const documents = await this.store.read(CHAIN_ID, fileKeys(tokenId));
    return this.#commit(applyFile(documents, tokenId, reading, this.#context()));
  }

  async probe(tokenId: string, result: Partial<ProbeResult>): Promise<readonly EventEnvelope[]> {
    const documents = await this.store.read(CHAIN_ID, probeKeys(tokenId));
    const document = documents.get(`reach/${tokenId}`);
    const target = (document && probeTargetOf(document)) ?? { tokenId };
    const context = { ...this.#context(), ...POLICY };
    return this.#commit(applyProbe(documents, tokenId, { target, probedAt: this.nowMs, ...result }, context));
  }

  async classify(tokenId: string, result: ClassificationResult): Promise<readonly EventEnvelope[]> {
    const documents = await this.store.read(CHAIN_ID, classificationKeys(tokenId));
    return this.#commit(applyClassification(documents, tokenId, result, this.#context()));
  }

  async classificationRequest(tokenId: string) {
    return classificationRequestOf(await this.store.read(CHAIN_ID, classificationKeys(tokenId)), tokenId);
  }

  async document(key: string): Promise<ChainDocument | undefined> {
    return (await this.store.read(CHAIN_ID, [key])).get(key);
  }

  /** All documents, without those that are never undone. */
  async documents(): Promise<ReadonlyMap<string, ChainDocument>> {
    const keys = [...this.#keys].filter((key) => !/^(?:reverted|sequence)\//.test(key)).sort();
    return this.store.read(CHAIN_ID, keys);
  }

  async due(kind: string): Promise<readonly ChainDocument[]> {
    return this.store.due({ chainId: CHAIN_ID, kind, dueBefore: Number.MAX_SAFE_INTEGER, limit: 1000 });
  }

  async fileRequests() {
    return (await this.due('file')).map(fileRequestOf);
  }

  async journals(): Promise<readonly BlockJournal[]> {
    return this.store.journals(CHAIN_ID, -1);
  }

  async #commit(outcome: LedgerOutcome, dropJournalsAbove?: number): Promise<readonly EventEnvelope[]> {
    const { changes, journals, drafts, ignored } = outcome;
    this.#grant ??= await this.store.acquire(CHAIN_ID, 'test', 10 * HOUR_MS);
    if (this.#grant === undefined) throw new Error('no grant');
    for (const { key } of changes) this.#keys.add(key);
    const outbox = drafts.map(encodeDraft);
    await this.store.commit(this.#grant, {
      changes,
      journals,
      ...(dropJournalsAbove !== undefined && { dropJournalsAbove }),
    });
    for (const [reason, count] of Object.entries(ignored) as [IgnoredReason, number][])
      if (count > 0) this.ignored[reason] = (this.ignored[reason] ?? 0) + count;
    const events = outbox.map(({ json }) => JSON.parse(json) as EventEnvelope);
    this.events.push(...events);
    return events;
  }

  #context(): LedgerContext {
    return {
      chainId: CHAIN_ID,
      nowMs: this.nowMs,
      classifierAvailable: false,
      fileReReadIntervalMs: HOUR_MS,
      ...this.settings,
    };
  }
}

/** Type and data of events, without agent, chain and place. */
export function told(events: readonly EventEnvelope[]): readonly (readonly [string, Record<string, unknown>])[] {
  return events.map(({ type, data }) => {
    const { agentId: _agentId, chainId: _chainId, chain: _chain, ...own } = data;
    return [type, own] as const;
  });
}
