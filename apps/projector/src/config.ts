import { hostSettings, toHostConfig, type HostConfig } from '@sluice/engine';
import { defineSettings, parseSettings, readEnv, setting, type SettingsOf } from '@sluice/service-runtime';

/** The settings of this app beyond those of every host. */
export const projectorSettings = defineSettings({
  SLUICE_PROJECTOR_MAX_BATCH: {
    schema: setting.integer({ min: 1, max: 10_000 }),
    default: '1000',
    description: 'Most records of one transaction.',
  },
});

export interface ProjectorConfig {
  readonly maxBatchRecords: number;
  /** How often it is looked whether something is to be rebuilt or erased; each of the two workers has its default. */
  readonly pollIntervalMs?: number;
}

export function toProjectorConfig(settings: SettingsOf<typeof projectorSettings>): ProjectorConfig {
  return { maxBatchRecords: settings.SLUICE_PROJECTOR_MAX_BATCH };
}

/** Every setting of the process that runs this app alone. */
export const settings = defineSettings({ ...hostSettings({ httpPort: 8088 }), ...projectorSettings });

/** @throws SluiceError `configuration` */
export function readConfig(): { host: HostConfig; projector: ProjectorConfig } {
  const values = parseSettings(settings, readEnv(settings, process.env));
  return { host: toHostConfig('projector', values), projector: toProjectorConfig(values) };
}
