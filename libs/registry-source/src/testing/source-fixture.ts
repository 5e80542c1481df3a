import { chainConfigSchema, type ChainConfig, type ChainConfigInput } from '@sluice/agent-registry';
import { createRegistrySource } from '../create-registry-source';
import type { RegistrySourceLimits } from '../limits';
import type { RegistrySourceSignals } from '../signals';
import type { RegistrySource } from '../source';
import { EAS, IDENTITY, REPUTATION, SCHEMA, type ScriptedChain } from './scripted-chain';
import { ScriptedRpc, type Script } from './scripted-rpc';

/** Short where a test waits for it, long where only a busy machine would meet it. */
export const TEST_LIMITS: Partial<RegistrySourceLimits> = {
  requestTimeoutMs: 3_000,
  backOffBaseMs: 10,
  backOffMaxMs: 40,
  headGraceMs: 2_500,
  maxRoundWaitMs: 500,
};

const UNTIL_TIMEOUT_MS = 60_000;

/** Waits for a condition. */
export async function until(isMet: () => boolean): Promise<void> {
  for (const deadline = performance.now() + UNTIL_TIMEOUT_MS; !isMet();) {
    if (performance.now() > deadline) throw new Error('the condition was not met in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Endpoints and a source on them; all of it ends with `stop`. */
export class SourceFixture {
  readonly rpcs: ScriptedRpc[] = [];
  readonly told: { readonly [Name in keyof RegistrySourceSignals]: Parameters<RegistrySourceSignals[Name]>[0][] } = {
    requested: [],
    rangeLearned: [],
    rangeRead: [],
    disagreed: [],
    quarantined: [],
    wrongChain: [],
    undecodable: [],
    bloomMismatch: [],
    headsAnnounced: [],
  };
  private readonly sources: RegistrySource[] = [];

  async endpoint(chain: ScriptedChain, script: Script = {}): Promise<ScriptedRpc> {
    const rpc = await ScriptedRpc.start(chain, script);
    this.rpcs.push(rpc);
    return rpc;
  }

  config(overrides: Partial<ChainConfigInput> = {}): ChainConfig {
    return chainConfigSchema.parse({
      chainId: 31337,
      name: 'scripted',
      rpcUrls: this.rpcs.map(({ url }) => url),
      identityRegistry: IDENTITY,
      reputationRegistry: REPUTATION,
      eas: EAS,
      easSchemaUid: SCHEMA,
      startBlock: 0,
      confirmations: 5,
      pollIntervalMs: 50,
      ...overrides,
    });
  }

  source(overrides: Partial<ChainConfigInput> = {}, limits: Partial<RegistrySourceLimits> = {}): RegistrySource {
    const { told } = this;
    const source = createRegistrySource({
      chain: this.config(overrides),
      limits: { ...TEST_LIMITS, ...limits },
      signals: {
        requested: (signal) => told.requested.push(signal),
        rangeLearned: (signal) => told.rangeLearned.push(signal),
        rangeRead: (signal) => told.rangeRead.push(signal),
        disagreed: (signal) => told.disagreed.push(signal),
        quarantined: (signal) => told.quarantined.push(signal),
        wrongChain: (signal) => told.wrongChain.push(signal),
        undecodable: (signal) => told.undecodable.push(signal),
        bloomMismatch: (signal) => told.bloomMismatch.push(signal),
        headsAnnounced: (signal) => told.headsAnnounced.push(signal),
      },
    });
    this.sources.push(source);
    return source;
  }

  async stop(): Promise<void> {
    for (const source of this.sources.splice(0)) await source.close();
    for (const rpc of this.rpcs.splice(0)) await rpc.stop();
    for (const signals of Object.values(this.told)) signals.length = 0;
  }
}
