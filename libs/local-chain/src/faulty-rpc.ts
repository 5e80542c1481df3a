import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { LocalChainError } from './local-chain-error';
import { seededRandom, type Random } from './random';
import { finishAnswer, prepareCall, type RpcAnswer, type RpcCall } from './semantic-faults';

/**
 * How a provider words that a request for logs is too large: that the range is, that the results are too many (with a
 * range that would do, or without), that the answer is too long, or by HTTP 413.
 */
export type LimitWording = 'range' | 'too_wide' | 'results' | 'response_size' | 'http_413';

/** What is wrong with an endpoint, all of it at once; shares are between 0 and 1 of the requests. */
export interface RpcFaults {
  /** Cuts every connection. */
  readonly down?: boolean;
  /** Share answered with a JSON-RPC error (internal error), or HTTP 500 or 502. */
  readonly errorShare?: number;
  /** Share answered with HTTP 429, or the JSON-RPC error of a rate limit. */
  readonly rateLimitShare?: number;
  /** Share that is never answered. */
  readonly timeoutShare?: number;
  /** Share that is answered with half of an answer, or with text that is no JSON. */
  readonly garbageShare?: number;
  /** Every answer comes this much later. */
  readonly delayMs?: number;
  /** Most blocks of one `eth_getLogs`. */
  readonly maxLogRange?: number;
  /** Most logs of one `eth_getLogs`. */
  readonly maxLogs?: number;
  /** In which words `maxLogRange` and `maxLogs` are told. Default: any of them. */
  readonly limitWording?: LimitWording;
  /** Answers as if this many of the newest blocks were not there yet; logs are left out without a word. */
  readonly lagBlocks?: number;
  /** Share of answers with logs that leave one of them out. */
  readonly omitLogShare?: number;
  /** Share of answers with logs in which one of them says something else. */
  readonly alterLogShare?: number;
  /** Share of answers with blocks that have another hash. */
  readonly alterBlockShare?: number;
}

export interface FaultyRpcOptions {
  /** Where the honest endpoint is. */
  readonly target: string;
  readonly faults?: RpcFaults;
  /** The same seed and the same requests in the same order give the same faults. Default 1. */
  readonly seed?: number;
}

/** How often each method was asked for, and each fault was made. */
export interface RpcCounts {
  readonly requests: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<string, number>;
}

/** An HTTP endpoint of JSON-RPC before another one, which fails as it is told to. */
export interface FaultyRpc {
  readonly url: string;
  /** From now on, instead of all former ones. */
  setFaults(faults: RpcFaults): void;
  counts(): RpcCounts;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Longest request that is taken. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

export async function startFaultyRpc(options: FaultyRpcOptions): Promise<FaultyRpc> {
  const endpoint = new FaultyEndpoint(options);
  const server = createServer((request, response) => {
    endpoint.handle(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    if (endpoint.isDown()) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    setFaults: (faults) => {
      endpoint.setFaults(faults);
      if (faults.down === true) server.closeAllConnections();
    },
    counts: () => endpoint.counts(),
    stop: async () => {
      if (!server.listening) return;
      const end = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await end;
    },
  };
}

class FaultyEndpoint {
  private faults: RpcFaults;
  private readonly random: Random;
  private readonly requests = new Map<string, number>();
  private readonly made = new Map<string, number>();

  constructor(private readonly options: FaultyRpcOptions) {
    this.faults = options.faults ?? {};
    this.random = seededRandom(options.seed ?? 1);
  }

  isDown(): boolean {
    return this.faults.down === true;
  }

  setFaults(faults: RpcFaults): void {
    this.faults = faults;
  }

  counts(): RpcCounts {
    return { requests: new Map(this.requests), faults: new Map(this.made) };
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const faults = this.faults;
    const body: unknown = JSON.parse(await readBody(request));
    const calls = (Array.isArray(body) ? body : [body]) as readonly RpcCall[];
    for (const { method } of calls) this.requests.set(method, (this.requests.get(method) ?? 0) + 1);
    if (faults.delayMs !== undefined) await pause(faults.delayMs);
    if (this.isHit('timeout', faults.timeoutShare)) return;
    if (this.isHit('rateLimit', faults.rateLimitShare)) return this.refuse(response, calls, 429, -32_005, 'rate limit');
    if (this.isHit('error', faults.errorShare)) {
      return this.refuse(response, calls, this.random() < 0.5 ? 500 : 502, -32_603, 'internal error');
    }
    const answers = await this.answer(calls, faults);
    if (answers === 'too_large') return end(response, 413, 'Request Entity Too Large');
    const text = JSON.stringify(Array.isArray(body) ? answers : answers[0]);
    if (this.isHit('garbage', faults.garbageShare)) {
      return end(response, 200, this.random() < 0.5 ? text.slice(0, text.length / 2) : '<html>It works!</html>');
    }
    end(response, 200, text);
  }

  private async answer(calls: readonly RpcCall[], faults: RpcFaults): Promise<readonly RpcAnswer[] | 'too_large'> {
    const visibleHead = faults.lagBlocks === undefined ? undefined : (await this.head()) - faults.lagBlocks;
    const context = { faults, visibleHead, isHit: this.isHit, random: this.random, ask: this.askOne };
    const prepared = calls.map((call) => prepareCall(call, context));
    if (prepared.includes('too_large')) return 'too_large';
    const forwarded = prepared.flatMap((step) => (step !== 'too_large' && 'call' in step ? [step.call] : []));
    const given = forwarded.length === 0 ? [] : await this.ask(forwarded);
    const byId = new Map(given.map((answer) => [JSON.stringify(answer.id), answer]));
    const answers: RpcAnswer[] = [];
    for (const step of prepared) {
      if (step === 'too_large') continue;
      if ('answer' in step) {
        answers.push(step.answer);
        continue;
      }
      const answer = byId.get(JSON.stringify(step.call.id));
      if (answer === undefined) throw new LocalChainError('The target left a call unanswered');
      const finished = await finishAnswer(step.call, answer, context);
      if (finished === 'too_large') return 'too_large';
      answers.push(finished);
    }
    return answers;
  }

  /** As HTTP says it or, half of the time, as JSON-RPC does. */
  private refuse(
    response: ServerResponse,
    calls: readonly RpcCall[],
    status: number,
    code: number,
    message: string,
  ): void {
    if (this.random() < 0.5) return end(response, status, message);
    const answers = calls.map(({ id }) => ({ jsonrpc: '2.0', id, error: { code, message } }));
    end(response, 200, JSON.stringify(answers.length === 1 ? answers[0] : answers));
  }

  private readonly isHit = (fault: string, share: number | undefined): boolean => {
    if (share === undefined || this.random() >= share) return false;
    this.made.set(fault, (this.made.get(fault) ?? 0) + 1);
    return true;
  };

  private async head(): Promise<number> {
    return Number((await this.askOne('eth_blockNumber', [])).result);
  }

  private readonly askOne = async (method: string, params: readonly unknown[]): Promise<RpcAnswer> => {
    const [answer] = await this.ask([{ jsonrpc: '2.0', id: 0, method, params }]);
    if (answer === undefined) throw new LocalChainError('The target did not answer');
    return answer;
  };

  private async ask(calls: readonly RpcCall[]): Promise<readonly RpcAnswer[]> {
    const [first] = calls;
    const response = await fetch(this.options.target, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(calls.length === 1 ? first : calls),
    });
    const answer: unknown = await response.json();
    return (Array.isArray(answer) ? answer : [answer]) as readonly RpcAnswer[];
  }
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(text);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new LocalChainError('The request is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
