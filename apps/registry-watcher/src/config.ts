import type { ChainConfig } from '@sluice/agent-registry';
import { hostSettings, toHostConfig, type HostConfig } from '@sluice/engine';
import { SluiceError, toSluiceError } from '@sluice/event-log';
import { parsePrivateAllowList } from '@sluice/safe-fetch';
import { defineSettings, parseSettings, readEnv, setting, type SettingsOf } from '@sluice/service-runtime';
import { readChainsFile } from './chains-file';
import { CLASSIFIER_APIS, endpointUrl, type ClassifierConfig } from './classification/classifier-config';

/** The settings of this app beyond those of every host. */
export const registryWatcherSettings = defineSettings({
  SLUICE_CHAINS_FILE: {
    schema: setting.text().optional(),
    description: 'JSON file with the chains to watch; see `chains/public.json`. Without it no chain is watched.',
  },
  SLUICE_CHAIN_LEASE: {
    schema: setting.durationMs({ min: 500, max: 300_000 }),
    default: '15s',
    description: 'How long a process that says nothing keeps a chain; then another one takes over.',
  },
  SLUICE_REGISTRATION_FILE_TIMEOUT: {
    schema: setting.durationMs({ min: 100, max: 120_000 }),
    default: '10s',
    description: 'Longest time for reading one registration file, redirects and gateways included.',
  },
  SLUICE_REGISTRATION_FILE_MAX_BYTES: {
    schema: setting.byteSize({ min: 1_024, max: 16 * 1024 * 1024 }),
    default: '1MiB',
    description: 'Largest registration file; a larger one is an error of the agent.',
  },
  SLUICE_REGISTRATION_FILE_WAIT: {
    schema: setting.durationMs({ min: 0, max: 60_000 }),
    default: '3s',
    description: 'How long a new block waits for the files that it names; what comes later is an `agent_updated`.',
  },
  SLUICE_REGISTRATION_FILE_REREAD_INTERVAL: {
    schema: setting.durationMs({ min: 1_000, max: 30 * 86_400_000 }),
    default: '1h',
    description: 'How often files behind `http(s)` are read again; they can change without a transaction.',
  },
  SLUICE_IPFS_GATEWAYS: {
    schema: setting.list({ minItems: 1, item: /^https?:\/\/\S+$/ }),
    default: 'https://ipfs.io/ipfs/,https://dweb.link/ipfs/,https://gateway.pinata.cloud/ipfs/',
    description:
      'Where `ipfs://` files are read, in the order of preference; the CID is put behind each. May be private.',
  },
  SLUICE_ALLOW_PRIVATE_URLS: {
    schema: setting.list().optional(),
    description:
      'Origins or `host:port` in private networks that files and probes of anybody may reach, for instance `http://127.0.0.1:9000`. All others are refused. Gateways need no listing.',
  },
  SLUICE_PROBE_INTERVAL_MS: {
    schema: setting.durationMs({ min: 100, max: 30 * 86_400_000 }),
    default: '15m',
    description: 'How often an endpoint of an agent is probed, with some jitter.',
  },
  SLUICE_PROBE_FAILURES: {
    schema: setting.integer({ min: 1, max: 100 }),
    default: '3',
    description: 'Failures in a row until an endpoint that was reachable counts as unreachable.',
  },
  SLUICE_PROBE_CONCURRENCY: {
    schema: setting.integer({ min: 1, max: 1_000 }),
    default: '16',
    description: 'Most probes at a time, over all chains.',
  },
  SLUICE_PROBE_TIMEOUT: {
    schema: setting.durationMs({ min: 100, max: 120_000 }),
    default: '10s',
    description: 'Longest time for one request of a probe.',
  },
  SLUICE_CLASSIFIER_API: {
    schema: setting.enum(CLASSIFIER_APIS),
    default: 'messages',
    description:
      'What the classifier speaks: `messages` (`POST …/v1/messages`) or `chat-completions` (`POST …/chat/completions`).',
  },
  SLUICE_CLASSIFIER_URL: {
    schema: setting.url({ protocols: ['http', 'https'] }).optional(),
    description: 'Base URL of the classifier. Without it only what agents declare themselves is classified.',
  },
  SLUICE_CLASSIFIER_KEY: {
    schema: setting.text().optional(),
    description: 'API key of the classifier.',
    secret: true,
  },
  SLUICE_CLASSIFIER_MODEL: {
    schema: setting.text().optional(),
    description: 'Model of the classifier. Required with `SLUICE_CLASSIFIER_URL`.',
  },
  SLUICE_CLASSIFIER_BUDGET_PER_HOUR: {
    schema: setting.integer({ min: 1, max: 1_000_000 }),
    default: '50',
    description: 'Most requests to the classifier in an hour; agents beyond it wait.',
  },
});

export interface RegistrationFileConfig {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** How long new blocks wait for files. */
  readonly waitMs: number;
  readonly reReadIntervalMs: number;
  readonly ipfsGateways: readonly string[];
}

export interface ProbeConfig {
  readonly intervalMs: number;
  readonly failuresToDown: number;
  readonly concurrency: number;
  readonly timeoutMs: number;
}

export interface RegistryWatcherConfig {
  readonly chains: readonly ChainConfig[];
  readonly leaseMs: number;
  readonly files: RegistrationFileConfig;
  readonly probes: ProbeConfig;
  /** Absent: nothing is classified but what agents declare. */
  readonly classifier?: ClassifierConfig;
  /** Items of `SLUICE_ALLOW_PRIVATE_URLS`. */
  readonly allowPrivateUrls: readonly string[];
}

/**
 * Reads the file of chains too.
 * @throws SluiceError `configuration`
 */
export function toRegistryWatcherConfig(settings: SettingsOf<typeof registryWatcherSettings>): RegistryWatcherConfig {
  const { SLUICE_CHAINS_FILE: chainsFile } = settings;
  const classifier = toClassifierConfig(settings);
  return {
    chains: chainsFile === undefined ? [] : readChainsFile(chainsFile),
    leaseMs: settings.SLUICE_CHAIN_LEASE,
    files: {
      timeoutMs: settings.SLUICE_REGISTRATION_FILE_TIMEOUT,
      maxBytes: settings.SLUICE_REGISTRATION_FILE_MAX_BYTES,
      waitMs: settings.SLUICE_REGISTRATION_FILE_WAIT,
      reReadIntervalMs: settings.SLUICE_REGISTRATION_FILE_REREAD_INTERVAL,
      ipfsGateways: settings.SLUICE_IPFS_GATEWAYS,
    },
    probes: {
      intervalMs: settings.SLUICE_PROBE_INTERVAL_MS,
      failuresToDown: settings.SLUICE_PROBE_FAILURES,
      concurrency: settings.SLUICE_PROBE_CONCURRENCY,
      timeoutMs: settings.SLUICE_PROBE_TIMEOUT,
    },
    ...(classifier && { classifier }),
    allowPrivateUrls: readAllowList(settings.SLUICE_ALLOW_PRIVATE_URLS ?? []),
  };
}

/** Told at start what is wrong with it. */
function readAllowList(items: readonly string[]): readonly string[] {
  try {
    parsePrivateAllowList(items);
    return items;
  } catch (error) {
    const { message } = toSluiceError(error);
    throw new SluiceError('configuration', `SLUICE_ALLOW_PRIVATE_URLS: ${message}`, { cause: error });
  }
}

function toClassifierConfig(settings: SettingsOf<typeof registryWatcherSettings>): ClassifierConfig | undefined {
  const { SLUICE_CLASSIFIER_URL: url, SLUICE_CLASSIFIER_KEY: key, SLUICE_CLASSIFIER_MODEL: model } = settings;
  if (url === undefined) return undefined;
  if (model === undefined) {
    throw new SluiceError('configuration', 'SLUICE_CLASSIFIER_MODEL is required with SLUICE_CLASSIFIER_URL');
  }
  const api = settings.SLUICE_CLASSIFIER_API;
  // Told at start, not at the first agent.
  endpointUrl({ api, url });
  return {
    api,
    url,
    ...(key !== undefined && { key }),
    model,
    budgetPerHour: settings.SLUICE_CLASSIFIER_BUDGET_PER_HOUR,
  };
}

/** Every setting of the process that runs this app alone. */
export const settings = defineSettings({ ...hostSettings({ httpPort: 8084 }), ...registryWatcherSettings });

/** @throws SluiceError `configuration` */
export function readConfig(): { host: HostConfig; registryWatcher: RegistryWatcherConfig } {
  const values = parseSettings(settings, readEnv(settings, process.env));
  return { host: toHostConfig('registry-watcher', values), registryWatcher: toRegistryWatcherConfig(values) };
}
