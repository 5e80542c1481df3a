import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import Anthropic from '@anthropic-ai/sdk';
import { signWebhook } from '@sluice/signed-webhooks';

/** What Sluice tells an engine. */
export interface EngineCall {
  readonly type: 'run.start' | 'run.input' | 'run.interrupt' | 'session.deleted';
  readonly session_id: string;
  readonly run_id: string;
  readonly input_events: readonly InputEvent[];
  readonly callback: { readonly url: string; readonly secret: string };
}

interface InputEvent {
  readonly id: string;
  readonly type: string;
  readonly content?: readonly { readonly type: string; readonly text?: string }[];
  readonly custom_tool_use_id?: string;
}

/** The answer to a report. */
export interface ReportAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/**
 * An engine as a stranger would write it: it checks what it is told by the SDK's own `unwrap`, and signs its reports.
 * What it does follows from the first words of a message:
 *
 * - `tools N`: asks for N calls of the custom tool `double`, waits for all results, then says them;
 * - `retry`: reports a retriable error, that the run is rescheduled, that it runs again, and an answer;
 * - `fail`: reports a terminal error;
 * - `silent`: does nothing;
 * - anything else is repeated.
 */
export class SessionEngine {
  readonly calls: EngineCall[] = [];
  readonly faults: unknown[] = [];
  /** The secrets by which Sluice signs: one for each registration. */
  readonly secrets: string[] = [];
  private readonly results = new Map<string, { wanted: Set<string>; texts: string[] }>();
  private readonly seen = new Set<string>();
  private constructor(
    readonly url: string,
    private readonly close: () => Promise<void>,
  ) {}

  static async start(): Promise<SessionEngine> {
    const server = createServer((request, response) => {
      void read(request)
        .then((body) => engine.take(request, body))
        .then(
          () => response.writeHead(204).end(),
          (error: unknown) => {
            engine.faults.push(error);
            response.writeHead(401).end();
          },
        );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const engine = new SessionEngine(`http://127.0.0.1:${port}/engine`, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return engine;
  }

  stop(): Promise<void> {
    return this.close();
  }

  private async take(request: IncomingMessage, body: string): Promise<void> {
    const headers = request.headers as Record<string, string>;
    const client = new Anthropic({ apiKey: 'unused' });
    if (!this.secrets.some((key) => isSigned(client, body, headers, key))) throw new Error('not signed by Sluice');
    const deliveryId = headers['webhook-id'] ?? '';
    // A repeated delivery is one delivery.
    if (this.seen.has(deliveryId)) return;
    this.seen.add(deliveryId);
    const call = JSON.parse(body) as EngineCall;
    this.calls.push(call);
    void this.work(call).catch((error: unknown) => this.faults.push(error));
  }

  private async work(call: EngineCall): Promise<void> {
    if (call.type === 'run.start') await this.begin(call);
    if (call.type === 'run.input') await this.goOn(call);
  }

  private async begin(call: EngineCall): Promise<void> {
    const text = call.input_events.flatMap(({ content = [] }) => content.map((block) => block.text ?? '')).join(' ');
    const [word, count] = text.split(' ');
    switch (word) {
      case 'tools': {
        const ids = Array.from({ length: Number(count) }, () => `tool_${randomUUID()}`);
        this.results.set(call.run_id, { wanted: new Set(ids), texts: [] });
        const uses = ids.map((id, n) => ({ id, type: 'agent.custom_tool_use', name: 'double', input: { value: n } }));
        await this.report(call, [...uses, idle({ type: 'requires_action', event_ids: ids })]);
        return;
      }
      case 'retry':
        await this.report(call, [
          errorOf('model_overloaded_error', 'retrying'),
          { type: 'session.status_rescheduled' },
        ]);
        await this.report(call, [{ type: 'session.status_running' }, message('after a retry'), END]);
        return;
      case 'fail':
        await this.report(call, [errorOf('unknown_error', 'terminal'), { type: 'session.status_terminated' }]);
        return;
      case 'silent':
        return;
      default:
        await this.report(call, [message(text), END]);
    }
  }

  private async goOn(call: EngineCall): Promise<void> {
    const waiting = this.results.get(call.run_id);
    if (!waiting) return;
    for (const { custom_tool_use_id: id, content = [] } of call.input_events) {
      if (id === undefined || !waiting.wanted.delete(id)) continue;
      waiting.texts.push(content.map(({ text }) => text ?? '').join(''));
    }
    if (waiting.wanted.size > 0) return;
    this.results.delete(call.run_id);
    await this.report(call, [message(waiting.texts.join(',')), END]);
  }

  /** Reports until it is heard, as an engine that wants to lose nothing does. */
  async report(call: EngineCall, events: readonly object[]): Promise<ReportAnswer> {
    const id = `msg_${randomUUID()}`;
    for (let attempt = 0; ; attempt++) {
      const answer = await sendReport(call, { run_id: call.run_id, events }, { id }).catch((error: unknown) => error);
      if (!(answer instanceof Error) && (answer as ReportAnswer).status < 500) return answer as ReportAnswer;
      if (attempt === 60) throw answer instanceof Error ? answer : new Error(JSON.stringify(answer));
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

function isSigned(client: Anthropic, body: string, headers: Record<string, string>, key: string): boolean {
  try {
    client.beta.webhooks.unwrap(body, { headers, key });
    return true;
  } catch {
    return false;
  }
}

/** One signed report. What is given in `options` replaces what is right. */
export async function sendReport(
  { callback }: Pick<EngineCall, 'callback'>,
  body: object,
  options: { readonly id?: string; readonly secret?: string; readonly at?: Date } = {},
): Promise<ReportAnswer> {
  const { id = `msg_${randomUUID()}`, secret = callback.secret, at = new Date() } = options;
  const text = JSON.stringify(body);
  const response = await fetch(callback.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...signWebhook({ secret, id, timestampMs: at.getTime(), body: text }),
    },
    body: text,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

export const message = (text: string) => ({ type: 'agent.message', content: [{ type: 'text', text }] });
export const idle = (stopReason: object) => ({ type: 'session.status_idle', stop_reason: stopReason });
export const END = idle({ type: 'end_turn' });

const errorOf = (type: string, retry: string) => ({
  type: 'session.error',
  error: { type, message: 'as asked for', retry_status: { type: retry } },
});

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
