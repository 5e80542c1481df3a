import { randomUUID } from 'node:crypto';
import { callApi } from '../api';
import { jsonLine, type CommandContext } from '../context';
import { describeError, usageError } from '../errors';
import { mintToken } from './tokens';

export interface SendOptions {
  readonly sandbox: string;
  readonly type: string;
  /** A JSON object, or `-` for standard input. */
  readonly data?: string;
  readonly workspace?: number;
}

/** How long the token lives that is made for one event, in seconds. */
const TOKEN_TTL_SECONDS = 60;

/** Stores one event and prints what the server says of it. */
export async function sendEvent(context: CommandContext, options: SendOptions): Promise<void> {
  const { config, terminal } = context;
  const data = parseData(options.data === '-' ? await terminal.readInput() : (options.data ?? '{}'));
  const { status, body } = await callApi(config.baseUrl, {
    method: 'POST',
    path: '/events',
    bearer: await tokenFor(context, options),
    headers: { 'Idempotency-Key': randomUUID() },
    json: { type: options.type, data },
    signal: terminal.stopped,
  });
  await terminal.print(jsonLine(body['data'] ?? body));
  if (status === 202) terminal.complain('Stored, but not readable yet: the projection is behind.');
}

/** The token of the development server where it fits, else a new one by the key of an administrator. */
async function tokenFor(context: CommandContext, { sandbox, workspace }: SendOptions): Promise<string> {
  const { devToken, workspaceId } = context.config;
  const isDevWorkspace = workspace === undefined || workspace === workspaceId;
  if (devToken?.sandboxId === sandbox && isDevWorkspace) return devToken.accessToken;
  const minted = await mintToken(context, { workspace: workspace ?? workspaceId, sandbox, ttl: TOKEN_TTL_SECONDS });
  return minted.accessToken;
}

function parseData(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw usageError(`--data is no JSON: ${describeError(error)}`);
  }
}
