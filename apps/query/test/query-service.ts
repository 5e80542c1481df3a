import { issueApiKey, type WorkspaceRole } from '@sluice/access';
import { createAppHost, serveParts, toHostConfig, type AppHost } from '@sluice/engine';
import { send, type Answer, type Json, type SendOptions } from '@sluice/engine/conformance';
import type { Lane, ParkedRecord } from '@sluice/event-log';
import type { EncodedEnvelope, EncodedRecordedEvent } from '@sluice/event-schema';
import { parseSettings, readEnv } from '@sluice/service-runtime';
import { settings, toQueryConfig } from '../src/config';
import { createQueryPart } from '../src/query-part';

export { sandboxEnvelope as sandboxEvent } from '@sluice/event-log/conformance';
export type { Answer, Json };

export const OPERATOR_KEY = `sk_${'o'.repeat(43)}`;

export interface QueryService {
  readonly host: AppHost;
  call(path: string, options?: CallOptions): Promise<Answer>;
  key(workspaceId: number, role: WorkspaceRole): Promise<string>;
  token(workspaceId: number, sandboxId: string): Promise<string>;
  record(...envelopes: EncodedEnvelope[]): Promise<readonly EncodedRecordedEvent[]>;
  park(
    ...values: { value: Uint8Array | string; workspaceId?: number; reason?: ParkedRecord['reason'] }[]
  ): Promise<void>;
  stop(): Promise<void>;
}

/** `json` is sent as it is when it is text, else as JSON. */
export type CallOptions = Omit<SendOptions, 'raw' | 'contentType'>;

/** The query app on a real port; on the memory engine unless the environment says otherwise. */
export async function startQuery(env: NodeJS.ProcessEnv = {}): Promise<QueryService> {
  const values = parseSettings(
    settings,
    readEnv(settings, {
      SLUICE_ENGINE: 'memory',
      SLUICE_HTTP_HOST: '127.0.0.1',
      SLUICE_HTTP_PORT: '0',
      SLUICE_LOG_LEVEL: 'error',
      SLUICE_TOKEN_SECRETS: 's'.repeat(32),
      SLUICE_OPERATOR_KEYS: OPERATOR_KEY,
      SLUICE_KEY_CACHE_TTL: '1h',
      ...env,
    }),
  );
  const host = createAppHost(toHostConfig('query', values));
  const service = serveParts(host, [await createQueryPart(host, toQueryConfig(values))]);
  const { url } = await service.start();
  const readModel = await host.engine.readModel();
  let parkedIndex = 0;
  return {
    host,
    call: (path, { json, ...options } = {}) =>
      send(url, path, { method: 'GET', ...options, ...(typeof json === 'string' ? { raw: json } : { json }) }),
    key: async (workspaceId, role) =>
      (await issueApiKey(await host.engine.apiKeys(), { workspaceId, role, name: role })).apiKey,
    token: async (workspaceId, sandboxId) =>
      (await (await host.access()).mintAccessToken({ workspaceId, sandboxId })).accessToken,
    record: async (...envelopes) =>
      (await readModel.record({ envelopes, parked: [], checkpoints: new Map() })).recorded,
    park: async (...values) => {
      const parked = values.map(({ value, reason = 'invalid_envelope', ...rest }): ParkedRecord => ({
        lane: 0 as Lane,
        index: parkedIndex++,
        value: typeof value === 'string' ? new TextEncoder().encode(value) : value,
        reason,
        detail: 'for a test',
        ...rest,
      }));
      await readModel.record({ envelopes: [], parked, checkpoints: new Map() });
    },
    stop: () => service.destroy(),
  };
}

export const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);
