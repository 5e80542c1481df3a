import type {
  AccessControl,
  AccessControlOptions,
  AuthenticationFailure,
  CallerLimiterOptions,
  FailedAuthenticationLimits,
} from '@sluice/access';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

/** Why callers are not let in; besides, for faults of ours, by their code. */
const FAILURES = [
  'missing',
  'unauthorized',
  'token_expired',
  'rate_limited',
] as const satisfies readonly AuthenticationFailure[];

/** Counts the looks for revoked keys, and what they ended. */
export function countKeyChecks(metrics: MetricsRegistry, logger: Logger): Pick<AccessControlOptions, 'onKeyCheck'> {
  const checks = metrics.counter({
    name: 'sluice_key_checks_total',
    help: 'Looks for revocations among the API keys with open streams, by outcome.',
    labels: ['outcome'],
  });
  const ended = metrics.counter({
    name: 'sluice_streams_revoked_total',
    help: 'Streams ended because their API key was revoked.',
  });
  return {
    onKeyCheck(check) {
      checks.inc({ outcome: check.error === undefined ? 'ok' : 'failed' });
      ended.inc(check.ended);
      if (check.error !== undefined) logger.warn('revoked keys could not be looked for', { error: check.error });
      else if (check.ended > 0) logger.info('streams of revoked keys ended', { streams: check.ended });
    },
  };
}

/** Counts the requests that only this process counts, because more callers made some than the others are told of. */
export function countUntoldRequests(metrics: MetricsRegistry): Required<Pick<CallerLimiterOptions, 'onUntold'>> {
  const untold = metrics.counter({
    name: 'sluice_rates_untold_total',
    help: 'Requests that count in this process only, because of too many callers in one interval, by the bound.',
    labels: ['bound'],
  });
  return { onUntold: (reason, requests) => untold.inc({ bound: reason }, requests) };
}

/** Counts who was not let in, by HTTP, WebSocket and TCP alike. */
export function countFailedAuthentications(
  metrics: MetricsRegistry,
): Required<Pick<FailedAuthenticationLimits, 'onFailed'>> {
  const failures = metrics.counter({
    name: 'sluice_authentication_failures_total',
    help: 'Requests and log-ins that were not let in: missing credentials, or the code; rate_limited is an address that guesses.',
    labels: ['reason'],
    values: { reason: FAILURES },
  });
  return { onFailed: (reason) => failures.inc({ reason }) };
}

/** A gauge of the keys with something open, read when it is scraped. */
export function observeAccess(metrics: MetricsRegistry, access: AccessControl): void {
  metrics.gauge({
    name: 'sluice_watched_keys',
    help: 'Different API keys with open streams, looked after for revocation.',
    collect: (gauge) => gauge.set(access.watchedKeys),
  });
}
