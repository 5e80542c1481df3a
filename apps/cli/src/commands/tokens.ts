import { callAsAdmin, jsonLine, type CommandContext } from '../context';
import { CliError } from '../errors';

export interface MintOptions {
  readonly workspace: number;
  readonly sandbox: string;
  /** In seconds. */
  readonly ttl?: number;
}

/** Prints `{accessToken, expiresAt}`. */
export async function mintToken(context: CommandContext, options: MintOptions): Promise<void> {
  const { workspace, sandbox, ttl } = options;
  const { body } = await callAsAdmin(context, {
    method: 'POST',
    path: '/v1/admin/tokens',
    json: { workspaceId: workspace, sandboxId: sandbox, ttlSeconds: ttl },
  });
  const { accessToken, expiresAt } = body;
  if (typeof accessToken !== 'string') throw new CliError('The server gave no access token');
  await context.terminal.print(jsonLine({ accessToken, expiresAt }));
}
