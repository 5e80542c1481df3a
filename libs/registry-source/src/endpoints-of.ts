import { rpcUrlsOf, type ChainConfig } from '@sluice/agent-registry';
import type { RegistrySourceLimits } from './limits';
import { Endpoint } from './rpc/endpoint';
import type { RegistrySourceSignals } from './signals';

export interface EndpointsOptions {
  readonly limits: RegistrySourceLimits;
  readonly signals: RegistrySourceSignals;
  readonly fetch: typeof fetch;
}

/** The endpoints of a chain, named by host and place: the rest of a URL may be a key. */
export function endpointsOf(chain: ChainConfig, options: EndpointsOptions): readonly Endpoint[] {
  return rpcUrlsOf(chain).map(
    (url, place) =>
      new Endpoint({
        ...options,
        url,
        label: `${new URL(url).host}#${place + 1}`,
        chainId: chain.chainId,
        maxBlockRange: chain.maxBlockRange,
      }),
  );
}

/** How many endpoints have to agree: two where there are several. */
export function agreementOf(chain: ChainConfig): number {
  return chain.agreement ?? Math.min(2, rpcUrlsOf(chain).length);
}
