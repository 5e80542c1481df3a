import { callAsAdmin, jsonLine, type CommandContext } from '../context';
import { CliError } from '../errors';

export interface MintOptions {
  /** Absent: that of the key. */
  readonly workspace?: number | undefined;
  readonly sandbox: string;
  /** In seconds. */
  readonly ttl?: number | undefined;
}

export interface MintedToken {
  readonly accessToken: string;
  /** In milliseconds since 1970. */
  readonly expiresAt: unknown;
}

/** Prints `{accessToken, expiresAt}`. */
export async function printToken(context: CommandContext, options: MintOptions): Promise<void> {
  await context.terminal.print(jsonLine(await mintToken(context, options)));
}

export async function mintToken(context: CommandContext, options: MintOptions): Promise<MintedToken> {
  const { workspace, sandbox, ttl } = options;
  const { body } = await callAsAdmin(context, {
    method: 'POST',
    path: '/v1/admin/tokens',
    json: { workspaceId: workspace, sandboxId: sandbox, ttlSeconds: ttl },
  });
  const { accessToken, expiresAt } = body;
  if (typeof accessToken !== 'string') throw new CliError('The server gave no access token');
  return { accessToken, expiresAt };
}
