import { z } from 'zod';

/** The version of the protocol that we ask for; a server that does not have it names one that it has. */
export const MCP_PROTOCOL_VERSION = '2025-06-18';

const METHOD_NOT_FOUND = -32_601;

/** Most messages of one batch that are looked at: there is one request to answer. */
const MAX_BATCH_MESSAGES = 20;

const resultSchema = z.object({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string(), z.number()]),
  result: z.object({ protocolVersion: z.string() }),
});
const errorSchema = z.object({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string(), z.number()]).nullish(),
  error: z.object({ code: z.number() }),
});

/** What a message from the other side is to our `initialize`. */
export type InitializeAnswer =
  | { readonly kind: 'initialized'; readonly protocolVersion: string }
  /** An error, to our request or to none in particular. */
  | { readonly kind: 'json_rpc_error' }
  | { readonly kind: 'wrong_id' }
  /** No answer at all: a notification, a request, or no message of MCP. */
  | { readonly kind: 'other' };

/** The request that begins a session. */
export function initializeRequest(id: number): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'initialize',
    params: {
      protocolVersion: MCP_PROTOCOL_VERSION,
      capabilities: {},
      clientInfo: { name: 'sluice-registry-watcher', title: 'Reachability probe', version: '1.0.0' },
    },
  });
}

/** Judges one message, or a batch of them, that came after `initialize` with this id. Never throws. */
export function judgeMessage(message: unknown, id: number): InitializeAnswer {
  if (!Array.isArray(message)) return judgeOne(message, id);
  const answers = message.slice(0, MAX_BATCH_MESSAGES).map((item: unknown) => judgeOne(item, id));
  return (
    answers.find(({ kind }) => kind === 'initialized' || kind === 'json_rpc_error') ??
    answers.find(({ kind }) => kind === 'wrong_id') ?? { kind: 'other' }
  );
}

function judgeOne(message: unknown, id: number): InitializeAnswer {
  const result = resultSchema.safeParse(message);
  if (result.success) {
    if (result.data.id !== id) return { kind: 'wrong_id' };
    return { kind: 'initialized', protocolVersion: result.data.result.protocolVersion };
  }
  const error = errorSchema.safeParse(message);
  // A server of JSON-RPC that does not know `initialize` is none of MCP.
  if (!error.success || error.data.error.code === METHOD_NOT_FOUND) return { kind: 'other' };
  return (error.data.id ?? id) === id ? { kind: 'json_rpc_error' } : { kind: 'wrong_id' };
}
