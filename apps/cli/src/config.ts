import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CliError } from './errors';

/** What the commands rest on. A field is absent where nobody gave it. */
export interface CliConfig {
  readonly baseUrl: string;
  readonly accessToken?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly adminKey?: string | undefined;
  /** The API key that the development server wrote, and the only workspace that it opens. */
  readonly devKey?: { readonly apiKey: string; readonly workspaceId: number } | undefined;
  /** False where `NO_COLOR` asks for none. */
  readonly mayColour: boolean;
}

/** What flags say; they win over the environment, and that over the file of the development server. */
export interface CliFlags {
  readonly url?: string | undefined;
  readonly accessToken?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly adminKey?: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that the commands read, and what they mean. */
export const CLI_SETTINGS = {
  SLUICE_URL: 'Base URL of Sluice; without it that of the development server.',
  SLUICE_ACCESS_TOKEN: 'Access token of one sandbox, for `tail` and `send`.',
  SLUICE_API_KEY: 'API key for `tail` and `chains` (any role), and `send` (writer).',
  SLUICE_ADMIN_KEY: 'API key of an administrator or operator, for everything else.',
  SLUICE_DATA_DIR: 'Folder of the dev.json that npm start writes; .sluice by default.',
  SLUICE_CHAINS_FILE: 'The file of chains that `chains check` checks.',
  NO_COLOR: 'When set, nothing is coloured.',
} as const;

const DEFAULT_DATA_DIR = '.sluice';

/** The environment of this process. */
export function processEnvironment(): Environment {
  return process.env;
}

/** @throws CliError when there is no base URL, or when `dev.json` cannot be read. */
export function readConfig(flags: CliFlags, env: Environment): CliConfig {
  const given = flags.url ?? text(env['SLUICE_URL']);
  const folder = text(env['SLUICE_DATA_DIR']) ?? DEFAULT_DATA_DIR;
  const dev = readDevFile(resolve(folder, 'dev.json'), given === undefined);
  const baseUrl = checkedUrl(given ?? dev?.baseUrl ?? '');
  // Keys of the development server are never sent to another one.
  const own = dev !== undefined && checkedUrl(dev.baseUrl) === baseUrl ? dev : undefined;
  return {
    baseUrl,
    // A key on the command line is meant, whatever the environment has.
    accessToken: flags.accessToken ?? (flags.apiKey === undefined ? text(env['SLUICE_ACCESS_TOKEN']) : undefined),
    apiKey: flags.apiKey ?? text(env['SLUICE_API_KEY']),
    adminKey: flags.adminKey ?? text(env['SLUICE_ADMIN_KEY']) ?? own?.adminKey,
    devKey:
      own?.apiKey !== undefined && own.workspaceId !== undefined
        ? { apiKey: own.apiKey, workspaceId: own.workspaceId }
        : undefined,
    mayColour: mayColourOf(env),
  };
}

/** The file of chains that the environment names. */
export function chainsFileOf(env: Environment): string | undefined {
  return text(env['SLUICE_CHAINS_FILE']);
}

/** False where the environment asks for no colours. */
export function mayColourOf(env: Environment): boolean {
  return text(env['NO_COLOR']) === undefined;
}

/** The folder of all apps, from `src` as well as from `dist`. */
export const APPS_FOLDER = join(__dirname, '..', '..');

interface DevFile {
  readonly baseUrl: string;
  readonly workspaceId?: number | undefined;
  readonly apiKey?: string | undefined;
  readonly adminKey?: string | undefined;
}

function readDevFile(path: string, isNeeded: boolean): DevFile | undefined {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    if (!isNeeded) return undefined;
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? String(error)})`;
    throw new CliError(`No server to talk to: ${path} ${reason}. Run npm start, or set SLUICE_URL or --url.`);
  }
  const dev = parseDevFile(content);
  if (dev === undefined && isNeeded)
    throw new CliError(`${path} is not what npm start writes; set SLUICE_URL or --url.`);
  return dev;
}

function parseDevFile(content: string): DevFile | undefined {
  let value: Record<string, unknown>;
  try {
    value = Object(JSON.parse(content)) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { baseUrl, workspaceId } = value;
  if (typeof baseUrl !== 'string' || !URL.canParse(baseUrl)) return undefined;
  return {
    baseUrl,
    workspaceId: typeof workspaceId === 'number' ? workspaceId : undefined,
    apiKey: text(value['apiKey']),
    adminKey: text(value['adminKey']),
  };
}

function checkedUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw new CliError(`The base URL ${JSON.stringify(url.slice(0, 100))} is no http:// or https:// URL`);
  }
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
