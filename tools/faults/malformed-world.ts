import { createHmac, randomUUID } from 'node:crypto';
import { until } from '@sluice/event-log/conformance';
import type { DevFile } from '../../e2e/system';
import type { SessionEngine } from '../../e2e/session-engine';
import { makeWorld, requestOf, type World } from '../schema-export/access-world';
import type { Operation } from './malformed-document';

const RUN_TIMEOUT_MS = 60_000;
const REPORT = 'POST /runtime/v1/sessions/{sessionId}/runs/{runId}/events';

/** One of each thing that has an id, and who may do everything to it. */
export class MalformedWorld {
  private constructor(
    readonly world: World,
    private readonly adminKey: string,
    private readonly operatorKey: string,
    private readonly runSecret: string,
  ) {}

  /** @param engine works on one run, which it never ends */
  static async make(
    { baseUrl, adminKey: operatorKey, workspaceId }: DevFile,
    engine: SessionEngine,
  ): Promise<MalformedWorld> {
    const { apiKey } = await post<{ apiKey: string }>(baseUrl, operatorKey, '/v1/admin/keys', {
      role: 'admin',
      name: 'malformed',
      workspaceId,
    });
    const ask = <T>(path: string, body: unknown) => post<T>(baseUrl, apiKey, path, body);
    const world = await makeWorld(ask);
    const { id: engineId, secret } = await ask<{ id: string; secret: string }>('/runtime/v1/engines', {
      name: 'malformed',
      url: engine.url,
    });
    engine.secrets.push(secret);
    const agent = await ask<{ id: string }>('/v1/agents', {
      name: 'An agent',
      model: 'a-model',
      metadata: { engine: engineId },
    });
    const session = await ask<{ id: string }>('/v1/sessions', {
      agent: agent.id,
      environment_id: world.created.environmentId,
    });
    const said = { type: 'user.message', content: [{ type: 'text', text: 'silent' }] };
    await ask(`/v1/sessions/${session.id}/events`, { events: [said] });
    const callOfRun = () => engine.calls.find((call) => call.session_id === session.id);
    await until(() => callOfRun() !== undefined, 'the engine is told of its run', RUN_TIMEOUT_MS);
    const { run_id: runId = '', callback = { secret: '' } } = callOfRun() ?? {};
    const idsOf = (path: string) => ({
      ...world.idsOf(path),
      ...(path.startsWith('/runtime/v1/sessions') && { sessionId: session.id, runId }),
    });
    return new MalformedWorld({ ...world, idsOf }, apiKey, operatorKey, callback.secret);
  }

  credentialOf(operation: Operation): Readonly<Record<string, string>> {
    if (operation.security.length === 0) return {};
    return { 'x-api-key': operation['x-sluice-access'] === 'operator' ? this.operatorKey : this.adminKey };
  }

  /** Of a report, whatever it is. */
  sign({ method, path }: Operation, body: string | Buffer): Readonly<Record<string, string>> {
    if (`${method} ${path}` !== REPORT) return {};
    const id = `msg_${randomUUID()}`;
    const seconds = Math.floor(Date.now() / 1000);
    const key = Buffer.from(this.runSecret.replace(/^whsec_/, ''), 'base64');
    const signature = createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest('base64');
    return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
  }

  /** One that is right. */
  bodyOf(operation: Operation): unknown {
    if (`${operation.method} ${operation.path}` !== REPORT) return requestOf(operation, this.world).body;
    const { runId = '' } = this.world.idsOf(operation.path);
    return { run_id: runId, events: [{ type: 'agent.message', content: [{ type: 'text', text: 'hello' }] }] };
  }
}

async function post<T>(baseUrl: string, key: string, target: string, body: unknown): Promise<T> {
  const isForm = body instanceof FormData;
  const response = await fetch(`${baseUrl}${target.replace('GET ', '')}`, {
    method: target.startsWith('GET ') ? 'GET' : 'POST',
    headers: { 'x-api-key': key, ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${target}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}
