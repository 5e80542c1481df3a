import type { NatsCoordination } from '@sluice/coordination-nats';
import { InProcessDeliveryLog } from '@sluice/event-log';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';
import { countAppends } from './append-metrics';
import { memoryCoordination } from './coordination';
import { countPresenceRefusals, createCoordinationSignals, observeCoordination } from './coordination-signals';
import { Closables, once, type Engine } from './engine';
import { followFile, readBrokerTls } from './broker-files';
import type { EngineConfig } from './engine-settings';
import { createEngineSignals } from './engine-signals';
import { openMemoryEngine } from './memory-engine';
import type { NatsConfig } from './nats-settings';
import { openFileStore } from './open-file-store';
import { openSealedKafkaLog } from './open-sealed-log';
import { openPostgresReadSide } from './postgres-read-side';

export interface OpenEngineOptions {
  /** How this process is called at the brokers. */
  readonly clientName: string;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
}

/** Most runs that the delivery log keeps; its bytes and age bound it first in practice. */
const MAX_DELIVERY_MESSAGES = 10_000_000;

/** The ports of the configured engine. Nothing is opened, or its client even loaded, before it is asked for. */
export function openEngine(config: EngineConfig, options: OpenEngineOptions): Engine {
  switch (config.engine) {
    case 'memory':
      return openMemoryEngine(countPresenceRefusals(options.metrics));
    case 'embedded':
      return openEmbeddedEngine(config, options);
    case 'cluster':
      return openClusterEngine(config, options);
  }
}

function openEmbeddedEngine(config: EngineConfig & { engine: 'embedded' }, options: OpenEngineOptions): Engine {
  const closables = new Closables();
  const signals = createEngineSignals(options);
  const { databaseUrl } = config.database;
  const { entityKeys: _, ...readSide } = openPostgresReadSide(config.database, closables);
  return {
    ...readSide,
    fileStore: once(() => closables.keep(openFileStore(config))),
    durableLog: once(async () => {
      const { openPostgresDurableLog } = await import('@sluice/durable-log-postgres');
      const log = await closables.keep(
        openPostgresDurableLog({
          databaseUrl,
          onFault: (error) => signals.fault('durable_log', error),
          onQueue: ({ events }) => signals.appendQueue(events),
          onBatch: ({ durationMs }) => signals.appendBatchTook(durationMs),
        }),
      );
      return countAppends(log, signals);
    }),
    deliveryLog: once(() => closables.keep(Promise.resolve(new InProcessDeliveryLog()))),
    coordination: once(() =>
      closables.keep(Promise.resolve(memoryCoordination(countPresenceRefusals(options.metrics)))),
    ),
    close: () => closables.close(),
  };
}

function openClusterEngine(config: EngineConfig & { engine: 'cluster' }, options: OpenEngineOptions): Engine {
  const closables = new Closables();
  const signals = createEngineSignals(options);
  const { nats, names } = config;
  const { entityKeys, ...readSide } = openPostgresReadSide(config.database, closables);
  return {
    ...readSide,
    fileStore: once(() => closables.keep(openFileStore(config))),
    durableLog: once(async () => closables.keep(openSealedKafkaLog(config, entityKeys, options, signals))),
    deliveryLog: once(async () => {
      const { openJetStreamDeliveryLog } = await import('@sluice/delivery-log-jetstream');
      signals.deliveryLogOpened();
      return closables.keep(
        openJetStreamDeliveryLog({
          name: options.clientName,
          stream: names.stream,
          subject: names.recordedSubject,
          replicas: nats.replicas,
          retention: { maxAgeMs: nats.maxAgeMs, maxBytes: nats.maxBytes, maxMessages: MAX_DELIVERY_MESSAGES },
          ...(await natsConnection(nats)),
          onFault: (error) => signals.fault('delivery_log', error),
          onMetric: signals.jetStreamMetric,
        }),
      );
    }),
    coordination: once(() => closables.keep(openClusterCoordination(config, options))),
    close: () => closables.close(),
  };
}

/** How both connections to NATS are made. @throws SluiceError `configuration` for files that cannot be read */
async function natsConnection({ servers, token, user, password, credentialsFile, tls }: NatsConfig) {
  // The client reads them itself, in the background.
  await readBrokerTls(tls ?? {});
  return {
    servers,
    ...(token === undefined ? {} : { token }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password }),
    ...(credentialsFile === undefined ? {} : { credentials: followFile(credentialsFile) }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** Does not wait for NATS: who seeks a slot waits a second for it, and then is counted here alone. */
async function openClusterCoordination(
  { nats, names }: EngineConfig & { engine: 'cluster' },
  { clientName, metrics, logger }: OpenEngineOptions,
): Promise<NatsCoordination> {
  const { NatsCoordination } = await import('@sluice/coordination-nats');
  const coordination = new NatsCoordination({
    name: `${clientName}-coordination`,
    names,
    replicas: nats.replicas,
    ...(await natsConnection(nats)),
    ...createCoordinationSignals(metrics, logger),
  });
  observeCoordination(metrics, coordination);
  return coordination;
}
