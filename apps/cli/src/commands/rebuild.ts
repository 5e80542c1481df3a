import { setTimeout as pause } from 'node:timers/promises';
import { callAsAdmin, jsonLine, type CommandContext } from '../context';
import { CliError } from '../errors';

const PATH = '/v1/admin/rebuild';

/** How often a rebuild that is waited for is looked at. */
const POLL_INTERVAL_MS = 1_000;

/** Lost answers in a row, while a rebuild is waited for, after which nobody waits any more: about half a minute. */
const MAX_LOST_ANSWERS = 30;

export interface RebuildOptions {
  readonly renumber?: boolean;
  readonly dropOld?: boolean;
  readonly wait?: boolean;
}

type Rebuild = Readonly<Record<string, unknown>>;

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
async function waitFor(context: CommandContext, first: Rebuild): Promise<void> {
  let last = first;
  let lostAnswers = 0;
  while (last['finishedAt'] === undefined) {
    await pause(POLL_INTERVAL_MS, undefined, { signal: context.terminal.stopped });
    let rebuild: Rebuild;
    try {
      rebuild = rebuildOf((await callAsAdmin(context, { path: PATH })).body);
      lostAnswers = 0;
    } catch (error) {
      // The process that answers may be restarted meanwhile; the rebuild goes on.
      if (++lostAnswers > MAX_LOST_ANSWERS || context.terminal.stopped.aborted) throw error;
      continue;
    }
    if (rebuild['rebuildId'] !== first['rebuildId']) throw new CliError('Another rebuild was begun since');
    if (jsonLine(rebuild) !== jsonLine(last)) await context.terminal.print(jsonLine(rebuild));
    last = rebuild;
  }
  if (last['state'] !== 'switched') throw new CliError('The read model was not exchanged');
}

function rebuildOf({ rebuild }: Record<string, unknown>): Rebuild {
  if (typeof rebuild !== 'object' || rebuild === null) throw new CliError('The server told of no rebuild');
  return rebuild as Rebuild;
}
