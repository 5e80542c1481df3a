import { SluiceError, toSluiceError, type ResetReason } from '@sluice/event-log';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';
import {
  DELIVERY_OUTCOMES,
  type DeliveryKind,
  type DeliveryOutcome,
  type DisabledReason,
  type WebhookEndpoint,
} from '@sluice/webhook-delivery';

/** What requests to applications are made for. */
const ATTEMPTS = ['event', 'replay', 'ping'] as const satisfies readonly DeliveryKind[];

/** Where a fault was survived. */
export type FaultPlace = 'lease' | 'endpoint' | 'record' | 'prune' | 'attendance';

/** What an owner did that is worth a line in the log. */
export type OwnerAction =
  | 'created'
  | 'changed'
  | 'removed'
  | 'secret_rotated'
  | 'tested'
  | 'retried'
  | 'skipped'
  | 'replayed'
  | 'redelivered'
  | 'replay_cancelled';

type Named = Pick<WebhookEndpoint, 'endpointId' | 'workspaceId'>;

/** What the gauges show when they are read. */
export interface WebhookLoad {
  readonly held: number;
  readonly blocked: number;
  readonly running: number;
  readonly waiting: number;
  readonly lagEvents: number;
}

/** Everything that the app of webhooks tells its operators. Neither URLs nor secrets are among it. */
export interface WebhookSignals {
  readLoad(read: () => WebhookLoad): void;
  attempted(kind: (typeof ATTEMPTS)[number], outcome: DeliveryOutcome, durationMs: number): void;
  disabled(endpoint: Named, reason: DisabledReason): void;
  reset(endpoint: Named, reason: ResetReason): void;
  grantLost(): void;
  pruned(counts: { readonly deliveries: number; readonly deadLetters: number }): void;
  /** Enabled endpoints that nobody delivers to. */
  unattended(count: number): void;
  fault(place: FaultPlace, error: unknown, endpoint?: Named): void;
  owner(action: OwnerAction, endpoint: Named, keyId: string): void;
}

/** A fault of one place and code is told once in so long; all are counted. */
const FAULT_LINE_MS = 30_000;

export function createWebhookSignals(metrics: MetricsRegistry, logger: Logger): WebhookSignals {
  const counters = createWebhookMetrics(metrics);
  const toldAtMs = new Map<string, number>();
  return {
    readLoad: counters.readLoad,
    attempted(kind, outcome, durationMs) {
      counters.attempts.inc({ kind, outcome });
      counters.attemptSeconds.observe({ kind }, durationMs / 1000);
    },
    disabled({ endpointId, workspaceId }, reason) {
      counters.disabled.inc({ reason });
      logger.warn('an endpoint is sent nothing more', { endpointId, workspaceId, reason });
    },
    reset({ endpointId, workspaceId }, reason) {
      counters.resets.inc({ reason });
      logger.warn('an endpoint goes on from another place', { endpointId, workspaceId, reason });
    },
    grantLost: () => counters.lostGrants.inc(),
    pruned({ deliveries, deadLetters }) {
      counters.pruned.inc({ what: 'deliveries' }, deliveries);
      counters.pruned.inc({ what: 'dead_letters' }, deadLetters);
    },
    unattended: (count) => counters.unattended.set(count),
    fault(place, error, endpoint) {
      const { code } = toSluiceError(error);
      counters.faults.inc({ place, code });
      if (error instanceof SluiceError && error.code === 'shutting_down') return;
      const key = `${place} ${code}`;
      const nowMs = performance.now();
      if (nowMs - (toldAtMs.get(key) ?? -Infinity) < FAULT_LINE_MS) return;
      toldAtMs.set(key, nowMs);
      const of = endpoint && { endpointId: endpoint.endpointId, workspaceId: endpoint.workspaceId };
      logger.warn('survived a fault', { place, code, error, ...of });
    },
    owner: (action, { endpointId, workspaceId }, byKeyId) =>
      logger.info('an endpoint was administered', { action, endpointId, workspaceId, byKeyId }),
  };
}

/** Every metric of this app. */
export function createWebhookMetrics(metrics: MetricsRegistry) {
  let load = (): WebhookLoad => ({ held: 0, blocked: 0, running: 0, waiting: 0, lagEvents: 0 });
  const gauge = (name: string, help: string, value: (load: WebhookLoad) => number) =>
    metrics.gauge({ name: `sluice_webhook_${name}`, help, collect: (each) => each.set(value(load())) });
  gauge('endpoints', 'Endpoints that this process delivers to.', ({ held }) => held);
  gauge('blocked_endpoints', 'Of these, endpoints that wait for the next attempt.', ({ blocked }) => blocked);
  gauge('requests_in_flight', 'Requests to applications going on.', ({ running }) => running);
  gauge('requests_waiting', 'Requests to applications that wait for their turn.', ({ waiting }) => waiting);
  gauge('lag_events', 'Recorded events after the place of the furthest endpoint.', ({ lagEvents }) => lagEvents);
  return {
    readLoad(read: () => WebhookLoad): void {
      load = read;
    },
    attempts: metrics.counter({
      name: 'sluice_webhook_attempts_total',
      help: 'Requests to applications, by kind (event, replay, ping) and outcome.',
      labels: ['kind', 'outcome'],
      values: { kind: ATTEMPTS, outcome: DELIVERY_OUTCOMES },
    }),
    attemptSeconds: metrics.histogram({
      name: 'sluice_webhook_attempt_duration_seconds',
      help: 'Time of a request to an application.',
      labels: ['kind'],
    }),
    disabled: metrics.counter({
      name: 'sluice_webhook_disabled_total',
      help: 'Endpoints that were disabled by what they answered.',
      labels: ['reason'],
    }),
    resets: metrics.counter({
      name: 'sluice_webhook_resets_total',
      help: 'Endpoints whose cursor could not be honoured.',
      labels: ['reason'],
    }),
    lostGrants: metrics.counter({
      name: 'sluice_webhook_lost_grants_total',
      help: 'Endpoints that another process took, or that were removed, while this one delivered to them.',
    }),
    unattended: metrics.gauge({
      name: 'sluice_webhook_unattended_endpoints',
      help: 'Enabled endpoints that no process has delivered to for longer than a lease: more replicas are needed.',
    }),
    pruned: metrics.counter({
      name: 'sluice_webhook_pruned_total',
      help: 'Deliveries and dead letters that were forgotten for their age.',
      labels: ['what'],
    }),
    faults: metrics.counter({
      name: 'sluice_webhook_faults_total',
      help: 'Faults that the app survived.',
      labels: ['place', 'code'],
    }),
  };
}
