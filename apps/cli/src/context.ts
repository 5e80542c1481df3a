import { callApi, type ApiAnswer, type ApiCall } from './api';
import type { CliConfig } from './config';
import { CliError } from './errors';
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

export function adminKeyOf({ adminKey }: CliConfig): string {
  if (adminKey !== undefined) return adminKey;
  throw new CliError('This needs the key of an administrator: set SLUICE_ADMIN_KEY or --admin-key');
}

/** The key to read with: any will do. */
export function readKeyOf({ apiKey, adminKey }: CliConfig): string {
  const key = apiKey ?? adminKey;
  if (key !== undefined) return key;
  throw new CliError('This needs an API key: set SLUICE_API_KEY or --api-key');
}

/** One line of JSON, without the fields that are absent. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value);
}
