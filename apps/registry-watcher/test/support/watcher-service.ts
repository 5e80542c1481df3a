import { issueApiKey, type WorkspaceRole } from '@sluice/access';
import type { ChainConfig } from '@sluice/agent-registry';
import { createAppHost, serveParts, toHostConfig, type AppHost } from '@sluice/engine';
import type { Lane, LogFollower } from '@sluice/event-log';
import type { EventEnvelope } from '@sluice/event-schema';
import { createLogger, MetricsRegistry, parseSettings, readEnv } from '@sluice/service-runtime';
import { registryWatcherSettings, settings, toRegistryWatcherConfig } from '../../src/config';
import { createRegistryWatcherPart, type RegistryWatcherExtensions } from '../../src/registry-watcher-part';

export const OPERATOR_KEY = `sk_${'o'.repeat(43)}`;

export interface ServiceOptions extends RegistryWatcherExtensions {
  readonly chains?: readonly ChainConfig[];
  readonly env?: NodeJS.ProcessEnv;
}

/** The app on a real port and the memory engine, and all that it appends. */
export async function startService({ chains = [], env = {}, ...extensions }: ServiceOptions = {}) {
  const values = parseSettings(
    settings,
    readEnv(settings, {
      SLUICE_ENGINE: 'memory',
      SLUICE_HTTP_HOST: '127.0.0.1',
      SLUICE_HTTP_PORT: '0',
      SLUICE_LOG_LEVEL: 'silent',
      SLUICE_TOKEN_SECRETS: 's'.repeat(32),
      SLUICE_OPERATOR_KEYS: OPERATOR_KEY,
      ...env,
    }),
  );
  const host = createAppHost(toHostConfig('registry-watcher', values));
  const config = { ...toRegistryWatcherConfig(values), chains };
  const service = serveParts(host, [await createRegistryWatcherPart(host, config, extensions)]);
  const { url } = await service.start();
  const log = await FollowedLog.start(host);
  const key = async (role: WorkspaceRole = 'reader', workspaceId = 1) =>
    (await issueApiKey(await host.engine.apiKeys(), { workspaceId, role, name: role })).apiKey;
  return {
    url,
    host,
    log,
    key,
    call: async (method: string, path: string, apiKey?: string) => {
      const headers: Record<string, string> = apiKey === undefined ? {} : { 'x-api-key': apiKey };
      const answer = await fetch(`${url}${path}`, { method, headers });
      const text = await answer.text();
      return { status: answer.status, text, body: (text.startsWith('{') ? JSON.parse(text) : {}) as Answer };
    },
    stop: async () => {
      await log.stop();
      await service.destroy();
    },
  };
}

type Answer = Record<string, never> & { readonly chains?: readonly Record<string, unknown>[]; readonly code?: string };

/** Another process of the app beside a service, on the same engine. */
export async function startReplica(host: AppHost, { chains = [], env = {}, ...extensions }: ServiceOptions) {
  const values = parseSettings(registryWatcherSettings, readEnv(registryWatcherSettings, env));
  const own: AppHost = {
    ...host,
    metrics: new MetricsRegistry(),
    logger: createLogger({ service: 'other', level: 'silent' }),
    close: () => Promise.resolve(),
  };
  const config = { ...toRegistryWatcherConfig(values), chains };
  const replica = serveParts(own, [await createRegistryWatcherPart(own, config, extensions)]);
  await replica.start();
  return { stop: () => replica.destroy() };
}

/** Everything that the log holds, in its order. */
export class FollowedLog {
  readonly appended: EventEnvelope[] = [];
  private follower: LogFollower | undefined;

  static async start(host: AppHost): Promise<FollowedLog> {
    const log = new FollowedLog();
    const reached = new Map<Lane, number>();
    log.follower = await (
      await host.engine.durableLog()
    ).follow({
      group: 'test',
      maxBatchRecords: 1_000,
      loadCheckpoints: async () => new Map(reached),
      handle: async ({ records, checkpoints }) => {
        for (const { value } of records)
          log.appended.push(JSON.parse(new TextDecoder().decode(value)) as EventEnvelope);
        for (const [lane, { to }] of checkpoints) reached.set(lane, to);
      },
    });
    return log;
  }

  of(type: string, agentId?: string): EventEnvelope[] {
    return this.appended.filter((event) => event.type === type && (agentId ?? event.entityId) === event.entityId);
  }

  async stop(): Promise<void> {
    await this.follower?.stop();
  }
}
