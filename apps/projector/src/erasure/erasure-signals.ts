import type { ErasureStep } from '@sluice/event-log';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

/** What is told of erasures. What they are about is in their status alone. */
export interface ErasureSignals {
  erasureAsked(erasureId: number, actor: string): void;
  erasureAbandoned(erasureId: number, actor: string): void;
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
