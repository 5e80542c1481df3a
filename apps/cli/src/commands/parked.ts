import { callAsAdmin, jsonLine, type CommandContext } from '../context';
import { CliError, usageError } from '../errors';

/** Records in one call; the server takes no more of either. */
const LIST_PAGE = 100;
const MAX_REPLAYED_IDS = 1000;

/** Prints every parked record as one line of JSON, the oldest first. */
export async function listParked(context: CommandContext, { workspace }: { workspace?: number }): Promise<void> {
  const { terminal } = context;
  let after: number | undefined;
  do {
    const { body } = await callAsAdmin(context, {
      path: '/v1/admin/parked',
      query: { workspaceId: workspace, after, limit: LIST_PAGE },
    });
    for (const record of listOf(body['parked'])) await terminal.print(jsonLine(record));
    after = nextAfter(body, after);
  } while (after !== undefined);
}

/** Prints what became of each record as one line of JSON. @throws CliError when one was refused. */
export async function replayParked(
  context: CommandContext,
  ids: readonly string[],
  { all = false, workspace }: { all?: boolean; workspace?: number },
): Promise<void> {
  if (all === ids.length > 0) throw usageError('Name the ids of parked records, or give --all');
  const parkedIds = ids.map(parkedId);
  let refused = 0;
  const call = async (json: object): Promise<Record<string, unknown>> => {
    const { body } = await callAsAdmin(context, {
      method: 'POST',
      path: '/v1/admin/parked/replay',
      json: { workspaceId: workspace, ...json },
    });
    for (const result of listOf(body['results'])) await context.terminal.print(jsonLine(result));
    refused += typeof body['refused'] === 'number' ? body['refused'] : 0;
    return body;
  };
  for (let from = 0; from < parkedIds.length; from += MAX_REPLAYED_IDS) {
    await call({ parkedIds: parkedIds.slice(from, from + MAX_REPLAYED_IDS) });
  }
  let after: number | undefined = all ? 0 : undefined;
  while (after !== undefined) after = nextAfter(await call({ all: true, after }), after);
  if (refused > 0) throw new CliError(`${refused} of the records could not be replayed`);
}

function parkedId(text: string): number {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(id)) throw usageError(`${JSON.stringify(text)} is no id of a parked record`);
  return id;
}

/** Where the next page begins. A server whose pages do not advance ends the loop. */
function nextAfter(body: Record<string, unknown>, after: number | undefined): number | undefined {
  const next = body['nextAfter'];
  return typeof next === 'number' && next > (after ?? 0) ? next : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
