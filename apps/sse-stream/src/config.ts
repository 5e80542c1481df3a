import { hostSettings, toHostConfig, type HostConfig } from '@sluice/engine';
import { defineSettings, parseSettings, readEnv, setting, type SettingsOf } from '@sluice/service-runtime';
import { HEARTBEAT_SECONDS } from './http/registry/registry-values';

/** The settings of this app beyond those of every host. */
export const sseStreamSettings = defineSettings({
  SLUICE_SSE_HEARTBEAT: {
    schema: setting.durationMs({ min: 1_000, max: 60_000 }),
    default: '15s',
    description: 'How often an idle stream is sent a comment and a fresh cursor; at most 15 s at `/api/events`.',
  },
  SLUICE_SSE_RETRY: {
    schema: setting.durationMs({ min: 0, max: 60_000 }),
    default: '1s',
    description: 'What clients are told to wait before they connect again.',
  },
  SLUICE_SSE_END_GRACE: {
    schema: setting.durationMs({ min: 100, max: 60_000 }),
    default: '5s',
    description: 'How long a subscriber may take to read the rest of a stream that has ended; then it is cut off.',
  },
  SLUICE_SSE_DRAIN_SPREAD: {
    schema: setting.durationMs({ max: 300_000 }),
    default: '5s',
    description: 'Over how long a drain ends the streams; shorter where `SLUICE_DRAIN_TIMEOUT` leaves less.',
  },
  SLUICE_SOCKET_PING: {
    schema: setting.durationMs({ min: 1_000, max: 120_000 }),
    default: '30s',
    description: 'How often the peer of a WebSocket is pinged; one that sent nothing since the last ping is cut off.',
  },
  SLUICE_REGISTRY_CONNECTIONS: {
    schema: setting.integer({ min: 1, max: 10_000 }),
    default: '10',
    description: 'Streams of `/api/v1/events` that one key may have over all replicas, unless the key says otherwise.',
  },
  SLUICE_REGISTRY_MAX_DURATION: {
    schema: setting.durationMs({ min: 1_000, max: 86_400_000 }),
    default: '1h',
    description: 'How long a stream of `/api/v1/events` lasts.',
  },
});

/** A subscriber that reads nothing for so long, while something waits for it, is ended as slow. */
const STALL_TIMEOUT_MS = 30_000;

export interface SseStreamConfig {
  readonly heartbeatMs: number;
  readonly retryMs: number;
  readonly stallTimeoutMs: number;
  readonly endGraceMs: number;
  readonly drainSpreadMs: number;
  readonly pingIntervalMs: number;
  readonly registryConnections: number;
  readonly registryMaxDurationMs: number;
  readonly registryMinHeartbeatMs: number;
}

export function toSseStreamConfig(settings: SettingsOf<typeof sseStreamSettings>): SseStreamConfig {
  return {
    heartbeatMs: settings.SLUICE_SSE_HEARTBEAT,
    retryMs: settings.SLUICE_SSE_RETRY,
    stallTimeoutMs: STALL_TIMEOUT_MS,
    endGraceMs: settings.SLUICE_SSE_END_GRACE,
    drainSpreadMs: settings.SLUICE_SSE_DRAIN_SPREAD,
    pingIntervalMs: settings.SLUICE_SOCKET_PING,
    registryConnections: settings.SLUICE_REGISTRY_CONNECTIONS,
    registryMaxDurationMs: settings.SLUICE_REGISTRY_MAX_DURATION,
    registryMinHeartbeatMs: HEARTBEAT_SECONDS.min * 1_000,
  };
}

/** Every setting of the process that runs this app alone. */
export const settings = defineSettings({ ...hostSettings({ httpPort: 8083 }), ...sseStreamSettings });

/** @throws SluiceError `configuration` */
export function readConfig(): { host: HostConfig; sseStream: SseStreamConfig } {
  const values = parseSettings(settings, readEnv(settings, process.env));
  return { host: toHostConfig('sse-stream', values), sseStream: toSseStreamConfig(values) };
}
