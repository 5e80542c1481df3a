import { setTimeout as pause } from 'node:timers/promises';
import { issueApiKey, type WorkspaceRole } from '@sluice/access';
import { createAppHost, serveParts, toHostConfig, type AppHost } from '@sluice/engine';
import type { EventEnvelope, WorkspaceEventType } from '@sluice/event-schema';
import type { WorkspaceDocuments } from '@sluice/projections';
import { createLogger, MetricsRegistry, parseSettings, readEnv } from '@sluice/service-runtime';
import { settings, toWorkspaceConfig, workspaceSettings } from '../src/config';
import { createWorkspacePart, type WorkspaceExtensions } from '../src/workspace-part';
import { send, type Answer, type SendOptions, TestProjection } from '@sluice/engine/conformance';

export const OPERATOR_KEY = `sk_${'o'.repeat(43)}`;

export interface WorkspaceService {
  readonly url: string;
  readonly host: AppHost;
  readonly projection: TestProjection;
  readonly documents: WorkspaceDocuments;
  /** As the writer of workspace 1 unless another key is named. */
  call(method: string, path: string, json?: unknown, options?: SendOptions): Promise<Answer>;
  key(workspaceId: number, role?: WorkspaceRole): Promise<string>;
  /** What the log holds of a type, once for each id. */
  events(type?: WorkspaceEventType): EventEnvelope[];
  /** The first event of a type that fits, as soon as it is there. */
  event(type: WorkspaceEventType, fits?: (event: EventEnvelope) => boolean): Promise<EventEnvelope>;
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

export interface StartOptions extends WorkspaceExtensions {
  readonly env?: NodeJS.ProcessEnv;
}

/** The workspace app on a real port and the memory engine, with a projection that can be paused. */
export async function startWorkspace({ env = {}, ...extensions }: StartOptions = {}): Promise<WorkspaceService> {
  const values = parseSettings(
    settings,
    readEnv(settings, {
      SLUICE_ENGINE: 'memory',
      SLUICE_HTTP_HOST: '127.0.0.1',
      SLUICE_HTTP_PORT: '0',
      SLUICE_LOG_LEVEL: 'silent',
      SLUICE_TOKEN_SECRETS: 's'.repeat(32),
      SLUICE_OPERATOR_KEYS: OPERATOR_KEY,
      SLUICE_CRON_POLL_INTERVAL: '20ms',
      ...env,
    }),
  );
  const host = createAppHost(toHostConfig('workspace', values));
  const service = serveParts(host, [await createWorkspacePart(host, toWorkspaceConfig(values), extensions)]);
  const { url } = await service.start();
  const projection = await TestProjection.start(host.engine);
  const key = async (workspaceId: number, role: WorkspaceRole = 'writer') =>
    (await issueApiKey(await host.engine.apiKeys(), { workspaceId, role, name: role })).apiKey;
  const writer = await key(1);
  const events = (type?: WorkspaceEventType) =>
    [...new Map(projection.logged.toReversed().map((event) => [event.id, event])).values()]
      .toReversed()
      .filter((event) => type === undefined || event.type === type);
  return {
    url,
    host,
    projection,
    documents: await host.engine.workspaceDocuments(),
    call: (method, path, json, options = {}) => send(url, path, { method, json, key: writer, ...options }),
    key,
    events,
    event: (type, fits = () => true) => until(() => events(type).find(fits)),
    metrics: async () => (await send(url, '/metrics', { method: 'GET' })).text,
    stop: async () => {
      await service.destroy();
      await projection.stop();
    },
  };
}

/** Another process of the app beside a service, on the same engine. */
export async function startReplica(service: WorkspaceService, extensions: WorkspaceExtensions) {
  const config = toWorkspaceConfig(parseSettings(workspaceSettings, readEnv(workspaceSettings, {})));
  const host: AppHost = {
    ...service.host,
    metrics: new MetricsRegistry(),
    logger: createLogger({ service: 'other', level: 'silent' }),
    close: () => Promise.resolve(),
  };
  const replica = serveParts(host, [await createWorkspacePart(host, config, extensions)]);
  const { url } = await replica.start();
  const key = await service.key(1);
  return {
    call: (method: string, path: string, json?: unknown) => send(url, path, { method, json, key }),
    stop: () => replica.destroy(),
  };
}

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
