import { readModelCheck, type AppHost, type AppPart } from '@sluice/engine';
import { TlsCertificate } from '@sluice/service-runtime';
import type { PubSubConfig } from './config';
import { Gate } from './gate';
import { PUBSUB_LIMITS, type PubSubLimits } from './limits';
import { PubSubServer } from './pubsub-server';
import { createPubSubSignals } from './signals';

/** This app as a part of a process. It has no HTTP doors of its own. */
export interface PubSubPart extends AppPart {
  /** The TCP port that it listens on; the configured one before it does. */
  readonly port: () => number;
}

/**
 * Creates the part; it listens when the service starts.
 * @throws SluiceError when the engine cannot be opened
 */
export async function createPubSubPart(
  host: AppHost,
  config: PubSubConfig,
  limits: Partial<PubSubLimits> = {},
): Promise<PubSubPart> {
  const { logger, metrics } = host;
  const drainSpreadMs = Math.min(config.drainSpreadMs, host.config.drain.timeoutMs / 2);
  const allLimits: PubSubLimits = { ...PUBSUB_LIMITS, ...limits };
  const tls = config.tls ?? host.config.http.tls;
  const openCertificate =
    tls &&
    (() =>
      TlsCertificate.open(
        { ...tls, handshakeTimeoutMs: allLimits.handshakeTimeoutMs },
        { port: 'pubsub', logger, metrics },
      ));
  const server = new PubSubServer(
    { ...config, drainSpreadMs },
    {
      feed: await host.feed(),
      gate: new Gate(await host.access(), host.limiter, host.failures),
      limits: allLimits,
      signals: createPubSubSignals(metrics, logger),
    },
    openCertificate,
  );
  return {
    name: server.name,
    workers: [server],
    checks: [await readModelCheck(host.engine)],
    port: () => server.port,
  };
}
