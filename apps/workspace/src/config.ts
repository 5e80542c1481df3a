import { hostSettings, toHostConfig, type HostConfig } from '@sluice/engine';
import { defineSettings, parseSettings, readEnv, setting, type SettingsOf } from '@sluice/service-runtime';

/** The settings of this app beyond those of every host. */
export const workspaceSettings = defineSettings({
  SLUICE_WORKSPACE_PROJECTION_WAIT: {
    schema: setting.durationMs({ min: 0, max: 60_000 }),
    default: '2s',
    description: 'How long a change waits until it can be read; then the answer is 202.',
  },
  SLUICE_RUN_TIMEOUT: {
    schema: setting.durationMs({ min: 100, max: 86_400_000 }),
    default: '5m',
    description: 'Longest time from the beginning of a run of an agent or a cron job to its end; then it has failed.',
  },
  SLUICE_RUN_CONCURRENCY: {
    schema: setting.integer({ min: 1, max: 1_000 }),
    default: '16',
    description: 'Most runs of this process at a time.',
  },
  SLUICE_RUN_QUEUE: {
    schema: setting.integer({ min: 0, max: 100_000 }),
    default: '1000',
    description:
      'Most runs of this process that wait for their turn. Beyond it requests get 503 and cron jobs start late.',
  },
  SLUICE_RUN_PER_WORKSPACE: {
    schema: setting.integer({ min: 1, max: 100_000 }),
    default: '200',
    description: 'Most runs of one workspace in this process, running or waiting.',
  },
  SLUICE_CRON_POLL_INTERVAL: {
    schema: setting.durationMs({ min: 10, max: 60_000 }),
    default: '500ms',
    description: 'How often to look for cron jobs that are due and for runs whose process died.',
  },
  SLUICE_CRON_GRACE: {
    schema: setting.durationMs({ min: 0, max: 3_600_000 }),
    default: '30s',
    description: 'How late a due time still counts as on time for a job with `catch_up: skip`.',
  },
  SLUICE_CRON_JOBS_PER_WORKSPACE: {
    schema: setting.integer({ min: 1, max: 100_000 }),
    default: '1000',
    description: 'Most enabled cron jobs of one workspace; what would make one more gets 409.',
  },
  SLUICE_RESPONDER_URL: {
    schema: setting.url({ protocols: ['http', 'https'] }).optional(),
    description: 'Where agents are asked for their answers, by `POST`. Without it the built-in responder answers.',
  },
  SLUICE_RESPONDER_TOKEN: {
    schema: setting.text().optional(),
    description: 'Sent to the responder as `Authorization: Bearer`.',
    secret: true,
  },
  SLUICE_RESPONDER_TIMEOUT: {
    schema: setting.durationMs({ min: 100, max: 3_600_000 }),
    default: '60s',
    description: 'Longest time for one answer of the responder; it is asked up to three times.',
  },
  SLUICE_RESPONDER_MAX_ANSWER: {
    schema: setting.byteSize({ min: 1_024, max: 16 * 1024 * 1024 }),
    default: '1MiB',
    description: 'Largest answer of the responder; a larger one is a failure of the run.',
  },
});

export interface ResponderConfig {
  readonly url?: string;
  readonly token?: string;
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
}

export interface RunConfig {
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly queue: number;
  readonly perWorkspace: number;
}

export interface CronConfig {
  readonly pollIntervalMs: number;
  readonly graceMs: number;
  readonly jobsPerWorkspace: number;
}

export interface WorkspaceConfig {
  readonly projectionWaitMs: number;
  readonly runs: RunConfig;
  readonly cron: CronConfig;
  readonly responder: ResponderConfig;
}

export function toWorkspaceConfig(settings: SettingsOf<typeof workspaceSettings>): WorkspaceConfig {
  const { SLUICE_RESPONDER_URL: url, SLUICE_RESPONDER_TOKEN: token } = settings;
  return {
    projectionWaitMs: settings.SLUICE_WORKSPACE_PROJECTION_WAIT,
    runs: {
      timeoutMs: settings.SLUICE_RUN_TIMEOUT,
      concurrency: settings.SLUICE_RUN_CONCURRENCY,
      queue: settings.SLUICE_RUN_QUEUE,
      perWorkspace: settings.SLUICE_RUN_PER_WORKSPACE,
    },
    cron: {
      pollIntervalMs: settings.SLUICE_CRON_POLL_INTERVAL,
      graceMs: settings.SLUICE_CRON_GRACE,
      jobsPerWorkspace: settings.SLUICE_CRON_JOBS_PER_WORKSPACE,
    },
    responder: {
      ...(url !== undefined && { url }),
      ...(token !== undefined && { token }),
      timeoutMs: settings.SLUICE_RESPONDER_TIMEOUT,
      maxAnswerBytes: settings.SLUICE_RESPONDER_MAX_ANSWER,
    },
  };
}

/** Every setting of the process that runs this app alone. */
export const settings = defineSettings({ ...hostSettings({ httpPort: 8086 }), ...workspaceSettings });

/** @throws SluiceError `configuration` */
export function readConfig(): { host: HostConfig; workspace: WorkspaceConfig } {
  const values = parseSettings(settings, readEnv(settings, process.env));
  return { host: toHostConfig('workspace', values), workspace: toWorkspaceConfig(values) };
}
