/** Longest wait for one answer of the node. */
const REQUEST_TIMEOUT_MS = 60_000;

/** What a node answered instead of a result. */
export class RpcFault extends Error {
  override readonly name = 'RpcFault';

  constructor(
    method: string,
    readonly code: number,
    message: string,
    readonly data: unknown,
  ) {
    super(`${method}: ${message}`);
  }
}

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** One JSON-RPC request over HTTP. @throws RpcFault */
export async function requestJsonRpc<Result>(url: string, method: string, params: readonly unknown[]): Promise<Result> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const { result, error } = (await response.json()) as Answer;
  if (error !== undefined) throw new RpcFault(method, error.code, error.message, error.data);
  return result as Result;
}
