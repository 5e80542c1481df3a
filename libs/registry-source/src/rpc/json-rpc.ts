import { limitAnswerOf } from './limit-answers';
import { RpcFailure } from './rpc-failure';

/** One call of a method. */
export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
  /** Blocks that a request for logs spans; 0 for others. */
  readonly blocks?: number;
}

const MAX_MESSAGE_CHARS = 200;
const MAX_LOOKED_AT_CHARS = 10_000;

export function encodeCalls(calls: readonly RpcCall[]): string {
  const bodies = calls.map(({ method, params }, id) => ({ jsonrpc: '2.0', id, method, params }));
  return JSON.stringify(bodies.length === 1 ? bodies[0] : bodies);
}

/** What each call gave: its result, or why there is none. In the order of the calls. `hide` takes secrets out of what is told. @throws RpcFailure for the whole answer */
export function decodeAnswers(
  calls: readonly RpcCall[],
  answer: unknown,
  hide: (text: string) => string,
): readonly (RpcFailure | { readonly result: unknown })[] {
  const [first] = calls;
  if (calls.length === 1 && first !== undefined)
    return [decodeAnswer(first, Array.isArray(answer) ? answer[0] : answer, hide)];
  if (!Array.isArray(answer)) {
    const refusal = decodeAnswer({ method: 'batch', params: [] }, answer, hide);
    throw refusal instanceof RpcFailure ? refusal : new RpcFailure('invalid', 'the answer to a batch is no list');
  }
  if (answer.length > calls.length) throw new RpcFailure('invalid', 'more answers than calls');
  const byId = new Map<unknown, unknown>();
  for (const item of answer as unknown[]) byId.set(idOf(item), item);
  return calls.map((call, id) => {
    const item = byId.get(id);
    return item === undefined
      ? new RpcFailure('invalid', 'a call of a batch got no answer')
      : decodeAnswer(call, item, hide);
  });
}

function idOf(item: unknown): unknown {
  if (typeof item !== 'object' || item === null || !('id' in item)) return undefined;
  return typeof item.id === 'string' && /^\d{1,6}$/.test(item.id) ? Number(item.id) : item.id;
}

function decodeAnswer(
  call: RpcCall,
  item: unknown,
  hide: (text: string) => string,
): RpcFailure | { readonly result: unknown } {
  if (typeof item !== 'object' || item === null) return new RpcFailure('invalid', 'the answer is no JSON-RPC');
  if ('error' in item && item.error != null) return failureOf(call, item.error, hide);
  if (!('result' in item)) return new RpcFailure('invalid', 'the answer has neither result nor error');
  return { result: item.result };
}

function failureOf(call: RpcCall, error: unknown, hide: (text: string) => string): RpcFailure {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown; message?: unknown };
  const code = typeof fields.code === 'number' ? fields.code : 0;
  const message = typeof fields.message === 'string' ? fields.message : typeof error === 'string' ? error : '';
  const said = `${call.method}: ${code} ${hide(message.slice(0, MAX_LOOKED_AT_CHARS)).slice(0, MAX_MESSAGE_CHARS)}`;
  const answer = limitAnswerOf(code, message, call.blocks ?? 0);
  switch (answer?.limit) {
    case 'rate':
      return new RpcFailure('rate_limited', said);
    case 'blocks':
      return new RpcFailure('limit', said, { maxBlocks: answer.maxBlocks ?? Math.floor((call.blocks ?? 0) / 2) });
    case 'results':
    case 'batch':
      return new RpcFailure('limit', said);
    case undefined:
      return new RpcFailure('refused', said);
  }
}
