/** The two protocols that agents are probed for. */
export type ProbeProtocol = 'mcp' | 'a2a';

/** Why an endpoint counts as reachable. */
export type ReachableCode =
  /** MCP: `initialize` was answered with a protocol version. */
  | 'initialized'
  /** MCP: `initialize` was answered with an error of JSON-RPC, but for "method not found". */
  | 'json_rpc_error'
  /** MCP: the older transport: a stream that names an endpoint. */
  | 'legacy_sse'
  /** A2A: an agent card. */
  | 'card'
  /** 401, 402 or 403: somebody is there who wants credentials or a payment first. */
  | 'protected';

/** Why it does not. */
export type UnreachableCode =
  | 'timeout'
  | 'unreachable'
  | 'refused_address'
  | 'invalid_url'
  | 'too_many_redirects'
  | 'too_large'
  /** An answer with a status that settles it. */
  | 'http_status'
  /** An answer that is not of the protocol. */
  | 'not_mcp'
  /** An answer to another request than ours. */
  | 'wrong_id'
  | 'no_card';

/** Why a probe says nothing about the endpoint. */
export type UnknownCode =
  /** The host wants to be left alone for a while. */
  | 'rate_limited'
  /** Too much waits here. */
  | 'busy'
  | 'aborted'
  /** A fault of the prober itself. */
  | 'fault';

export type VerdictCode = ReachableCode | UnreachableCode | UnknownCode;

/** What one or more exchanges with an endpoint tell. */
export type Verdict =
  | { readonly kind: 'reachable'; readonly code: ReachableCode }
  | { readonly kind: 'unreachable'; readonly code: UnreachableCode; readonly status?: number }
  | { readonly kind: 'unknown'; readonly code: UnknownCode };

export const reachable = (code: ReachableCode): Verdict => ({ kind: 'reachable', code });
export const unknown = (code: UnknownCode): Verdict => ({ kind: 'unknown', code });
export const unreachable = (code: UnreachableCode, status?: number): Verdict => ({
  kind: 'unreachable',
  code,
  ...(status !== undefined && { status }),
});

/** A verdict in a few words, without anything that a stranger wrote. */
export function detailOf(verdict: Verdict): string {
  return verdict.kind === 'unreachable' && verdict.status !== undefined
    ? `${verdict.code} ${verdict.status}`
    : verdict.code;
}
