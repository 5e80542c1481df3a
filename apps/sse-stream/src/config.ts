import { hostSettings, toHostConfig, type HostConfig } from '@sluice/engine';
import { defineSettings, parseSettings, readEnv, setting, type SettingsOf } from '@sluice/service-runtime';

/** The settings of this app beyond those of every host. */
export const sseStreamSettings = defineSettings({
  SLUICE_SSE_HEARTBEAT: {
    schema: setting.durationMs({ min: 1_000, max: 60_000 }),
    default: '15s',
    description: 'How often an idle stream is sent a comment and a fresh cursor.',
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
});

/** A subscriber that reads nothing for so long, while something waits for it, is ended as slow. */
const STALL_TIMEOUT_MS = 30_000;

export interface SseStreamConfig {
  readonly heartbeatMs: number;
  readonly retryMs: number;
  readonly stallTimeoutMs: number;
  readonly endGraceMs: number;
}

export function toSseStreamConfig(settings: SettingsOf<typeof sseStreamSettings>): SseStreamConfig {
  return {
    heartbeatMs: settings.SLUICE_SSE_HEARTBEAT,
    retryMs: settings.SLUICE_SSE_RETRY,
    stallTimeoutMs: STALL_TIMEOUT_MS,
    endGraceMs: settings.SLUICE_SSE_END_GRACE,
  };
}

/** Every setting of the process that runs this app alone. */
export const settings = defineSettings({ ...hostSettings({ httpPort: 8083 }), ...sseStreamSettings });

/** @throws SluiceError `configuration` */
export function readConfig(): { host: HostConfig; sseStream: SseStreamConfig } {
  const values = parseSettings(settings, readEnv(settings, process.env));
  return { host: toHostConfig('sse-stream', values), sseStream: toSseStreamConfig(values) };
}
