import type { EventFamily } from '@sluice/event-schema';
import { callAsAdmin, jsonLine, type CommandContext } from '../context';
import { CliError } from '../errors';

const PATH = '/v1/admin/retention';

export interface RetentionOptions {
  readonly family: EventFamily;
  /** All workspaces that have no policy of their own when absent. */
  readonly workspace?: number;
}

/** In seconds, or for ever. */
export type MaxAge = number | 'forever';

const SECONDS = { h: 3_600, d: 86_400, y: 365 * 86_400 } as const;

/** Reads ages such as `36h`, `30d`, `2y` and `forever`; undefined for other texts. */
export function parseMaxAge(text: string): MaxAge | undefined {
  if (text === 'forever') return text;
  const [, count, unit] = /^([1-9]\d{0,6})([hdy])$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(count) * SECONDS[unit as keyof typeof SECONDS];
}

/** Prints each policy as one line of JSON. */
export async function listRetention(context: CommandContext): Promise<void> {
  const { policies } = (await callAsAdmin(context, { path: PATH })).body;
  if (!Array.isArray(policies)) throw new CliError('The server told of no policies');
  for (const policy of policies) await context.terminal.print(jsonLine(policy));
}

/** Sets a policy and prints it as one line of JSON. */
export async function setRetention(
  context: CommandContext,
  { family, workspace, maxAge }: RetentionOptions & { readonly maxAge: MaxAge },
): Promise<void> {
  const json = { workspaceId: workspace, family, maxAgeSeconds: maxAge === 'forever' ? null : maxAge };
  const { body } = await callAsAdmin(context, { method: 'PUT', path: PATH, json });
  await context.terminal.print(jsonLine(body['policy']));
}

/** Removes a policy. Prints `{removed}`. */
export async function removeRetention(context: CommandContext, options: RetentionOptions): Promise<void> {
  const { family, workspace } = options;
  const query = { family, workspaceId: workspace };
  const { body } = await callAsAdmin(context, { method: 'DELETE', path: PATH, query });
  await context.terminal.print(jsonLine(body));
}
