import type { RegistrySourceSignals } from '@sluice/registry-source';
import type { Logger } from '@sluice/service-runtime';
import type { HolderGauges } from './holder-gauges';
import { LimitedLines } from './limited-lines';
import type { WatcherMetrics } from './watcher-metrics';

/** What a source says of its endpoints: metrics, and a line for what an operator may want to mend. */
export function createSourceSignals(
  metrics: WatcherMetrics,
  gauges: HolderGauges,
  logger: Logger,
  { chainId }: { readonly chainId: number },
): RegistrySourceSignals {
  const chain = String(chainId);
  const limited = new LimitedLines();
  return {
    requested({ endpoint, method, outcome, durationMs }) {
      metrics.requests.inc({ chain, endpoint, method, outcome });
      metrics.requestSeconds.observe({ chain }, durationMs / 1000);
    },
    rangeLearned({ endpoint, blocks }) {
      // It is learned once.
      gauges.set(metrics.rangeBlocks, { chain, endpoint }, blocks, true);
      logger.debug('learned how many blocks an endpoint gives at once', { chainId, endpoint, blocks });
    },
    rangeRead: () => undefined,
    disagreed({ endpoint, about }) {
      metrics.disagreements.inc({ chain, endpoint });
      if (limited.mayTell(`disagreed ${endpoint}`))
        logger.warn('an endpoint says something else than the others', { chainId, endpoint, about });
    },
    quarantined({ endpoint, forMs }) {
      metrics.quarantines.inc({ chain, endpoint });
      if (limited.mayTell(`quarantined ${endpoint}`))
        logger.warn('an endpoint is left alone for a while', { chainId, endpoint, forMs });
    },
    wrongChain: ({ endpoint, chainId: other }) =>
      logger.error('an endpoint belongs to another chain and is not asked', { chainId, endpoint, other }),
    undecodable: ({ count }) => metrics.undecodable.inc({ chain }, count),
    bloomMismatch({ endpoint, verdict }) {
      metrics.bloomMismatches.inc({ chain, endpoint, verdict });
    },
    headsAnnounced({ connected, reason }) {
      gauges.set(metrics.headsAnnounced, { chain }, connected ? 1 : 0);
      logger.info(connected ? 'new heads are announced' : 'new heads are asked for', { chainId, reason });
    },
  };
}
