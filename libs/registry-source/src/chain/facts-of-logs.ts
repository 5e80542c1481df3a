import type { AttestedFact, ChainFact } from '@sluice/agent-registry';
import type { RawLog } from '../logs/raw-log';
import type { RpcPool } from '../rpc/pool';
import { majority } from '../rpc/agreement';
import type { RegistrySourceSignals } from '../signals';
import { readAttestations, type AttestationAt } from './attestations';

/** What the logs of one block say. */
export interface BlockFacts {
  readonly blockNumber: number;
  readonly blockHash: string;
  /** As the logs tell it. */
  readonly timestamp: number | undefined;
  readonly facts: readonly ChainFact[];
}

export interface FactsOptions {
  readonly decode: (log: RawLog) => ChainFact | undefined;
  /** In lower case. */
  readonly eas: string | undefined;
  readonly pool: RpcPool;
  readonly signals: RegistrySourceSignals;
}

/** Makes facts of logs, which are in the order of the chain. */
export class FactsOfLogs {
  constructor(private readonly options: FactsOptions) {}

  /**
   * The blocks of these logs; `newestFirst`: the newest state is asked for what was attested, not that of the block.
   * @throws SluiceError `chain_unavailable`
   */
  async blocksOf(logs: readonly RawLog[], newestFirst: boolean, signal?: AbortSignal): Promise<readonly BlockFacts[]> {
    const blocks: (BlockFacts & { readonly facts: ChainFact[] })[] = [];
    const attested: AttestationAt[] = [];
    let undecodable = 0;
    let current: (BlockFacts & { readonly facts: ChainFact[] }) | undefined;
    for (const log of logs) {
      const fact = this.options.decode(log);
      if (fact === undefined) {
        undecodable += 1;
        continue;
      }
      if (current?.blockNumber !== log.blockNumber) {
        const { blockNumber, blockHash, blockTimestamp } = log;
        current = { blockNumber, blockHash, timestamp: blockTimestamp, facts: [] };
        blocks.push(current);
      }
      current.facts.push(fact);
      if (fact.kind === 'attested') attested.push({ uid: fact.uid, blockNumber: log.blockNumber });
    }
    if (undecodable > 0) this.options.signals.undecodable({ count: undecodable });
    return attested.length === 0 ? blocks : this.attest(blocks, attested, newestFirst, signal);
  }

  private async attest(
    blocks: readonly BlockFacts[],
    attested: readonly AttestationAt[],
    newestFirst: boolean,
    signal: AbortSignal | undefined,
  ): Promise<readonly BlockFacts[]> {
    const { pool, eas } = this.options;
    if (eas === undefined) return blocks;
    const { value } = await pool.ask(
      {
        about: 'attestations',
        ask: (endpoint, asked) => readAttestations(endpoint, eas, attested, newestFirst, asked),
        decide: (answers) =>
          majority(answers, pool.needed, (answer) => JSON.stringify(answer.map((one) => one ?? null))),
        isSettled: newestFirst,
      },
      signal,
    );
    const said = new Map(attested.map(({ uid }, place) => [uid, value[place]]));
    const complete = (fact: ChainFact): ChainFact => {
      if (fact.kind !== 'attested') return fact;
      const attestation = said.get(fact.uid);
      return attestation === undefined ? fact : ({ ...fact, attestation } satisfies AttestedFact);
    };
    return blocks.map((block) => ({ ...block, facts: block.facts.map(complete) }));
  }
}
