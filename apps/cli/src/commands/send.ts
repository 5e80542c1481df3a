import { randomUUID } from 'node:crypto';
import { callApi } from '../api';
import { callerOf, jsonLine, type CommandContext } from '../context';
import { describeError, usageError } from '../errors';

export interface SendOptions {
  /** Absent: that of the access token. */
  readonly sandbox?: string;
  readonly type: string;
  /** A JSON object, or `-` for standard input. */
  readonly data?: string;
  /** Absent: that of the credential. */
  readonly workspace?: number;
  /** Sent again with the same key, an event is stored once. */
  readonly idempotencyKey?: string;
}

/** Stores one event and prints what the server says of it. */
export async function sendEvent(context: CommandContext, options: SendOptions): Promise<void> {
  const { config, terminal } = context;
  const { sandbox, type, workspace, idempotencyKey = randomUUID() } = options;
  const caller = callerOf(config, workspace);
  if (caller.bearer === undefined && sandbox === undefined) {
    throw usageError('--sandbox <id> is required, unless an access token says which');
  }
  const data = parseData(options.data === '-' ? await terminal.readInput() : (options.data ?? '{}'));
  const { status, body } = await callApi(config.baseUrl, {
    method: 'POST',
    path: '/events',
    ...caller,
    headers: { 'Idempotency-Key': idempotencyKey },
    json: { type, data, sandboxId: sandbox, workspaceId: workspace },
    signal: terminal.stopped,
  });
  await terminal.print(jsonLine(body['data'] ?? body));
  if (status === 202) terminal.complain('Stored, but not readable yet: the projection is behind.');
}

function parseData(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw usageError(`--data is no JSON: ${describeError(error)}`);
  }
}
