import type { EndpointProbe } from '@sluice/agent-registry';
import { createSafeFetch, parsePrivateAllowList } from '@sluice/safe-fetch';
import { ReachabilityProber, type ReachabilityProberOptions } from '../../src/reachability/reachability-prober';
import type { LocalServer } from './local-server';

export const NEVER = new AbortController().signal;

/** A prober that may talk to these servers of the test, without a pause between visits unless told. */
export function proberFor(
  servers: readonly LocalServer[],
  options: Partial<ReachabilityProberOptions> = {},
): ReachabilityProber {
  const allowPrivate = parsePrivateAllowList(servers.map(({ url }) => url).join(','));
  const fetch = createSafeFetch({ userAgent: 'sluice-test/1.0', allowPrivate });
  return new ReachabilityProber({ fetch, politeness: { minIntervalMs: 0 }, ...options });
}

export async function probeMcp(prober: ReachabilityProber, mcpEndpoint: string): Promise<EndpointProbe | undefined> {
  return (await prober.probe({ tokenId: '0', mcpEndpoint }, NEVER)).mcp;
}

export async function probeA2a(prober: ReachabilityProber, a2aEndpoint: string): Promise<EndpointProbe | undefined> {
  return (await prober.probe({ tokenId: '0', a2aEndpoint }, NEVER)).a2a;
}
