import type { Logger } from '@sluice/service-runtime';
import type { ClassifierSignals } from './classification/classifier-signals';
import type { ReachabilitySignals } from './reachability/reachability-signals';
import type { WatcherMetrics } from './watcher-metrics';

/** What the prober of the process tells. */
export function createProberSignals(metrics: WatcherMetrics, logger: Logger): ReachabilitySignals {
  return {
    probed(protocol, outcome, durationMs) {
      metrics.probes.inc({ protocol, outcome });
      if (durationMs !== undefined) metrics.probeSeconds.observe({ protocol }, durationMs / 1000);
    },
    heldOff: () => metrics.heldOff.inc(),
    hostForgotten: () => metrics.hostsForgotten.inc(),
    fault: (error) => logger.error('a probe went wrong', { error }),
  };
}

/** What the classifier of the process tells. */
export function createClassifierSignals(metrics: WatcherMetrics, logger: Logger): ClassifierSignals {
  return {
    requested(outcome, durationMs) {
      metrics.classifierRequests.inc({ outcome });
      metrics.classifierSeconds.observe(durationMs / 1000);
    },
    classified: (outcome) => metrics.classified.inc({ outcome }),
    breaker(state) {
      metrics.classifierOpen.set(state === 'closed' ? 0 : 1);
      if (state === 'open') logger.warn('the classifier failed too often and is left alone for a while', {});
      if (state === 'closed') logger.info('the classifier answers', {});
    },
    droppedSlugs: (count) => metrics.classifierDropped.inc(count),
  };
}
