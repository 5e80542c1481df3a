import { defineSettings, setting, type SettingsOf } from '@sluice/service-runtime';

/** Whether and how the durable log's records are sealed, where they cannot be erased in place. */
export const sealingSettings = defineSettings({
  SLUICE_LOG_SEALING: {
    schema: setting.enum(['on', 'off']),
    default: 'on',
    description:
      'With `cluster`: seal events in Kafka, each under a key of its entity, so that they can be erased. `off` stores them in the clear, and erases nothing.',
  },
  SLUICE_LOG_KEY_MAX_AGE: {
    schema: setting.durationMs({ min: 1_000, max: 3_600_000 }),
    default: '5m',
    description:
      'How long a process may use such a key without asking for it again. An erasure takes one and a half times as long.',
  },
});

export type SealingSettings = SettingsOf<typeof sealingSettings>;

export interface SealingConfig {
  readonly enabled: boolean;
  readonly keyMaxAgeMs: number;
}

export function toSealingConfig(settings: SealingSettings): SealingConfig {
  return { enabled: settings.SLUICE_LOG_SEALING === 'on', keyMaxAgeMs: settings.SLUICE_LOG_KEY_MAX_AGE };
}
