import type { RpcFaults } from './faulty-rpc';
import { limitAnswer } from './limit-answers';
import type { Random } from './random';

export interface RpcCall {
  readonly jsonrpc: '2.0';
  readonly id: unknown;
  readonly method: string;
  readonly params?: readonly unknown[];
}

export interface RpcAnswer {
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

export interface FaultContext {
  readonly faults: RpcFaults;
  /** The newest block that is shown; undefined: all of them. */
  readonly visibleHead: number | undefined;
  readonly random: Random;
  isHit(fault: string, share: number | undefined): boolean;
  ask(method: string, params: readonly unknown[]): Promise<RpcAnswer>;
}

type Prepared = { readonly call: RpcCall } | { readonly answer: RpcAnswer } | 'too_large';

interface LogFilter {
  readonly fromBlock?: string;
  readonly toBlock?: string;
  readonly blockHash?: string;
}

const TAGS = new Set(['latest', 'pending', 'safe', 'finalized']);

const hexOf = (number: number) => `0x${Math.max(0, number).toString(16)}`;
const answerTo = ({ id }: RpcCall, result: unknown): RpcAnswer => ({ ...{ jsonrpc: '2.0' }, id, result });
const errorTo = ({ id }: RpcCall, code: number, message: string): RpcAnswer => ({
  ...{ jsonrpc: '2.0' },
  id,
  error: { code, message },
});

/** What is answered without the honest endpoint, or what it is asked. */
export function prepareCall(call: RpcCall, context: FaultContext): Prepared {
  const { visibleHead } = context;
  const [first, second] = call.params ?? [];
  switch (call.method) {
    case 'eth_blockNumber':
      return visibleHead === undefined ? { call } : { answer: answerTo(call, hexOf(visibleHead)) };
    case 'eth_getLogs':
      return prepareLogs(call, first as LogFilter, context);
    case 'eth_getBlockByNumber': {
      if (visibleHead === undefined) return { call };
      if (TAGS.has(String(first))) return { call: { ...call, params: [hexOf(visibleHead), second] } };
      return Number(first) > visibleHead ? { answer: answerTo(call, null) } : { call };
    }
    case 'eth_call': {
      if (visibleHead === undefined || typeof second === 'object') return { call };
      if (second === undefined || TAGS.has(String(second)))
        return { call: { ...call, params: [first, hexOf(visibleHead)] } };
      return Number(second) > visibleHead ? { answer: errorTo(call, -32_000, 'header not found') } : { call };
    }
    default:
      return { call };
  }
}

function prepareLogs(call: RpcCall, filter: LogFilter, context: FaultContext): Prepared {
  if (filter.blockHash !== undefined) return { call };
  const { visibleHead, faults } = context;
  const upTo = filter.toBlock === undefined || TAGS.has(filter.toBlock) ? Infinity : Number(filter.toBlock);
  const to = Math.min(upTo, visibleHead ?? Infinity);
  const from = Number(filter.fromBlock ?? 0);
  if (faults.maxLogRange !== undefined && Number.isFinite(upTo) && upTo - from >= faults.maxLogRange) {
    return answerOfLimit(call, context, faults.maxLogRange);
  }
  if (visibleHead === undefined) return { call };
  if (from > visibleHead) return { answer: answerTo(call, []) };
  return { call: { ...call, params: [{ ...filter, toBlock: hexOf(to) }] } };
}

function answerOfLimit(call: RpcCall, { faults, isHit, random }: FaultContext, limit: number) {
  isHit('limit', 1);
  const from = Number((call.params?.[0] as LogFilter).fromBlock ?? 0);
  const error = limitAnswer(faults.limitWording, from, limit, random);
  return error === 'too_large' ? error : { answer: errorTo(call, error.code, error.message) };
}

/** What is made of the honest answer. */
export async function finishAnswer(
  call: RpcCall,
  answer: RpcAnswer,
  context: FaultContext,
): Promise<RpcAnswer | 'too_large'> {
  const { visibleHead } = context;
  if (answer.error !== undefined || answer.result === null) return answer;
  switch (call.method) {
    case 'eth_getLogs':
      return finishLogs(call, answer, context);
    case 'eth_getBlockByNumber':
    case 'eth_getBlockByHash':
    case 'eth_getTransactionReceipt':
    case 'eth_getBlockReceipts': {
      if (visibleHead !== undefined && newestOf(answer.result) > visibleHead) return answerTo(call, null);
      const isBlock = call.method.startsWith('eth_getBlockBy');
      return isBlock && context.isHit('alterBlock', context.faults.alterBlockShare)
        ? answerTo(call, { ...(answer.result as object), hash: anyHash(context.random) })
        : answer;
    }
    case 'eth_call': {
      const at = call.params?.[1];
      if (visibleHead === undefined || typeof at !== 'object') return answer;
      return (await isVisible(at as LogFilter, context)) ? answer : errorTo(call, -32_000, 'header not found');
    }
    default:
      return answer;
  }
}

async function finishLogs(call: RpcCall, answer: RpcAnswer, context: FaultContext): Promise<RpcAnswer | 'too_large'> {
  const { faults, isHit, random } = context;
  const filter = call.params?.[0] as LogFilter;
  if (filter.blockHash !== undefined && context.visibleHead !== undefined && !(await isVisible(filter, context))) {
    return errorTo(call, -32_000, 'unknown block');
  }
  const logs = answer.result as readonly { readonly data: string; readonly topics: readonly string[] }[];
  if (faults.maxLogs !== undefined && logs.length > faults.maxLogs && filter.fromBlock !== filter.toBlock) {
    const limited = answerOfLimit(call, context, Math.max(1, Math.floor(rangeOf(filter) / 2)));
    return limited === 'too_large' ? limited : limited.answer;
  }
  if (logs.length === 0) return answer;
  const chosen = Math.floor(random() * logs.length);
  if (isHit('omitLog', faults.omitLogShare))
    return answerTo(
      call,
      logs.filter((_, place) => place !== chosen),
    );
  if (isHit('alterLog', faults.alterLogShare)) {
    return answerTo(
      call,
      logs.map((log, place) => (place === chosen ? { ...log, ...altered(log) } : log)),
    );
  }
  return answer;
}

/** The last digit becomes another one: of the data, or of the last topic where there is no data. */
function altered({ data, topics }: { readonly data: string; readonly topics: readonly string[] }) {
  const other = (text: string) => `${text.slice(0, -1)}${text.endsWith('1') ? '2' : '1'}`;
  return data.length > 2 ? { data: other(data) } : { topics: topics.with(-1, other(topics.at(-1) ?? '0x0')) };
}

const rangeOf = ({ fromBlock, toBlock }: LogFilter) => Number(toBlock) - Number(fromBlock ?? 0) + 1;

function newestOf(result: unknown): number {
  const one = (Array.isArray(result) ? result[0] : result) as { number?: string; blockNumber?: string } | undefined;
  return Number(one?.number ?? one?.blockNumber ?? 0);
}

async function isVisible({ blockHash }: LogFilter, { ask, visibleHead }: FaultContext): Promise<boolean> {
  const { result } = await ask('eth_getBlockByHash', [blockHash, false]);
  return result != null && newestOf(result) <= (visibleHead ?? Infinity);
}

function anyHash(random: Random): string {
  return `0x${Array.from({ length: 64 }, () => Math.floor(random() * 16).toString(16)).join('')}`;
}
