import type { ErasureBacklog, ErasureStep } from '@sluice/event-log';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

/** What is told of erasures. What they are about is in their status alone. */
export interface ErasureSignals {
  erasureAsked(erasureId: number, actor: string): void;
  erasureAbandoned(erasureId: number, actor: string): void;
  erasureBacklog(backlog: ErasureBacklog): void;
  erasureHeld(isHeld: boolean): void;
  erasureStep(erasureId: number, done: ErasureStep): void;
  erasureCaveat(erasureId: number, caveat: string): void;
  erasureFinished(erasureId: number): void;
}

export function createErasureSignals(metrics: MetricsRegistry, logger: Logger): ErasureSignals {
  const active = metrics.gauge({
    name: 'sluice_erasure_active',
    help: '1 while this process works on an erasure.',
  });
  const open = metrics.gauge({
    name: 'sluice_erasures_open',
    help: 'Erasures that are neither done nor abandoned, of all projectors.',
  });
  const oldest = metrics.gauge({
    name: 'sluice_erasure_oldest_open_seconds',
    help: 'For how long the oldest of them has been open; 0 without one.',
  });
  const steps = metrics.counter({
    name: 'sluice_erasure_steps_total',
    help: 'Steps of erasures that this process has done.',
    labels: ['step'],
  });
  const finished = metrics.counter({
    name: 'sluice_erasures_finished_total',
    help: 'Erasures that this process has brought to their end.',
  });
  return {
    erasureAsked: (erasureId, actor) => logger.info('was asked for an erasure', { erasureId, actor }),
    erasureAbandoned: (erasureId, actor) => logger.warn('was told to abandon an erasure', { erasureId, actor }),
    erasureBacklog(backlog) {
      open.set(backlog.open);
      oldest.set(backlog.oldestMs / 1_000);
    },
    erasureHeld: (isHeld) => active.set(isHeld ? 1 : 0),
    erasureStep(erasureId, done) {
      steps.inc({ step: done });
      logger.info('did a step of an erasure', { erasureId, step: done });
    },
    erasureCaveat: (erasureId, caveat) => logger.warn('cannot take everything out of the log', { erasureId, caveat }),
    erasureFinished(erasureId) {
      finished.inc();
      logger.info('is done with an erasure', { erasureId });
    },
  };
}
