import { setTimeout as pause } from 'node:timers/promises';
import { issueApiKey, type WorkspaceRole } from '@sluice/access';
import type { AgentSnapshot } from '@sluice/agent-sessions';
import { createAppHost, serveParts, toHostConfig, type AppHost } from '@sluice/engine';
import { createLogger, MetricsRegistry, parseSettings, readEnv } from '@sluice/service-runtime';
import { settings, toSessionsConfig, type SessionsConfig } from '../../src/config';
import { newId } from '../../src/new-ids';
import { createSessionsPart } from '../../src/sessions-part';
import { send, type Answer, type Json, type SendOptions, TestProjection } from '@sluice/engine/conformance';

export const OPERATOR_KEY = `sk_${'o'.repeat(43)}`;
export const SECRETS_KEY = Buffer.alloc(32, 7).toString('base64');

/** What an agent of a test has beside the defaults. */
export type AgentOptions = Partial<Omit<AgentSnapshot, 'id' | 'type' | 'version'>>;

export interface SessionsApp {
  readonly url: string;
  readonly host: AppHost;
  readonly projection: TestProjection;
  /** As the writer of workspace 1 unless another key is named. */
  call(method: string, path: string, json?: unknown, options?: SendOptions): Promise<Answer>;
  key(workspaceId: number, role?: WorkspaceRole): Promise<string>;
  /** A session of workspace 1, of an agent that names this engine. */
  session(engine?: string, agent?: AgentOptions, environment?: 'cloud' | 'self_hosted'): Promise<string>;
  send(sessionId: string, ...events: object[]): Promise<Answer>;
  /** All events of a session. */
  events(sessionId: string): Promise<readonly Json[]>;
  /** Resolves with all events once they end as told. */
  whenTypes(sessionId: string, fits: (types: readonly string[]) => boolean): Promise<readonly Json[]>;
  /** Another process of the app, on the same engine. */
  replica(env?: NodeJS.ProcessEnv): Promise<{ readonly url: string; stop(): Promise<void> }>;
  stop(): Promise<void>;
}

const ENV = {
  SLUICE_ENGINE: 'memory',
  SLUICE_HTTP_HOST: '127.0.0.1',
  SLUICE_HTTP_PORT: '0',
  SLUICE_LOG_LEVEL: 'silent',
  SLUICE_OPERATOR_KEYS: OPERATOR_KEY,
  SLUICE_SECRETS_KEY: SECRETS_KEY,
  SLUICE_SESSION_POLL_INTERVAL: '20ms',
};

/**
 * The app of sessions on a real port and the memory engine.
 * @param adapt changes what has no setting
 */
export async function startSessions(
  env: NodeJS.ProcessEnv = {},
  adapt: (config: SessionsConfig) => SessionsConfig = (config) => config,
): Promise<SessionsApp> {
  const values = parseSettings(settings, readEnv(settings, { ...ENV, ...env }));
  const host = createAppHost(toHostConfig('sessions', values));
  const first = await serve(host, adapt(toSessionsConfig(values)));
  const projection = await TestProjection.start(host.engine);
  const documents = await host.engine.sessionDocuments();
  const key = async (workspaceId: number, role: WorkspaceRole = 'writer') =>
    (await issueApiKey(await host.engine.apiKeys(), { workspaceId, role, name: role })).apiKey;
  const writer = await key(1);
  const call: SessionsApp['call'] = (method, path, json, options = {}) =>
    send(first.url, path, { method, json, key: writer, ...options });
  const events = async (sessionId: string) =>
    ((await call('GET', `/v1/sessions/${sessionId}/events`)).body as { data: readonly Json[] }).data;
  return {
    url: first.url,
    host,
    projection,
    call,
    key,
    events,
    session: async (engine, agent = {}, environment = 'cloud') => {
      const [agentId, environmentId] = [newId('agent'), newId('env')];
      const common = {
        workspaceId: 1,
        parentId: null,
        createdAtMs: Date.now(),
        updatedAtMs: Date.now(),
        archivedAtMs: null,
        expiresAtMs: null,
      };
      const metadata = engine === undefined ? {} : { engine };
      const fields = { ...AGENT, ...agent, metadata };
      await documents.create([
        { ...common, kind: 'agent', id: agentId, fields: { ...fields, version: 1 } },
        { ...common, kind: 'environment', id: environmentId, fields: { name: 'e', config: { type: environment } } },
      ]);
      const made = await call('POST', '/v1/sessions', { agent: agentId, environment_id: environmentId });
      if (made.status !== 200) throw new Error(made.text);
      return (made.body as { id: string }).id;
    },
    send: (sessionId, ...sent) => call('POST', `/v1/sessions/${sessionId}/events`, { events: sent }),
    whenTypes: (sessionId, fits) =>
      until(async () => {
        const found = await events(sessionId);
        return fits(found.map(({ type }) => type as string)) ? found : undefined;
      }),
    replica: (more = {}) => {
      const config = toSessionsConfig(parseSettings(settings, readEnv(settings, { ...ENV, ...env, ...more })));
      const other: AppHost = {
        ...host,
        metrics: new MetricsRegistry(),
        logger: createLogger({ service: 'other', level: 'silent' }),
        close: () => Promise.resolve(),
      };
      return serve(other, adapt(config));
    },
    stop: async () => {
      await first.stop();
      await projection.stop();
    },
  };
}

async function serve(host: AppHost, config: SessionsConfig) {
  let url = '';
  const service = serveParts(host, [await createSessionsPart(host, config, { callbackBase: () => url })]);
  ({ url } = await service.start());
  return { url, stop: () => service.destroy() };
}

const AGENT = {
  name: 'agent',
  description: null,
  model: { id: 'a-model' },
  system: null,
  tools: [],
  mcp_servers: [],
  skills: [],
  multiagent: null,
  execution_identity: { type: 'service_account' },
};

export const message = (text: string) => ({ type: 'user.message', content: [{ type: 'text', text }] });

/** Between two looks the processor is for those who are waited for. */
const LOOK_INTERVAL_MS = 2;

/** Looks again and again until there is something; at most a minute. */
export async function until<T>(look: () => T | undefined | Promise<T | undefined>, what = 'condition'): Promise<T> {
  for (const endMs = Date.now() + 60_000; Date.now() < endMs;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await pause(LOOK_INTERVAL_MS);
  }
  throw new Error(`Waited in vain: ${what}`);
}
