import { callAsAdmin, jsonLine, type CommandContext } from '../context';
import { CliError } from '../errors';
import { watchWork, type Work } from './watch';

const PATH = '/v1/admin/rebuild';

export interface RebuildOptions {
  readonly renumber?: boolean;
  readonly dropOld?: boolean;
  readonly wait?: boolean;
}

/** Asks for a rebuild of the read model and prints it as one line of JSON; with `wait` each change of it, to its end. */
export async function startRebuild(context: CommandContext, options: RebuildOptions): Promise<void> {
  const { renumber = false, dropOld = false, wait = false } = options;
  const json = { positions: renumber ? 'renumber' : 'keep', dropOld };
  const { body } = await callAsAdmin(context, { method: 'POST', path: PATH, json });
  const rebuild = rebuildOf(body);
  await context.terminal.print(jsonLine(rebuild));
  if (wait) await waitFor(context, rebuild);
}

/** Prints the newest rebuild as one line of JSON, or null. */
export async function printRebuild(context: CommandContext): Promise<void> {
  const { body } = await callAsAdmin(context, { path: PATH });
  await context.terminal.print(jsonLine(body['rebuild'] ?? null));
}

/** Ends the rebuild that is under way. Prints it as one line of JSON. */
export async function abortRebuild(context: CommandContext): Promise<void> {
  const { body } = await callAsAdmin(context, { method: 'DELETE', path: PATH });
  await context.terminal.print(jsonLine(rebuildOf(body)));
}

/** Drops the former read model. Prints `{dropped}`. */
export async function dropOldModel(context: CommandContext): Promise<void> {
  const { body } = await callAsAdmin(context, { method: 'DELETE', path: `${PATH}/old` });
  await context.terminal.print(jsonLine(body));
}

/** @throws CliError when it ends otherwise than by the switch, or nothing is heard of it for long */
async function waitFor(context: CommandContext, first: Work): Promise<void> {
  const read = async () => rebuildOf((await callAsAdmin(context, { path: PATH })).body);
  const last = await watchWork(context, first, read, ({ rebuildId }) => {
    if (rebuildId !== first['rebuildId']) throw new CliError('Another rebuild was begun since');
  });
  if (last['state'] !== 'switched') throw new CliError('The read model was not exchanged');
}

function rebuildOf({ rebuild }: Record<string, unknown>): Work {
  if (typeof rebuild !== 'object' || rebuild === null) throw new CliError('The server told of no rebuild');
  return rebuild as Work;
}
