import { issueApiKey, type WorkspaceRole } from '@sluice/access';
import { createAppHost, serveParts, toHostConfig, type AppHost } from '@sluice/engine';
import type { EncodedEnvelope, EncodedRecordedEvent } from '@sluice/event-schema';
import { createLogger, MetricsRegistry, parseSettings, readEnv } from '@sluice/service-runtime';
import { settings, toWebhooksConfig, webhooksSettings } from '../src/config';
import { createWebhooksPart, type WebhooksExtensions } from '../src/webhooks-part';

export const OPERATOR_KEY = `sk_${'o'.repeat(43)}`;

/** Parsed JSON, which tests may look into. */
export type Json = ReturnType<typeof JSON.parse>;

export interface CallOptions {
  readonly key?: string;
  readonly json?: unknown;
}

export interface ServiceOptions extends WebhooksExtensions {
  readonly env?: NodeJS.ProcessEnv;
}

export const SECRETS_KEY = Buffer.alloc(32, 7).toString('base64');

const OWN = {
  SLUICE_SECRETS_KEY: SECRETS_KEY,
  SLUICE_WEBHOOK_LEASE: '600ms',
  SLUICE_WEBHOOK_RETRY_DELAYS: '20ms,20ms',
};

/** The app on a real port and the memory engine. */
export async function startWebhooks({ env = {}, ...extensions }: ServiceOptions = {}) {
  const values = parseSettings(
    settings,
    readEnv(settings, {
      SLUICE_ENGINE: 'memory',
      SLUICE_HTTP_HOST: '127.0.0.1',
      SLUICE_HTTP_PORT: '0',
      SLUICE_LOG_LEVEL: 'silent',
      SLUICE_TOKEN_SECRETS: 's'.repeat(32),
      SLUICE_OPERATOR_KEYS: OPERATOR_KEY,
      ...OWN,
      ...env,
    }),
  );
  const host = createAppHost(toHostConfig('webhooks', values));
  const service = serveParts(host, [await createWebhooksPart(host, toWebhooksConfig(values), extensions)]);
  const { url } = await service.start();
  const keys = new Map<number, string>();
  const keyOf = async (workspaceId: number, role: WorkspaceRole = 'writer') =>
    (await issueApiKey(await host.engine.apiKeys(), { workspaceId, role, name: role })).apiKey;
  const call = async (method: string, path: string, { key, json }: CallOptions = {}) => {
    const apiKey = key ?? keys.get(1) ?? (await keyOf(1));
    keys.set(1, keys.get(1) ?? apiKey);
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { 'x-api-key': apiKey, ...(json !== undefined && { 'content-type': 'application/json' }) },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
    const text = await answer.text();
    return { status: answer.status, text, body: text.startsWith('{') ? JSON.parse(text) : {} };
  };
  return {
    url,
    host,
    call,
    keyOf,
    /** An endpoint of workspace 1, as it was answered. */
    create: async (json: object): Promise<Json> => {
      const { status, body, text } = await call('POST', '/v1/webhooks', { json });
      if (status !== 201) throw new Error(text);
      return body;
    },
    record: (...envelopes: EncodedEnvelope[]) => record(host, envelopes),
    log: async (endpointId: string) =>
      (await (await host.engine.webhookStore()).deliveries({ workspaceId: 1, endpointId, limit: 1_000 })) ?? [],
    stop: () => service.destroy(),
  };
}

/** Another process of the app beside a service, on the same engine. */
export async function startReplica(host: AppHost, { env = {}, ...extensions }: ServiceOptions) {
  const values = parseSettings(webhooksSettings, readEnv(webhooksSettings, { ...OWN, ...env }));
  const own: AppHost = {
    ...host,
    metrics: new MetricsRegistry(),
    logger: createLogger({ service: 'other', level: 'silent' }),
    close: () => Promise.resolve(),
  };
  const replica = serveParts(own, [await createWebhooksPart(own, toWebhooksConfig(values), extensions)]);
  await replica.start();
  return { stop: () => replica.destroy() };
}

/** As the projector does: recorded, then published. */
async function record({ engine }: AppHost, envelopes: EncodedEnvelope[]): Promise<readonly EncodedRecordedEvent[]> {
  const readModel = await engine.readModel();
  const { recorded } = await readModel.record({ envelopes, parked: [], checkpoints: new Map() });
  const { epoch } = await readModel.head();
  await (await engine.deliveryLog()).publish({ epoch, events: recorded });
  return recorded;
}
