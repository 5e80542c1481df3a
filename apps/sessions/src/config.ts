import { SluiceError, toSluiceError } from '@sluice/event-log';
import { hostSettings, toHostConfig, type HostConfig } from '@sluice/engine';
import { parsePrivateAllowList } from '@sluice/safe-fetch';
import { defineSettings, parseSettings, readEnv, setting, type SettingsOf } from '@sluice/service-runtime';
import { z } from 'zod';

/** The settings of this app beyond those of every host. */
export const sessionsSettings = defineSettings({
  SLUICE_SESSION_CONFIRM_WAIT: {
    schema: setting.durationMs({ min: 100, max: 60_000 }),
    default: '10s',
    description: 'How long a command waits until it is in the log and can be read; then the answer is 503.',
  },
  SLUICE_SESSION_RUN_TIMEOUT: {
    schema: setting.durationMs({ min: 1_000, max: 604_800_000 }),
    default: '1h',
    description: 'How long the engine of a run may be silent; then the run is given up.',
  },
  SLUICE_SESSION_POLL_INTERVAL: {
    schema: setting.durationMs({ min: 10, max: 60_000 }),
    default: '500ms',
    description: 'How often to look for what a process that died left behind, and for runs past their time.',
  },
  SLUICE_SESSION_HEARTBEAT: {
    schema: setting.durationMs({ min: 100, max: 15_000 }),
    default: '15s',
    description: 'Longest silence on a stream of events.',
  },
  SLUICE_SECRETS_KEY: {
    schema: setting.list({ item: /^[A-Za-z0-9+/]{43}=$/ }).optional(),
    description:
      'Keys of 32 bytes in base64 that seal secrets of vaults, repositories and engines: the first seals, each opens. Without it such secrets are refused.',
    secret: true,
  },
  SLUICE_FILE_MAX_SIZE: {
    schema: setting.byteSize({ min: 1, max: 5_000_000_000_000 }),
    default: '512MiB',
    description: 'Largest file that can be uploaded.',
  },
  SLUICE_FILES_QUOTA: {
    schema: setting.byteSize({ min: 1, max: 1_000_000_000_000_000 }),
    default: '100GiB',
    description:
      'Most bytes of all files of one workspace. Each upload holds the room that it may need from its beginning.',
  },
  SLUICE_FILE_UPLOADS: {
    schema: setting.integer({ min: 1, max: 10_000 }),
    default: '32',
    description:
      'Most uploads of this process at a time, half of them of one workspace; further ones are told to try again.',
  },
  SLUICE_SESSION_DRAIN_SPREAD: {
    schema: setting.durationMs({ max: 300_000 }),
    default: '5s',
    description: 'Over how long the streams of a process that stops are ended, one after the other.',
  },
  SLUICE_CALLBACK_URL: {
    schema: setting.url({ protocols: ['http', 'https'] }).optional(),
    description: 'Base URL by which engines reach this app. Without it: the host and the port of HTTP.',
  },
  SLUICE_ALLOW_PRIVATE_URLS: {
    schema: setting.list().optional(),
    description:
      'Origins or `host:port` in private networks that this server may reach for others, for instance `http://127.0.0.1:9000`. All others are refused.',
  },
  SLUICE_SESSION_RUNS: {
    schema: setting.integer({ min: 1, max: 10_000 }),
    default: '64',
    description: 'Most runs that the process and the model engine of this process work on at a time; others wait.',
  },
  SLUICE_SESSION_PROCESS: {
    schema: setting.text().optional(),
    description: 'Enables the engine `process`: its program and arguments, as a JSON array of texts.',
  },
  SLUICE_SESSION_PROCESS_UID: {
    schema: setting.integer({ min: 0, max: 4_294_967_294 }).optional(),
    description:
      'User id of the processes of the engine `process`. Without it they run as the user of the server, and can read all its secrets.',
  },
  SLUICE_SESSION_PROCESS_GID: {
    schema: setting.integer({ min: 0, max: 4_294_967_294 }).optional(),
    description: 'Group id of those processes; without it, the number of the user id.',
  },
  SLUICE_SESSION_MODEL_URL: {
    schema: setting.url({ protocols: ['http', 'https'] }).optional(),
    description: 'Enables the engine `model`: base URL of an endpoint of the Messages API.',
  },
  SLUICE_SESSION_MODEL_KEY: {
    schema: setting.text().optional(),
    description: 'Sent to the model as `x-api-key`.',
    secret: true,
  },
  SLUICE_SESSION_MODEL_MAX_TOKENS: {
    schema: setting.integer({ min: 1, max: 1_000_000 }),
    default: '8192',
    description: 'Most tokens of one answer of the model.',
  },
  SLUICE_SESSION_MODEL_TIMEOUT: {
    schema: setting.durationMs({ min: 100, max: 3_600_000 }),
    default: '10m',
    description: 'How long the model may take for one answer.',
  },
});

/** What works on runs. */
export interface EngineConfig {
  /** Items of `SLUICE_ALLOW_PRIVATE_URLS`. */
  readonly allowPrivateUrls: readonly string[];
  readonly maxRuns: number;
  readonly process?: {
    /** The program and its arguments. */
    readonly command: readonly string[];
    /** What of our own environment its processes have. */
    readonly environment: Readonly<Record<string, string>>;
    /** Whom they run as; undefined: as this process. */
    readonly user: { readonly uid: number; readonly gid: number } | undefined;
    /** How long one may take to end by itself, and then after SIGTERM. */
    readonly graceMs: number;
    /** How long one that has ended may be ahead of its last report. */
    readonly lastReportMs: number;
  };
  readonly model?: {
    readonly url: string;
    readonly key: string | undefined;
    readonly maxTokens: number;
    readonly timeoutMs: number;
  };
}

export interface SessionsConfig {
  readonly confirmWaitMs: number;
  readonly runTimeoutMs: number;
  readonly pollIntervalMs: number;
  readonly heartbeatMs: number;
  readonly drainSpreadMs: number;
  /** Empty where no secrets are kept. */
  readonly secretsKeys: readonly Uint8Array[];
  readonly files: { readonly maxFileBytes: number; readonly quotaBytes: number; readonly maxUploads: number };
  /** Undefined: where HTTP listens. */
  readonly callbackUrl: string | undefined;
  readonly engines: EngineConfig;
}

export function toSessionsConfig(settings: SettingsOf<typeof sessionsSettings>): SessionsConfig {
  return {
    confirmWaitMs: settings.SLUICE_SESSION_CONFIRM_WAIT,
    runTimeoutMs: settings.SLUICE_SESSION_RUN_TIMEOUT,
    pollIntervalMs: settings.SLUICE_SESSION_POLL_INTERVAL,
    heartbeatMs: settings.SLUICE_SESSION_HEARTBEAT,
    secretsKeys: (settings.SLUICE_SECRETS_KEY ?? []).map((key) => Buffer.from(key, 'base64')),
    files: {
      maxFileBytes: settings.SLUICE_FILE_MAX_SIZE,
      quotaBytes: settings.SLUICE_FILES_QUOTA,
      maxUploads: settings.SLUICE_FILE_UPLOADS,
    },
    drainSpreadMs: settings.SLUICE_SESSION_DRAIN_SPREAD,
    callbackUrl: settings.SLUICE_CALLBACK_URL,
    engines: toEngineConfig(settings),
  };
}

function toEngineConfig(settings: SettingsOf<typeof sessionsSettings>): EngineConfig {
  const { SLUICE_SESSION_PROCESS: command, SLUICE_SESSION_MODEL_URL: url } = settings;
  return {
    allowPrivateUrls: readAllowList(settings.SLUICE_ALLOW_PRIVATE_URLS ?? []),
    maxRuns: settings.SLUICE_SESSION_RUNS,
    ...(command !== undefined && {
      process: {
        command: readCommand(command),
        environment: inheritedEnvironment(),
        user: processUser(settings),
        graceMs: 2_000,
        lastReportMs: 2_000,
      },
    }),
    ...(url !== undefined && {
      model: {
        url,
        key: settings.SLUICE_SESSION_MODEL_KEY,
        maxTokens: settings.SLUICE_SESSION_MODEL_MAX_TOKENS,
        timeoutMs: settings.SLUICE_SESSION_MODEL_TIMEOUT,
      },
    }),
  };
}

function processUser({
  SLUICE_SESSION_PROCESS_UID: uid,
  SLUICE_SESSION_PROCESS_GID: gid = uid,
}: SettingsOf<typeof sessionsSettings>): { readonly uid: number; readonly gid: number } | undefined {
  if (uid !== undefined && gid !== undefined) return { uid, gid };
  if (gid === undefined) return undefined;
  throw new SluiceError('configuration', 'SLUICE_SESSION_PROCESS_GID: expected SLUICE_SESSION_PROCESS_UID with it');
}

/** Told at start what is wrong with it. */
function readAllowList(items: readonly string[]): readonly string[] {
  try {
    parsePrivateAllowList(items);
    return items;
  } catch (error) {
    const { message } = toSluiceError(error);
    throw new SluiceError('configuration', `SLUICE_ALLOW_PRIVATE_URLS: ${message}`, { cause: error });
  }
}

const commandSchema = z.tuple([z.string().min(1)], z.string());

function readCommand(text: string): readonly string[] {
  try {
    return commandSchema.parse(JSON.parse(text));
  } catch (error) {
    const message = 'SLUICE_SESSION_PROCESS: expected a JSON array such as ["node", "engine.js"]';
    throw new SluiceError('configuration', message, { cause: error });
  }
}

/** All else, secrets among it, is not for engines. */
function inheritedEnvironment(): Readonly<Record<string, string>> {
  const { PATH, HOME } = process.env;
  return { ...(PATH !== undefined && { PATH }), ...(HOME !== undefined && { HOME }) };
}

/** Every setting of the process that runs this app alone. */
export const settings = defineSettings({ ...hostSettings({ httpPort: 8085 }), ...sessionsSettings });

/** @throws SluiceError `configuration` */
export function readConfig(): { host: HostConfig; sessions: SessionsConfig } {
  const values = parseSettings(settings, readEnv(settings, process.env));
  return { host: toHostConfig('sessions', values), sessions: toSessionsConfig(values) };
}
