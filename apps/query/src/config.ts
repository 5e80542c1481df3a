import { hostSettings, toHostConfig, type HostConfig } from '@sluice/engine';
import { defineSettings, parseSettings, readEnv, setting, type SettingsOf } from '@sluice/service-runtime';

/** The settings of this app beyond those of every host. */
export const querySettings = defineSettings({
  SLUICE_QUERY_MAX_PAGE: {
    schema: setting.byteSize({ min: 1024 * 1024, max: 512 * 1024 * 1024 }),
    default: '8MiB',
    description: 'Most bytes of events in one answer. A page that reaches it ends early, with a cursor for the rest.',
  },
});

export interface QueryConfig {
  readonly maxPageBytes: number;
}

export function toQueryConfig(settings: SettingsOf<typeof querySettings>): QueryConfig {
  return { maxPageBytes: settings.SLUICE_QUERY_MAX_PAGE };
}

/** Every setting of the process that runs this app alone. */
export const settings = defineSettings({ ...hostSettings({ httpPort: 8082 }), ...querySettings });

/** @throws SluiceError `configuration` */
export function readConfig(): { host: HostConfig; query: QueryConfig } {
  const values = parseSettings(settings, readEnv(settings, process.env));
  return { host: toHostConfig('query', values), query: toQueryConfig(values) };
}
