import { chainConfigSchema, type BlockHeader, type ChainBlock, type ChainConfigInput } from '@sluice/agent-registry';
import { startLocalChain, type Address, type DeployedRegistries, type LocalChain } from '@sluice/local-chain';
import { createRegistrySource, type RegistrySource } from '../src/index';

/** A chain of this machine with the registries on it, and sources that read it. */
export class LocalSource {
  private readonly sources: RegistrySource[] = [];

  private constructor(
    readonly chain: LocalChain,
    readonly registries: DeployedRegistries,
  ) {}

  static async start(): Promise<LocalSource> {
    const chain = await startLocalChain();
    return new LocalSource(chain, await chain.deployRegistries());
  }

  account(place: number): Address {
    const account = this.chain.accounts[place];
    if (account === undefined) throw new Error(`there is no account ${place}`);
    return account;
  }

  source(overrides: Partial<ChainConfigInput> = {}): RegistrySource {
    const input = { ...this.registries.chainConfig(), wsUrl: undefined, ...overrides };
    return this.added(createRegistrySource({ chain: chainConfigSchema.parse(input) }));
  }

  /** Has the source closed with the others. */
  added(source: RegistrySource): RegistrySource {
    this.sources.push(source);
    return source;
  }

  async closeSources(): Promise<void> {
    for (const source of this.sources.splice(0)) await source.close();
  }
}

export function kindsOf(blocks: readonly ChainBlock[]): string[] {
  return blocks.flatMap(({ facts }) => facts.map(({ kind }) => kind));
}

/** Up to the head. Throws where the cursor is not on the chain any more. */
export async function blocksAfter(
  source: RegistrySource,
  cursor: BlockHeader,
  journaled: readonly BlockHeader[] = [],
): Promise<readonly ChainBlock[]> {
  const { number } = await source.head();
  const next = await source.readNext(cursor, journaled, number, 100);
  if (next.kind !== 'blocks') throw new Error('a reorganisation');
  return next.blocks;
}
