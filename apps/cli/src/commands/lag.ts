import { callAsAdmin, jsonLine, type CommandContext } from '../context';

/** Prints how far the read model is behind the durable log, as one line of JSON. */
export async function printLag(context: CommandContext): Promise<void> {
  const { body } = await callAsAdmin(context, { path: '/v1/admin/lag' });
  await context.terminal.print(jsonLine(body));
}
