import type { Server, TlsOptions } from 'node:tls';
import type { Logger } from '../logger';
import type { MetricsRegistry } from '../metrics';
import { METRIC_NAMES } from '../signals';
import { readTlsFiles, stampOf, type TlsFiles, type TlsMaterial } from './tls-files';

export interface TlsConfig {
  readonly files: TlsFiles;
  /** How often the files are looked at. */
  readonly reloadIntervalMs: number;
  /** From the connection to the end of the handshake; a slower peer is cut. Default `TLS_HANDSHAKE_TIMEOUT_MS`. */
  readonly handshakeTimeoutMs?: number;
}

/** Where it tells of renewals, and by which name. */
export interface TlsSignals {
  /** Which port it is: `http`, `pubsub`. */
  readonly port: string;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
}

export const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;

/** A certificate on disk, and the servers that present it. A renewed one is presented to new connections. */
export class TlsCertificate {
  private readonly servers: Server[] = [];
  private readonly timer: NodeJS.Timeout;
  private readonly reloads;
  private isLooking = false;
  private failedStamp: string | undefined;

  private constructor(
    private readonly config: TlsConfig,
    private material: TlsMaterial,
    private stamp: string,
    private readonly signals: TlsSignals,
  ) {
    const { metrics, port } = signals;
    this.reloads = metrics.counter<'port' | 'outcome'>({
      name: METRIC_NAMES.tlsReloadsTotal,
      help: 'Changes of certificate files that were found, by port and outcome: renewed, or failed and the old one stays',
      labels: ['port', 'outcome'],
    });
    this.tellExpiry();
    if (this.material.expiresAt <= Date.now()) signals.logger.warn('the certificate has expired', { port });
    this.timer = setInterval(() => void this.look(), config.reloadIntervalMs);
    this.timer.unref();
  }

  /** @throws SluiceError `configuration` when a file cannot be read or used */
  static async open(config: TlsConfig, signals: TlsSignals): Promise<TlsCertificate> {
    // A change between the stamp and the reading is found by the next look.
    const stamp = await stampOf(config.files).catch(() => '');
    return new TlsCertificate(config, await readTlsFiles(config.files), stamp, signals);
  }

  /** What a server is created with: TLS 1.2 at least, a bounded handshake, and a peer's certificate where one is asked for. */
  get options(): TlsOptions {
    const asksPeers = this.config.files.clientAuthorities !== undefined;
    return {
      ...this.material.context,
      handshakeTimeout: this.config.handshakeTimeoutMs ?? TLS_HANDSHAKE_TIMEOUT_MS,
      requestCert: asksPeers,
      rejectUnauthorized: asksPeers,
    };
  }

  /** Has a server present the certificate as it is renewed. */
  follow(server: Server): void {
    this.servers.push(server);
  }

  /** Stops looking for a renewed one. */
  close(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      // A file that is gone for a moment is being replaced.
      const stamp = await stampOf(this.config.files).catch(() => '');
      if (stamp !== this.stamp) await this.reload(stamp);
    } finally {
      this.isLooking = false;
    }
  }

  /** A certificate and a key of which only one is written yet do not fit: they are read again at each look. */
  private async reload(stamp: string): Promise<void> {
    const { logger, port } = this.signals;
    try {
      this.material = await readTlsFiles(this.config.files);
      for (const server of this.servers) server.setSecureContext(this.material.context);
      this.stamp = stamp;
      this.failedStamp = undefined;
      this.tellExpiry();
      this.reloads.inc({ port, outcome: 'renewed' });
      logger.info('certificate renewed', { port, expiresAt: new Date(this.material.expiresAt) });
    } catch (error) {
      this.reloads.inc({ port, outcome: 'failed' });
      if (stamp !== this.failedStamp) logger.error('the certificate cannot be renewed', { port, error });
      this.failedStamp = stamp;
    }
  }

  private tellExpiry(): void {
    const { metrics, port } = this.signals;
    const expiry = metrics.gauge<'port'>({
      name: METRIC_NAMES.tlsCertificateExpirySeconds,
      help: 'When the certificate ends, in seconds since 1970, by port',
      labels: ['port'],
    });
    expiry.set({ port }, this.material.expiresAt / 1_000);
  }
}
