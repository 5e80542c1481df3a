import { callAsAdmin, jsonLine, type CommandContext } from '../context';
import { CliError } from '../errors';
import { watchWork, type Work } from './watch';

const PATH = '/v1/admin/erasures';

export interface EraseOptions {
  readonly workspace?: number;
  readonly field?: readonly string[];
  readonly wait?: boolean;
}

/**
 * Asks for the erasure of an entity, or of fields of its events, and prints it as one line of JSON; with `wait` each change of
 * it, to its end.
 *
 * @param entity `<family>/<entity id>`; an id may have slashes of its own
 */
export async function erase(context: CommandContext, entity: string, options: EraseOptions): Promise<void> {
  const { workspace = context.config.devKey?.workspaceId, field: fields = [], wait = false } = options;
  const slash = entity.indexOf('/');
  if (slash < 1) throw new CliError('Name the entity as <family>/<id>, for example sandbox/sandbox-123');
  if (workspace === undefined) throw new CliError('This needs the workspace of the entity: --workspace');
  const json = { workspaceId: workspace, family: entity.slice(0, slash), entityId: entity.slice(slash + 1), fields };
  const { body } = await callAsAdmin(context, { method: 'POST', path: PATH, json });
  const erasure = erasureOf(body);
  await context.terminal.print(jsonLine(erasure));
  if (!wait) return;
  const path = `${PATH}/${String(erasure['erasureId'])}`;
  const last = await watchWork(context, erasure, async () => erasureOf((await callAsAdmin(context, { path })).body));
  if (last['abandonedAt'] !== undefined) throw new CliError('The erasure was abandoned');
}

/** Abandons an erasure where it is, and prints it: what is not erased is said there. */
export async function abandonErasure(context: CommandContext, erasureId: number): Promise<void> {
  const { body } = await callAsAdmin(context, { method: 'DELETE', path: `${PATH}/${erasureId}` });
  await context.terminal.print(jsonLine(erasureOf(body)));
}

/** Prints one erasure, or the newest ones, as a line of JSON each. */
export async function printErasures(context: CommandContext, erasureId: number | undefined): Promise<void> {
  if (erasureId !== undefined) {
    const { body } = await callAsAdmin(context, { path: `${PATH}/${erasureId}` });
    return context.terminal.print(jsonLine(erasureOf(body)));
  }
  const { erasures } = (await callAsAdmin(context, { path: PATH })).body;
  if (!Array.isArray(erasures)) throw new CliError('The server told of no erasures');
  for (const erasure of erasures) await context.terminal.print(jsonLine(erasure));
}

function erasureOf({ erasure }: Record<string, unknown>): Work {
  if (typeof erasure !== 'object' || erasure === null) throw new CliError('The server told of no erasure');
  return erasure as Work;
}
