import { setTimeout as pause } from 'node:timers/promises';
import {
  chainConfigSchema,
  MemoryChainStore,
  type ChainConfigInput,
  type ChainStore,
  type FileReading,
  type ProbeResult,
  type ProbeTarget,
  type RegistrationFile,
} from '@sluice/agent-registry';
import { SluiceError, type DurableLog } from '@sluice/event-log';
import type { EncodedEnvelope, EventEnvelope } from '@sluice/event-schema';
import { createLogger, MetricsRegistry } from '@sluice/service-runtime';
import { ChainWatcher } from '../../src/chain/chain-watcher';
import type { ChainTimes } from '../../src/chain/chain-session';
import type { RegistrationFiles } from '../../src/chain/file-reads';
import type { AgentClassifier, Prober } from '../../src/off-chain/off-chain-tasks';
import { createRegistryWatcherSignals } from '../../src/signals';
import { address } from './said';
import type { ScriptedChain } from './scripted-chain';

export const CHAIN_ID = 31_337;

export const chainConfig = (overrides: Partial<ChainConfigInput> = {}) =>
  chainConfigSchema.parse({
    chainId: CHAIN_ID,
    name: 'Scripted',
    rpcUrl: 'http://127.0.0.1:1',
    identityRegistry: address(0xa1),
    reputationRegistry: address(0xa2),
    startBlock: 1,
    confirmations: 5,
    pollIntervalMs: 50,
    ...overrides,
  });

/** A log that keeps every append, and can be away. */
export class TestLog implements Pick<DurableLog, 'append'> {
  readonly appended: EventEnvelope[] = [];
  isDown = false;

  async append(events: readonly EncodedEnvelope[]): Promise<void> {
    await Promise.resolve();
    if (this.isDown) throw new SluiceError('log_unavailable', 'The log is away');
    this.appended.push(...events.map(({ json }) => JSON.parse(json) as EventEnvelope));
  }

  /** Each event once, in the order of its first append. */
  get events(): EventEnvelope[] {
    return [...new Map(this.appended.toReversed().map((event) => [event.id, event])).values()].sort(
      (one, other) => this.placeOf(one) - this.placeOf(other),
    );
  }

  types(agentId?: string): string[] {
    return this.events.filter((event) => agentId === undefined || event.entityId === agentId).map(({ type }) => type);
  }

  of(type: string): EventEnvelope[] {
    return this.events.filter((event) => event.type === type);
  }

  private placeOf({ id }: EventEnvelope): number {
    return this.appended.findIndex((event) => event.id === id);
  }
}

export const file = (overrides: Partial<RegistrationFile> = {}): RegistrationFile => ({
  name: 'Ada',
  services: [],
  supportedTrust: [],
  declaredSkills: [],
  declaredDomains: [],
  ...overrides,
});

export const read = (uri: string, overrides: Partial<RegistrationFile> = {}): FileReading => ({
  status: 'read',
  uri,
  contentHash: `0x${'1'.repeat(64)}`,
  file: file(overrides),
  readAt: Date.now(),
});

export const failed = (uri: string): FileReading => ({
  status: 'failed',
  uri,
  error: { code: 'unreachable', message: 'nobody there' },
  retryable: true,
  readAt: Date.now(),
});

/** Files by URI; one that is a promise is waited for. */
export class TestFiles implements RegistrationFiles {
  readonly byUri = new Map<string, FileReading | Promise<FileReading>>();
  reads = 0;

  read(uri: string, signal: AbortSignal): Promise<FileReading> {
    this.reads++;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
      void Promise.resolve(this.byUri.get(uri) ?? failed(uri)).then(resolve, reject);
    });
  }
}

export class TestProber implements Prober {
  isReachable = true;
  probes = 0;

  async probe(target: ProbeTarget): Promise<ProbeResult> {
    this.probes++;
    const found = { reachable: this.isReachable };
    return {
      target,
      ...(target.mcpEndpoint !== undefined && { mcp: found }),
      ...(target.a2aEndpoint !== undefined && { a2a: found }),
      probedAt: Date.now(),
    };
  }
}

export interface WatchOptions {
  readonly chain: ScriptedChain;
  readonly config?: Partial<ChainConfigInput>;
  readonly store?: ChainStore;
  readonly log?: Pick<DurableLog, 'append'>;
  readonly files?: RegistrationFiles;
  readonly prober?: Prober;
  readonly classifier?: AgentClassifier;
  readonly times?: Partial<ChainTimes>;
  readonly holder?: string;
}

/** The watcher of one chain, as one process has it, on ports of tests. */
export function watchProcess(options: WatchOptions) {
  const config = chainConfig(options.config);
  const lines: Record<string, unknown>[] = [];
  const metrics = new MetricsRegistry();
  const logger = createLogger({
    service: 'registry-watcher',
    level: 'debug',
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const store = options.store ?? new MemoryChainStore();
  const watcher = new ChainWatcher(
    {
      chain: config,
      store,
      log: options.log ?? new TestLog(),
      source: options.chain.source(),
      files: options.files ?? new TestFiles(),
      prober: options.prober ?? new TestProber(),
      classifier: options.classifier,
      clock: { now: () => Date.now() },
      signals: createRegistryWatcherSignals(metrics, logger).chain(config),
    },
    {
      leaseMs: 15_000,
      fileWaitMs: 10_000,
      drainMs: 10_000,
      files: { reReadIntervalMs: 3_600_000, concurrency: 4 },
      probes: { intervalMs: 3_600_000, failuresToDown: 2, concurrency: 4 },
      reportIntervalMs: 20,
      haltedLookMs: 10,
      probeFirstDelayMs: 0,
      jitter: () => 0,
      ...options.times,
    },
    options.holder ?? 'one',
  );
  return {
    store,
    watcher,
    start: () => watcher.start(),
    stop: () => watcher.stop(),
    messages: () => lines.map(({ message }) => String(message)),
    lines,
    metrics: () => metrics.expose(),
    status: async () => (await store.statuses()).find(({ chainId }) => chainId === config.chainId),
  };
}

/** Between two looks the processor is for those who are waited for. */
const LOOK_INTERVAL_MS = 2;

/** Looks again and again until it is so; at most a minute. */
export async function until(look: () => boolean | Promise<boolean>, what: string | (() => string)): Promise<void> {
  for (const endMs = Date.now() + 60_000; Date.now() < endMs;) {
    if (await look()) return;
    await pause(LOOK_INTERVAL_MS);
  }
  throw new Error(`Waited in vain: ${typeof what === 'string' ? what : what()}`);
}
