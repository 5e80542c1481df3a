import {
  DEFAULT_CONNECT_TIMEOUT_MS,
  DEFAULT_GATEWAY_URL,
  DEFAULT_HEARTBEAT_INTERVAL_MS,
  DEFAULT_HEARTBEAT_TIMEOUT_MS,
  DEFAULT_MAX_QUEUED_EVENTS,
  DEFAULT_PUBSUB_HOST,
  DEFAULT_PUBSUB_PORT,
  DEFAULT_RECONNECT_DELAY,
  DEFAULT_RETRIES,
  DEFAULT_RETRY_DELAY_MS,
  DEFAULT_TIMEOUT,
  MAX_RETRIES,
  MAX_TIMER_MS,
} from './constants';
import type { EventsClientConfig, PubSubClientConfig } from './types';

/** What the HTTP client runs with. */
export interface EventsClientSettings {
  gatewayUrl: string;
  apiKey: string | undefined;
  accessToken: string | undefined;
  timeoutMs: number;
  retries: number;
  retryDelayMs: number;
}

/** What the pub/sub client runs with. */
export interface PubSubSettings {
  host: string;
  port: number;
  accessToken: string | undefined;
  sandboxId: string;
  cursor: string | undefined;
  tls: NonNullable<PubSubClientConfig['tls']>;
  autoReconnect: boolean;
  reconnectDelayMs: number;
  heartbeatIntervalMs: number;
  heartbeatTimeoutMs: number;
  connectTimeoutMs: number;
  maxQueuedEvents: number;
}

interface Environment {
  apiKey: string | undefined;
  accessToken: string | undefined;
  gatewayUrl: string | undefined;
  pubsubHost: string | undefined;
  pubsubPort: string | undefined;
}

function readEnvironment(): Environment {
  const env = process.env;
  return {
    apiKey: env['COMPUTESDK_API_KEY'] || undefined,
    accessToken: env['COMPUTESDK_ACCESS_TOKEN'] || undefined,
    gatewayUrl: env['COMPUTESDK_GATEWAY_URL'] || undefined,
    pubsubHost: env['COMPUTESDK_PUBSUB_HOST'] || undefined,
    pubsubPort: env['COMPUTESDK_PUBSUB_PORT'] || undefined,
  };
}

/** Settings of the HTTP client: configuration, then environment, then defaults. An empty string counts as not given. */
export function resolveClientConfig(config: EventsClientConfig): EventsClientSettings {
  const env = readEnvironment();
  return {
    gatewayUrl: withoutSlashes(config.gatewayUrl || env.gatewayUrl || DEFAULT_GATEWAY_URL),
    apiKey: config.apiKey || env.apiKey,
    accessToken: config.accessToken || env.accessToken,
    timeoutMs: positiveMs(config.timeout, DEFAULT_TIMEOUT),
    retries: retryCount(config.retries),
    retryDelayMs: positiveMs(config.retryDelayMs, DEFAULT_RETRY_DELAY_MS),
  };
}

/** Settings of the pub/sub client: configuration, then environment, then defaults. */
export function resolvePubSubConfig(config: PubSubClientConfig): PubSubSettings {
  const env = readEnvironment();
  return {
    host: config.host || env.pubsubHost || DEFAULT_PUBSUB_HOST,
    port: portOf(config.port) ?? portOf(Number(env.pubsubPort ?? Number.NaN)) ?? DEFAULT_PUBSUB_PORT,
    accessToken: config.accessToken || env.accessToken,
    sandboxId: config.sandboxId,
    cursor: config.cursor || undefined,
    tls: config.tls ?? false,
    autoReconnect: config.autoReconnect ?? true,
    reconnectDelayMs: positiveMs(config.reconnectDelay, DEFAULT_RECONNECT_DELAY),
    heartbeatIntervalMs:
      config.heartbeatIntervalMs === 0 ? 0 : positiveMs(config.heartbeatIntervalMs, DEFAULT_HEARTBEAT_INTERVAL_MS),
    heartbeatTimeoutMs: positiveMs(config.heartbeatTimeoutMs, DEFAULT_HEARTBEAT_TIMEOUT_MS),
    connectTimeoutMs: positiveMs(config.connectTimeoutMs, DEFAULT_CONNECT_TIMEOUT_MS),
    maxQueuedEvents: Math.max(1, Math.trunc(positiveMs(config.maxQueuedEvents, DEFAULT_MAX_QUEUED_EVENTS))),
  };
}

function withoutSlashes(url: string): string {
  let end = url.length;
  while (end > 0 && url[end - 1] === '/') end -= 1;
  return url.slice(0, end);
}

function positiveMs(value: number | undefined, fallback: number): number {
  if (value === undefined || !(value > 0)) return fallback;
  return Math.min(value, MAX_TIMER_MS);
}

function retryCount(value: number | undefined): number {
  if (value === undefined || Number.isNaN(value)) return DEFAULT_RETRIES;
  return Math.min(Math.max(0, Math.trunc(value)), MAX_RETRIES);
}

function portOf(value: number | undefined): number | undefined {
  return value !== undefined && Number.isInteger(value) && value > 0 && value <= 65_535 ? value : undefined;
}
