import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { issueApiKey, type WorkspaceRole } from '@sluice/access';
import { createAppHost, serveParts, toHostConfig, type AppHost } from '@sluice/engine';
import type { DurableLog } from '@sluice/event-log';
import { createLogger, parseSettings, readEnv, type ServiceLogger } from '@sluice/service-runtime';
import { settings, toIngestConfig } from '../src/config';
import { createIngestPart } from '../src/ingest-part';
import { send, type Answer, type SendOptions, TestProjection } from '@sluice/engine/conformance';

export const OPERATOR_KEY = `sk_${'o'.repeat(43)}`;
export const SECRET = 's'.repeat(32);

export interface IngestService {
  readonly url: string;
  readonly host: AppHost;
  readonly projection: TestProjection;
  /** `POST /events` with a JSON body. */
  post(body: unknown, options?: SendOptions): Promise<Answer>;
  send(path: string, options: SendOptions): Promise<Answer>;
  key(role: WorkspaceRole, limits?: { requestsPerSecond: number; burst: number }): Promise<string>;
  token(sandboxId?: string): Promise<string>;
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Stands before the engine's log. */
  readonly wrapLog?: (log: DurableLog) => DurableLog;
  /** Gets the lines that the app itself logs, of all levels. */
  readonly logTo?: (line: Record<string, unknown>) => void;
}

/** The ingest app on a real port and the memory engine, with a projection that can be paused. */
export async function startIngest({
  env = {},
  wrapLog = (log) => log,
  logTo,
}: StartOptions = {}): Promise<IngestService> {
  const values = parseSettings(
    settings,
    readEnv(settings, {
      SLUICE_ENGINE: 'memory',
      SLUICE_HTTP_HOST: '127.0.0.1',
      SLUICE_HTTP_PORT: '0',
      SLUICE_LOG_LEVEL: 'silent',
      SLUICE_TOKEN_SECRETS: SECRET,
      SLUICE_OPERATOR_KEYS: OPERATOR_KEY,
      ...env,
    }),
  );
  const opened = createAppHost(toHostConfig('ingest', values));
  const log = wrapLog(await opened.engine.durableLog());
  const host: AppHost = { ...opened, engine: { ...opened.engine, durableLog: () => Promise.resolve(log) } };
  const part = await createIngestPart(logTo ? { ...host, logger: loggerTo(logTo) } : host, toIngestConfig(values));
  const service = serveParts(host, [part]);
  const { url } = await service.start();
  const projection = await TestProjection.start(opened.engine);
  return {
    url,
    host,
    projection,
    post: (body, options = {}) => send(url, '/events', { method: 'POST', json: body, ...options }),
    send: (path, options) => send(url, path, options),
    key: async (role, limits) => {
      const request = { workspaceId: 1, role, name: role, ...(limits && { limits }) };
      return (await issueApiKey(await host.engine.apiKeys(), request)).apiKey;
    },
    token: async (sandboxId = 'sandbox-123') =>
      (await (await host.access()).mintAccessToken({ workspaceId: 1, sandboxId })).accessToken,
    metrics: async () => (await send(url, '/metrics', { method: 'GET' })).text,
    stop: async () => {
      await projection.stop();
      await service.destroy();
    },
  };
}

function loggerTo(logTo: (line: Record<string, unknown>) => void): ServiceLogger {
  return createLogger({
    service: 'ingest',
    level: 'debug',
    destination: {
      write: (text) => {
        const { time: _time, service: _service, ...line } = JSON.parse(text) as Record<string, unknown>;
        logTo(line);
      },
    },
  });
}

/** A token with any header and claims, signed by HS256, or not at all. */
export function forgeToken(claims: object, header: object = { alg: 'HS256' }, secret: string | null = SECRET): string {
  const head = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = secret === null ? '' : createHmac('sha256', secret).update(head).digest('base64url');
  return `${head}.${signature}`;
}

/** Writes bytes to the server and gives all that it says until it closes. */
export function exchange(url: string, ...parts: (string | Buffer)[]): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => parts.forEach((part) => socket.write(part)));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // A reset ends it too; what was said before is the answer.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}

export const times = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
