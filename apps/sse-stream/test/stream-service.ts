import { createHmac } from 'node:crypto';
import { issueApiKey, type NewApiKey } from '@sluice/access';
import { createAppHost, serveParts, toHostConfig, type AppHost } from '@sluice/engine';
import type { EncodedEnvelope, EncodedRecordedEvent } from '@sluice/event-schema';
import { parseSettings, readEnv } from '@sluice/service-runtime';
import { settings, toSseStreamConfig, type SseStreamConfig } from '../src/config';
import { createSseStreamPart } from '../src/sse-stream-part';
import { SseClient, type OpenOptions } from './sse-client';

export { sandboxEnvelope as sandboxEvent } from '@sluice/event-log/conformance';
export { registryEvent, workspaceEvent } from './events';

export const OPERATOR_KEY = `sk_${'o'.repeat(43)}`;
const SECRET = 's'.repeat(32);

export interface StreamService {
  readonly url: string;
  readonly host: AppHost;
  /** `GET /v1/stream`. */
  open(query?: string, options?: OpenOptions): Promise<SseClient>;
  /** `GET` of any path. */
  openAt(path: string, options?: OpenOptions): Promise<SseClient>;
  key(request?: Partial<NewApiKey>): Promise<string>;
  token(sandboxId?: string): Promise<string>;
  record(...envelopes: EncodedEnvelope[]): Promise<readonly EncodedRecordedEvent[]>;
  /** The value of a metric, with its labels as they are written; 0 when it is absent. */
  metric(name: string): Promise<number>;
  /** Drains the service while its clients stay. */
  stopServing(): Promise<void>;
  /** Lets all clients leave first. */
  stop(): Promise<void>;
}

/** The SSE app on a real port and the memory engine. Clients that it opened are gone when it is stopped. */
export async function startStreams(
  config: Partial<SseStreamConfig> = {},
  env: NodeJS.ProcessEnv = {},
  replace: (host: AppHost) => Partial<AppHost> = () => ({}),
): Promise<StreamService> {
  const values = parseSettings(
    settings,
    readEnv(settings, {
      SLUICE_ENGINE: 'memory',
      SLUICE_HTTP_HOST: '127.0.0.1',
      SLUICE_HTTP_PORT: '0',
      SLUICE_LOG_LEVEL: 'silent',
      SLUICE_DRAIN_TIMEOUT: '5s',
      SLUICE_TOKEN_SECRETS: SECRET,
      SLUICE_OPERATOR_KEYS: OPERATOR_KEY,
      ...env,
    }),
  );
  const realHost = createAppHost(toHostConfig('sse-stream', values));
  const host = { ...realHost, ...replace(realHost) };
  const part = await createSseStreamPart(host, { ...toSseStreamConfig(values), drainSpreadMs: 0, ...config });
  const service = serveParts(host, [part]);
  const { url } = await service.start();
  const [readModel, deliveryLog] = await Promise.all([host.engine.readModel(), host.engine.deliveryLog()]);
  const clients: SseClient[] = [];
  const openAt = async (path: string, options: OpenOptions = {}) => {
    const client = await SseClient.open(url, path, options);
    clients.push(client);
    return client;
  };
  return {
    url,
    host,
    open: (query = '', options = {}) => openAt(`/v1/stream${query}`, options),
    openAt,
    key: async (request = {}) => {
      const all: NewApiKey = { workspaceId: 1, role: 'reader', name: 'test', ...request };
      return (await issueApiKey(await host.engine.apiKeys(), all)).apiKey;
    },
    token: async (sandboxId = 'sandbox-123') =>
      (await (await host.access()).mintAccessToken({ workspaceId: 1, sandboxId })).accessToken,
    record: async (...envelopes) => {
      const { epoch, recorded } = await readModel.record({ envelopes, parked: [], checkpoints: new Map() });
      if (recorded.length > 0) await deliveryLog.publish({ epoch, events: recorded });
      return recorded;
    },
    metric: async (name) => {
      const text = await host.metrics.expose();
      const line = text.split('\n').find((each) => each.startsWith(`${name} `));
      return Number(line?.slice(name.length + 1) ?? 0);
    },
    stopServing: () => service.destroy(),
    stop: async () => {
      for (const client of clients) client.destroy();
      await service.destroy();
    },
  };
}

/** A token that ends at this second since 1970. */
export function tokenUntil(exp: number, sandboxId = 'sandbox-123'): string {
  const parts = [{ alg: 'HS256' }, { sandboxId, workspaceId: 1, exp }];
  const head = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${head}.${createHmac('sha256', SECRET).update(head).digest('base64url')}`;
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => from + n);
