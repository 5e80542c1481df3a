import type { ChainConfig } from '@sluice/agent-registry';
import { checkEndpoint } from './check-endpoint';
import { agreementOf, endpointsOf } from './endpoints-of';
import { HeadSocket } from './heads/head-socket';
import { DEFAULT_LIMITS, type RegistrySourceLimits } from './limits';
import { NO_SIGNALS } from './signals';

/** One contract of the configuration, as an endpoint sees it. */
export interface ContractCheck {
  readonly name: 'identityRegistry' | 'reputationRegistry' | 'validationRegistry' | 'eas';
  readonly address: string;
  readonly hasCode: boolean;
  /** What its `getVersion()` answers, where it has one. */
  readonly version?: string;
}

export interface EndpointCheck {
  /** Host and place in the configuration; never the whole URL, which may hold a key. */
  readonly endpoint: string;
  readonly reachable: boolean;
  /** Of one small request. */
  readonly latencyMs?: number;
  readonly chainId?: number;
  readonly chainIdMatches?: boolean;
  readonly head?: number;
  readonly contracts: readonly ContractCheck[];
  /** How many blocks one request for logs may span, at most `maxBlockRange`; 0: requests for logs fail. */
  readonly logRangeBlocks?: number;
  /** Whether logs of the start block can be asked for: some endpoints keep recent blocks only. */
  readonly reachesStartBlock?: boolean;
  /** What is wrong, in words. */
  readonly faults: readonly string[];
}

/** What a chain's configuration is worth, as `sluice chains check` shows it. */
export interface ChainCheck {
  readonly chainId: number;
  readonly name: string;
  /** No faults of the chain as a whole, and of no endpoint: the chain can be watched. */
  readonly ok: boolean;
  readonly endpoints: readonly EndpointCheck[];
  readonly webSocket?: { readonly works: boolean; readonly fault?: string };
  /** What is wrong with the chain as a whole, in words; faults of endpoints are with them. */
  readonly faults: readonly string[];
}

/** Heads of endpoints that are further apart than this are no matter of a few seconds. */
const MAX_HEAD_DIFFERENCE = 100;

/** Tries a chain's configuration on the chain itself. Takes at most a few request timeouts; does not throw. */
export async function checkChain(chain: ChainConfig, limits: Partial<RegistrySourceLimits> = {}): Promise<ChainCheck> {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const endpoints = endpointsOf(chain, { limits: all, signals: NO_SIGNALS, fetch });
  const [checks, webSocket] = await Promise.all([
    Promise.all(endpoints.map((endpoint) => checkEndpoint(endpoint, chain))),
    chain.wsUrl === undefined ? undefined : checkWebSocket(chain.wsUrl, all),
  ]);
  const faults = faultsOf(chain, checks);
  if (webSocket?.fault !== undefined) faults.push(`wsUrl: ${webSocket.fault}`);
  return {
    chainId: chain.chainId,
    name: chain.name,
    ok: faults.length === 0 && checks.every((check) => check.faults.length === 0),
    endpoints: checks,
    ...(webSocket === undefined ? {} : { webSocket }),
    faults,
  };
}

function faultsOf(chain: ChainConfig, checks: readonly EndpointCheck[]): string[] {
  const faults: string[] = [];
  const needed = agreementOf(chain);
  const sound = checks.filter((check) => check.faults.length === 0).length;
  if (sound < needed) faults.push(`${needed} endpoints have to agree, but ${sound} are sound`);
  const heads = checks.flatMap(({ head }) => (head === undefined ? [] : [head]));
  const newest = Math.max(...heads);
  if (newest - Math.min(...heads) > MAX_HEAD_DIFFERENCE) {
    faults.push(`the heads of the endpoints are ${newest - Math.min(...heads)} blocks apart`);
  }
  if (heads.length > 0 && chain.startBlock > newest)
    faults.push(`startBlock ${chain.startBlock} is above the head ${newest}`);
  return faults;
}

/** Whether a subscription to new heads is taken. */
async function checkWebSocket(url: string, limits: RegistrySourceLimits): Promise<{ works: boolean; fault?: string }> {
  return new Promise((resolve) => {
    const socket = new HeadSocket({
      url,
      silenceMs: limits.webSocketSilenceMs,
      connectTimeoutMs: limits.requestTimeoutMs,
      backOffBaseMs: limits.backOffMaxMs,
      backOffMaxMs: limits.backOffMaxMs,
      signals: {
        ...NO_SIGNALS,
        headsAnnounced: ({ connected, reason }) => {
          resolve(connected ? { works: true } : { works: false, fault: reason ?? 'no connection' });
          void socket.close();
        },
      },
      onHead: () => undefined,
    });
    socket.open();
  });
}
