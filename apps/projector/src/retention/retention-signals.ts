import type { RetentionBacklog, RetentionPolicy, RetentionScope, RetentionStep } from '@sluice/event-log';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

/** What is told of retention. */
export interface RetentionSignals {
  retentionAsked(what: 'set' | 'remove', policy: RetentionPolicy, actor: string): void;
  retentionActive(isActive: boolean): void;
  retentionSwept(step: Extract<RetentionStep, { kind: 'swept' }>): void;
  retentionBacklog(backlog: RetentionBacklog): void;
  retentionWaits(): void;
  retentionClocksDiffer(byMs: number): void;
}

export function createRetentionSignals(metrics: MetricsRegistry, logger: Logger): RetentionSignals {
  const active = metrics.gauge({
    name: 'sluice_retention_active',
    help: '1 while this process removes events that are too old.',
  });
  const scanned = metrics.counter({
    name: 'sluice_retention_scanned_events_total',
    help: 'Events that were looked at for being too old.',
  });
  const removed = metrics.counter({
    name: 'sluice_retention_removed_events_total',
    help: 'Events removed because they were too old, by family.',
    labels: ['family'],
  });
  const removedBytes = metrics.counter({
    name: 'sluice_retention_removed_bytes_total',
    help: 'Bytes of the envelopes of these events.',
  });
  const duePolicies = metrics.gauge({
    name: 'sluice_retention_due_policies',
    help: 'Policies that have events to look at which are too old, as far as this process knows; 0 where another one is at it.',
  });
  const overdue = metrics.gauge({
    name: 'sluice_retention_overdue_seconds',
    help: 'For how long the first event that is to be looked at has been too old.',
  });
  const refused = metrics.counter({
    name: 'sluice_retention_refusals_total',
    help: 'Times that nothing was removed because the clocks of the database and of this process differ.',
  });
  return {
    retentionAsked(what, { workspaceId, family, maxAgeMs }, actor) {
      logger.info('was told for how long to keep events', { what, workspaceId, family, maxAgeMs, actor });
    },
    retentionActive: (isActive) => active.set(isActive ? 1 : 0),
    retentionSwept({ scope, events, bytes, upTo, ...step }) {
      scanned.inc(step.scanned);
      if (events === 0) return;
      removed.inc({ family: scope.family }, events);
      removedBytes.inc(bytes);
      logger.info('removed events that were too old', { ...scopeOf(scope), events, bytes, upTo });
    },
    retentionBacklog({ policies, overdueMs }) {
      duePolicies.set(policies);
      overdue.set(overdueMs / 1_000);
    },
    retentionClocksDiffer(byMs) {
      refused.inc();
      logger.warn('removes nothing while the clocks differ', { databaseAheadMs: byMs });
    },
    retentionWaits: () => logger.info('keeps old events while the read model is being rebuilt', {}),
  };
}

const scopeOf = ({ workspaceId, family }: RetentionScope) => ({ workspaceId, family });
