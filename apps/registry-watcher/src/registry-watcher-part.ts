import { randomUUID } from 'node:crypto';
import type { ChainConfig } from '@sluice/agent-registry';
import { durableLogCheck, readModelCheck, type AppHost, type AppPart } from '@sluice/engine';
import { createRegistrySource, type RegistrySource } from '@sluice/registry-source';
import { createSafeFetch, parsePrivateAllowList } from '@sluice/safe-fetch';
import type { Worker } from '@sluice/service-runtime';
import type { RegistrationFiles } from './chain/file-reads';
import type { ChainTimes } from './chain/chain-session';
import { ChainWatcher } from './chain/chain-watcher';
import { createClassifier } from './classification/classifier';
import { SYSTEM_CLOCK } from './clock';
import type { RegistryWatcherConfig } from './config';
import { createRegistrationFileReader } from './files/registration-file-reader';
import { registryWatcherOperations } from './http/operations';
import type { AgentClassifier, Prober } from './off-chain/off-chain-tasks';
import { createClassifierSignals, createProberSignals } from './off-chain-signals';
import { ReachabilityProber } from './reachability/reachability-prober';
import { RegistryWatcherModule } from './registry-watcher.module';
import { createRegistryWatcherSignals, type RegistryWatcherSignals } from './signals';

/** How we introduce ourselves to servers of agents. */
const USER_AGENT = 'sluice-registry-watcher/0.1 (agent registry monitoring)';
/** Files of one chain that are read at a time. */
const FILE_CONCURRENCY = 16;
/** How much of the drain a chain may spend on bringing its last events to the log. */
const DRAIN_SHARE = 0.5;

/** What a test brings in place of the real parts. */
export interface RegistryWatcherExtensions {
  readonly times?: Partial<ChainTimes>;
  readonly createSource?: (chain: ChainConfig) => RegistrySource;
}

/** The registry watcher as a part of a process. Without chains it opens nothing, but for the doors. */
export async function createRegistryWatcherPart(
  host: AppHost,
  config: RegistryWatcherConfig,
  extensions: RegistryWatcherExtensions = {},
): Promise<AppPart> {
  const { engine } = host;
  const { chains } = config;
  const signals = createRegistryWatcherSignals(host.metrics, host.logger);
  const isIdle = chains.length === 0;
  const doorPorts = { store: engine.chainStore, chains, signals };
  return {
    name: 'registry-watcher',
    module: RegistryWatcherModule.register(doorPorts, await host.gatekeeper()),
    workers: isIdle ? [] : [await createWatchers(host, config, signals, extensions)],
    checks: isIdle ? [] : [await durableLogCheck(engine), await readModelCheck(engine)],
    operations: registryWatcherOperations,
  };
}

async function createWatchers(
  host: AppHost,
  config: RegistryWatcherConfig,
  signals: RegistryWatcherSignals,
  extensions: RegistryWatcherExtensions,
): Promise<Worker> {
  const store = await host.engine.chainStore();
  const log = await host.engine.durableLog();
  const { files, prober, classifier } = createOffChainPorts(host, config, signals);
  const holder = `${host.config.name}-${randomUUID()}`;
  const times: ChainTimes = {
    leaseMs: config.leaseMs,
    fileWaitMs: config.files.waitMs,
    drainMs: host.config.drain.timeoutMs * DRAIN_SHARE,
    files: { reReadIntervalMs: config.files.reReadIntervalMs, concurrency: FILE_CONCURRENCY },
    probes: config.probes,
    ...extensions.times,
  };
  const createSource =
    extensions.createSource ??
    ((chain: ChainConfig) => createRegistrySource({ chain, signals: signals.source(chain) }));
  const watchers = config.chains.map((chain) => {
    const ports = { chain, store, log, files, prober, classifier, clock: SYSTEM_CLOCK, signals: signals.chain(chain) };
    return new ChainWatcher({ ...ports, source: createSource(chain) }, times, holder);
  });
  return {
    name: 'chains',
    start: async () => void (await Promise.all(watchers.map((watcher) => watcher.start()))),
    // All at a time: each may take its share of the drain.
    stop: async () => void (await Promise.all(watchers.map((watcher) => watcher.stop()))),
  };
}

/** One of each for all chains: limits, politeness and budget hold over them. */
function createOffChainPorts(
  { logger }: AppHost,
  { files, probes, classifier, allowPrivateUrls }: RegistryWatcherConfig,
  { metrics }: RegistryWatcherSignals,
): { files: RegistrationFiles; prober: Prober; classifier: AgentClassifier | undefined } {
  const allowPrivate = parsePrivateAllowList(allowPrivateUrls);
  const prober = new ReachabilityProber({
    fetch: createSafeFetch({ userAgent: USER_AGENT, allowPrivate, limits: { maxConcurrent: probes.concurrency } }),
    concurrency: probes.concurrency,
    timeoutMs: probes.timeoutMs,
    signals: createProberSignals(metrics, logger),
  });
  metrics.readProberLoad(() => prober.load);
  return {
    files: createRegistrationFileReader({
      timeoutMs: files.timeoutMs,
      maxBytes: files.maxBytes,
      ipfsGateways: files.ipfsGateways,
      allowPrivate,
      userAgent: USER_AGENT,
      onUnexpectedError: (error) => logger.error('reading a registration file went wrong', { error }),
    }),
    prober,
    classifier:
      classifier && createClassifier({ config: classifier, signals: createClassifierSignals(metrics, logger) }),
  };
}
