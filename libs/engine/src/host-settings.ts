import { defineSettings, LOG_FORMATS, LOG_LEVELS, setting } from '@sluice/service-runtime';
import { accessSettings } from './access-settings';
import { engineSettings } from './engine-settings';
import { httpSettings } from './http-settings';

/** The settings that every process has, with the ports that are its own defaults. */
export function hostSettings(defaults: { readonly httpPort: number }) {
  return defineSettings({
    ...httpSettings(defaults),
    SLUICE_LOG_LEVEL: {
      schema: setting.enum(LOG_LEVELS),
      default: 'info',
      description: 'Least severe log line that is written.',
    },
    SLUICE_LOG_FORMAT: {
      schema: setting.enum(LOG_FORMATS),
      default: 'json',
      description: '`json` for machines, `text` for people.',
    },
    SLUICE_DRAIN_TIMEOUT: {
      schema: setting.durationMs({ min: 100, max: 600_000 }),
      default: '20s',
      description: 'Longest time from SIGTERM to the end of the process.',
    },
    SLUICE_DRAIN_DELAY: {
      schema: setting.durationMs({ max: 300_000 }),
      default: '0',
      description: 'How long to serve on after SIGTERM, not ready, so that load balancers can learn of it.',
    },
    ...engineSettings,
    ...accessSettings,
  });
}
