import { hostSettings, toHostConfig, type HostConfig } from '@sluice/engine';
import { defineSettings, parseSettings, readEnv, setting, type SettingsOf } from '@sluice/service-runtime';

/** The settings of this app beyond those of every host. */
export const ingestSettings = defineSettings({
  SLUICE_INGEST_MAX_BODY: {
    schema: setting.byteSize({ min: 1024, max: 64 * 1024 * 1024 }),
    default: '4MiB',
    description: 'Largest request body. One event is at most 256 KiB whatever this says.',
  },
  SLUICE_INGEST_PROJECTION_WAIT: {
    schema: setting.durationMs({ min: 0, max: 60_000 }),
    default: '2s',
    description: 'How long a default acknowledgement waits until the event can be read; then the answer is 202.',
  },
});

export interface IngestConfig {
  readonly maxBodyBytes: number;
  readonly projectionWaitMs: number;
}

export function toIngestConfig(settings: SettingsOf<typeof ingestSettings>): IngestConfig {
  return {
    maxBodyBytes: settings.SLUICE_INGEST_MAX_BODY,
    projectionWaitMs: settings.SLUICE_INGEST_PROJECTION_WAIT,
  };
}

/** Every setting of the process that runs this app alone. */
export const settings = defineSettings({ ...hostSettings({ httpPort: 8081 }), ...ingestSettings });

/** @throws SluiceError `configuration` */
export function readConfig(): { host: HostConfig; ingest: IngestConfig } {
  const values = parseSettings(settings, readEnv(settings, process.env));
  return { host: toHostConfig('ingest', values), ingest: toIngestConfig(values) };
}
