import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ScriptedChain } from './scripted-chain';

export interface Call {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** An error as JSON-RPC has it. */
export class RpcRefusal extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** How an endpoint deviates from an honest one. */
export interface Script {
  /** Instead of the honest result; throws RpcRefusal. */
  answer?: (call: Call, honest: () => unknown) => unknown;
  /** Instead of any answer at all. Gives false to be honest. */
  respond?: (response: ServerResponse, calls: readonly Call[], isBatch: boolean) => boolean;
}

/** A JSON-RPC endpoint over real HTTP, on a chain in memory. */
export class ScriptedRpc {
  readonly calls: Call[] = [];
  script: Script = {};
  /** Of each HTTP request. */
  readonly batchSizes: number[] = [];
  private readonly server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => this.respond(JSON.parse(Buffer.concat(chunks).toString('utf8')), response));
  });

  constructor(public chain: ScriptedChain) {}

  static async start(chain: ScriptedChain, script: Script = {}): Promise<ScriptedRpc> {
    const rpc = new ScriptedRpc(chain);
    rpc.script = script;
    rpc.server.listen(0, '127.0.0.1');
    await once(rpc.server, 'listening');
    return rpc;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  count(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private respond(body: unknown, response: ServerResponse): void {
    const isBatch = Array.isArray(body);
    const calls = (isBatch ? body : [body]) as Call[];
    this.calls.push(...calls);
    this.batchSizes.push(calls.length);
    if (this.script.respond?.(response, calls, isBatch) === true) return;
    const answers = calls.map((call) => this.answer(call));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isBatch ? answers.reverse() : answers[0]));
  }

  private answer(call: Call): unknown {
    const honest = (): unknown => this.chain.answer(call.method, call.params);
    try {
      const result = this.script.answer === undefined ? honest() : this.script.answer(call, honest);
      return { jsonrpc: '2.0', id: call.id, result };
    } catch (error) {
      const { code, message } = error as RpcRefusal;
      return { jsonrpc: '2.0', id: call.id, error: { code, message } };
    }
  }
}
