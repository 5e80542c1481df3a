import type { ChainConfig } from '@sluice/agent-registry';
import type { ContractCheck, EndpointCheck } from './check-chain';
import { AbiReader } from './logs/abi-reader';
import { logFiltersOf, type LogFilter } from './logs/log-filter';
import type { Endpoint } from './rpc/endpoint';
import { callQuery, rangeLogsQuery } from './rpc/queries';
import { toRpcFailure } from './rpc/rpc-failure';
import { hexDataOf, quantityOf } from './rpc/shapes';

/** getVersion() */
const GET_VERSION = '0x0d8e6e2c';
const MAX_VERSION_CHARS = 50;

/** Halvings of the range before it is said that logs cannot be had. */
const MAX_RANGE_TRIES = 20;

const CONTRACTS = ['identityRegistry', 'reputationRegistry', 'validationRegistry', 'eas'] as const;

const never = new AbortController().signal;

/** Asks one endpoint for everything that a watcher will ask it for. Never throws. */
export async function checkEndpoint(endpoint: Endpoint, chain: ChainConfig): Promise<EndpointCheck> {
  const faults: string[] = [];
  const startedAt = performance.now();
  const chainId = await orFault(faults, 'chain id', () =>
    endpoint.call({ method: 'eth_chainId', params: [], parse: (id) => quantityOf(id, 'a chain id') }, never),
  );
  const basics = { endpoint: endpoint.label, contracts: [], faults };
  if (chainId === undefined) return { ...basics, reachable: false };
  const latencyMs = Math.round(performance.now() - startedAt);
  const chainIdMatches = chainId === chain.chainId;
  const told = { ...basics, reachable: true, latencyMs, chainId, chainIdMatches };
  if (!chainIdMatches) {
    faults.push(`belongs to chain ${chainId}, not ${chain.chainId}`);
    return told;
  }
  const head = await orFault(faults, 'head', () =>
    endpoint.call({ method: 'eth_blockNumber', params: [], parse: (id) => quantityOf(id, 'a block number') }, never),
  );
  if (head === undefined) return told;
  const contracts = await checkContracts(endpoint, chain, faults);
  const logRangeBlocks = await logRangeOf(endpoint, chain, head, faults);
  const reachesStartBlock = await reaches(endpoint, chain, head, faults);
  return { ...told, head, contracts, logRangeBlocks, reachesStartBlock };
}

async function orFault<T>(faults: string[], what: string, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    faults.push(`${what}: ${toRpcFailure(error).message}`);
    return undefined;
  }
}

async function checkContracts(
  endpoint: Endpoint,
  chain: ChainConfig,
  faults: string[],
): Promise<readonly ContractCheck[]> {
  const checks: ContractCheck[] = [];
  for (const name of CONTRACTS) {
    const address = chain[name]?.toLowerCase();
    if (address === undefined) continue;
    const code = await orFault(faults, `code of ${name}`, () =>
      endpoint.call(
        { method: 'eth_getCode', params: [address, 'latest'], parse: (got) => hexDataOf(got, 'code') },
        never,
      ),
    );
    if (code === undefined) continue;
    const hasCode = code.length > '0x'.length;
    if (!hasCode) faults.push(`${name}: there is no contract at ${address}`);
    const version = hasCode && name !== 'eas' ? await versionOf(endpoint, address) : undefined;
    checks.push({ name, address, hasCode, ...(version === undefined ? {} : { version }) });
  }
  return checks;
}

/** Not every registry has a version. */
async function versionOf(endpoint: Endpoint, address: string): Promise<string | undefined> {
  try {
    const answer = new AbiReader(await endpoint.call(callQuery(address, GET_VERSION, 'latest'), never));
    const version = answer.text(0);
    return answer.failed ? undefined : version.slice(0, MAX_VERSION_CHARS);
  } catch {
    return undefined;
  }
}

/** The largest range below the head that the endpoint takes; a range without results would be the cheapest, but is not known. */
async function logRangeOf(endpoint: Endpoint, chain: ChainConfig, head: number, faults: string[]): Promise<number> {
  const [filter] = logFiltersOf(chain);
  let blocks = Math.min(chain.maxBlockRange, head + 1);
  for (let tries = 0; filter !== undefined && tries < MAX_RANGE_TRIES && blocks > 0; tries += 1) {
    try {
      await endpoint.call(rangeLogsQuery(filter, head - blocks + 1, head), never);
      return blocks;
    } catch (error) {
      const failure = toRpcFailure(error);
      if (failure.kind !== 'limit' && failure.kind !== 'too_large') {
        faults.push(`logs: ${failure.message}`);
        return 0;
      }
      blocks = failure.maxBlocks ?? Math.floor(blocks / 2);
    }
  }
  faults.push('logs: no range is taken');
  return 0;
}

async function reaches(endpoint: Endpoint, chain: ChainConfig, head: number, faults: string[]): Promise<boolean> {
  const [filter] = logFiltersOf(chain) as readonly [LogFilter];
  if (chain.startBlock > head) return false;
  try {
    await endpoint.call(rangeLogsQuery(filter, chain.startBlock, chain.startBlock), never);
    return true;
  } catch (error) {
    faults.push(`logs of startBlock ${chain.startBlock}: ${toRpcFailure(error).message}`);
    return false;
  }
}
