import type { NatsCoordination, NatsCoordinationOptions } from '@sluice/coordination-nats';
import type { PresenceSignals } from '@sluice/delivery';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

/** The metrics and log lines of what replicas tell each other. */
export function createCoordinationSignals(
  metrics: MetricsRegistry,
  logger: Logger,
): Required<Pick<NatsCoordinationOptions, 'onFault' | 'onMetric'>> {
  const shared = metrics.gauge({
    name: 'sluice_coordination_shared',
    help: '1 while this replica is counted together with the others; 0 while it counts alone.',
  });
  const sought = metrics.counter({
    name: 'sluice_connection_slots_sought_total',
    help: 'Slots for connections that were sought over all replicas: given, given without asking the others, refused.',
    labels: ['outcome'],
  });
  const lost = metrics.counter({
    name: 'sluice_connection_slots_lost_total',
    help: 'Slots that others had taken while this replica was out of reach.',
  });
  const conflicts = metrics.counter({
    name: 'sluice_connection_slots_conflicts_total',
    help: 'Writes about slots that met those of another replica and were tried again.',
  });
  const rates = metrics.counter({
    name: 'sluice_rates_exchanged_total',
    help: 'Callers whose spending was told to the other replicas, or heard from them.',
    labels: ['direction'],
  });
  const deltas = metrics.counter({
    name: 'sluice_session_deltas_exchanged_total',
    help: 'Deltas of sessions that were told to the other replicas, heard from them, or dropped: NATS is away, or they are too many.',
    labels: ['direction'],
  });
  const presence = countPresenceRefusals(metrics);
  let isShared: boolean | undefined;
  return {
    onFault: (error) => logger.warn('coordination: limits may be counted by this replica alone', { error }),
    onMetric(metric) {
      switch (metric.kind) {
        case 'shared':
          shared.set(metric.shared ? 1 : 0);
          if (metric.shared && isShared === false)
            logger.info('coordination: limits are counted over all replicas again');
          isShared = metric.shared;
          break;
        case 'slot_sought':
          sought.inc({ outcome: metric.outcome });
          break;
        case 'slot_lost':
          lost.inc();
          break;
        case 'slot_conflict':
          conflicts.inc();
          break;
        case 'presence_refused':
          presence.onRefused(metric.refusal);
          break;
        case 'rates_told':
          rates.inc({ direction: 'told' }, metric.callers);
          break;
        case 'rates_heard':
          rates.inc({ direction: 'heard' }, metric.callers);
          break;
        case 'deltas_told':
          deltas.inc({ direction: 'told' }, metric.deltas);
          break;
        case 'deltas_heard':
          deltas.inc({ direction: 'heard' }, metric.deltas);
          break;
        case 'deltas_dropped':
          deltas.inc({ direction: 'dropped' }, metric.deltas);
          break;
      }
    },
  };
}

/** Counts who could not join a group. */
export function countPresenceRefusals(metrics: MetricsRegistry): Required<PresenceSignals> {
  const refused = metrics.counter({
    name: 'sluice_presence_refused_total',
    help: 'Subscribers that could not join a group, by what is full: the group, its workspace, or this replica.',
    labels: ['full'],
  });
  return { onRefused: (refusal) => refused.inc({ full: refusal }) };
}

/** A gauge of the slots that this process holds, read when it is scraped. */
export function observeCoordination(metrics: MetricsRegistry, { connectionSlots }: NatsCoordination): void {
  metrics.gauge({
    name: 'sluice_connection_slots',
    help: 'Slots for connections, counted over all replicas, that this process holds.',
    collect: (gauge) => gauge.set(connectionSlots.held),
  });
}
