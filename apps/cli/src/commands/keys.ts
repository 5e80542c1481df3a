import { callAsAdmin, jsonLine, type CommandContext } from '../context';
import { CliError, usageError } from '../errors';

export interface CreateKeyOptions {
  readonly workspace: number;
  readonly role: string;
  readonly name?: string;
}

/** Prints `{keyId, apiKey, workspaceId}`. */
export async function createKey(context: CommandContext, options: CreateKeyOptions): Promise<void> {
  const { workspace, role, name } = options;
  const { body } = await callAsAdmin(context, {
    method: 'POST',
    path: '/v1/admin/keys',
    json: { workspaceId: workspace, role, name },
  });
  const { keyId, apiKey, workspaceId } = body;
  if (typeof apiKey !== 'string') throw new CliError('The server gave no API key');
  await context.terminal.print(jsonLine({ keyId, apiKey, workspaceId }));
}

/** Prints each key as one line of JSON, the newest first. */
export async function listKeys(context: CommandContext, { workspace }: { workspace?: number }): Promise<void> {
  const { body } = await callAsAdmin(context, { path: '/v1/admin/keys', query: { workspaceId: workspace } });
  const keys = Array.isArray(body['keys']) ? (body['keys'] as unknown[]) : [];
  for (const key of keys) await context.terminal.print(jsonLine(key));
}

/** Prints `{keyId, revoked}`. */
export async function revokeKey(context: CommandContext, keyId: string): Promise<void> {
  if (!/^[\w-]+$/.test(keyId)) throw usageError(`${JSON.stringify(keyId)} is no id of a key`);
  const path = `/v1/admin/keys/${keyId}`;
  const { body } = await callAsAdmin(context, { method: 'DELETE', path });
  await context.terminal.print(jsonLine(body));
}
