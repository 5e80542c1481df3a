import { callApi, type ApiAnswer, type ApiCall } from './api';
import type { CliConfig } from './config';
import { CliError } from './errors';
import { printableJson } from './printable';
import type { Terminal } from './terminal';

/** What a command works with. */
export interface CommandContext {
  readonly config: CliConfig;
  readonly terminal: Terminal;
}

/** A call with the key of an administrator. @throws CliError */
export function callAsAdmin({ config, terminal }: CommandContext, call: Omit<ApiCall, 'key'>): Promise<ApiAnswer> {
  return callApi(config.baseUrl, { ...call, key: adminKeyOf(config), signal: terminal.stopped });
}

function adminKeyOf({ adminKey }: CliConfig): string {
  if (adminKey !== undefined) return adminKey;
  throw new CliError('This needs the key of an administrator: set SLUICE_ADMIN_KEY or --admin-key');
}

/**
 * What to read and to store with: the least powerful credential that will do.
 *
 * @param workspace the one that is asked for; undefined: that of the credential
 * @throws CliError when there is none
 */
export function callerOf(config: CliConfig, workspace: number | undefined): Pick<ApiCall, 'key' | 'bearer'> {
  const { accessToken, apiKey, devKey, adminKey } = config;
  if (accessToken !== undefined) return { bearer: accessToken };
  const isDevWorkspace = workspace === undefined || workspace === devKey?.workspaceId;
  const key = apiKey ?? (isDevWorkspace ? devKey?.apiKey : undefined) ?? adminKey;
  if (key !== undefined) return { key };
  throw new CliError('This needs an API key: set SLUICE_API_KEY or --api-key');
}

/** The least powerful key that there is, for what every key may read. @throws CliError when there is none */
export function readerKeyOf({ apiKey, devKey, adminKey }: CliConfig): string {
  const key = apiKey ?? devKey?.apiKey ?? adminKey;
  if (key !== undefined) return key;
  throw new CliError('This needs an API key: set SLUICE_API_KEY or --api-key');
}

/** One line of JSON, without the fields that are absent, and with nothing that a terminal would act on. */
export function jsonLine(value: unknown): string {
  return printableJson(JSON.stringify(value));
}
