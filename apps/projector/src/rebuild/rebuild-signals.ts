import type { RebuildPositions, RebuildRemainder, SwitchOutcome } from '@sluice/event-log';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';
import type { RunEnd } from './rebuild-run';

/** What is told of rebuilds. */
export interface RebuildSignals {
  rebuildAsked(what: 'rebuild' | 'abort' | 'drop_old', actor: string): void;
  rebuildBegan(rebuildId: number, positions: RebuildPositions): void;
  rebuildProjected(events: number): void;
  rebuildLeft(left: RebuildRemainder): void;
  rebuildReport(rebuildId: number, left: RebuildRemainder): void;
  rebuildSwitch(rebuildId: number, outcome: SwitchOutcome): void;
  rebuildFailed(rebuildId: number, reason: string): void;
  rebuildEnded(rebuildId: number, end: RunEnd): void;
}

export function createRebuildSignals(metrics: MetricsRegistry, logger: Logger): RebuildSignals {
  const active = metrics.gauge({
    name: 'sluice_rebuild_active',
    help: '1 while this process rebuilds the read model.',
  });
  const remaining = metrics.gauge({
    name: 'sluice_rebuild_remaining',
    help: 'What the model beside the live one is behind it, in records of the log and in events.',
    labels: ['unit'],
  });
  const projected = metrics.counter({
    name: 'sluice_rebuild_projected_events_total',
    help: 'Events projected into models beside the live one.',
  });
  const switches = metrics.counter({
    name: 'sluice_rebuild_switches_total',
    help: 'Attempts to exchange the models, by outcome.',
    labels: ['outcome'],
  });
  return {
    rebuildAsked: (what, actor) => logger.info('was asked about a rebuild', { what, actor }),
    rebuildBegan(rebuildId, positions) {
      active.set(1);
      logger.info('rebuilds the read model', { rebuildId, positions });
    },
    rebuildProjected: (events) => projected.inc(events),
    rebuildLeft(left) {
      remaining.set({ unit: 'records' }, left.records);
      remaining.set({ unit: 'events' }, left.events);
    },
    rebuildReport: (rebuildId, left) => logger.info('is on the way of a rebuild', { rebuildId, ...left }),
    rebuildSwitch(rebuildId, outcome) {
      switches.inc({ outcome });
      logger.info('tried to exchange the read models', { rebuildId, outcome });
    },
    rebuildFailed: (rebuildId, reason) => logger.error('gave a rebuild up', { rebuildId, reason }),
    rebuildEnded(rebuildId, end) {
      active.set(0);
      logger.info('is done with a rebuild', { rebuildId, end });
    },
  };
}
