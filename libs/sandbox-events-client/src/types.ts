import type { ConnectionOptions } from 'node:tls';

/** An event as the server gives it back. */
export interface SandboxEvent {
  id: string;
  sandboxId: string;
  workspaceId: number;
  type: string;
  data: Record<string, unknown>;
  /** Unix time in milliseconds. */
  timestamp: number;
  /** Opaque place of this event in the log: reading can go on strictly after it. Absent on servers without cursors. */
  cursor?: string;
}

/** When the server answers a store: once the durable log has the event, or once it can also be read back (default). */
export type AckLevel = 'log' | 'projected';

/** Order of a page by place in the log: oldest first (default) or newest first. */
export type EventOrder = 'asc' | 'desc';

/** What to read. */
export interface GetEventsOptions {
  /** Only this type. */
  type?: string | undefined;
  /** Only events after this Unix time in milliseconds; 0 is a time like any other. */
  since?: number | undefined;
  /** Most events to return: default 100; values outside of 1..1000 are clamped. */
  limit?: number | undefined;
  /** Go on from here: the `nextCursor` of a page, or the `cursor` of an event. */
  cursor?: string | undefined;
  /** Only these types. A type in this list has no comma. */
  types?: readonly string[] | undefined;
  /** Only events up to this Unix time in milliseconds. */
  until?: number | undefined;
  /** Order of the result (default `asc`). */
  order?: EventOrder | undefined;
}

/** One page of events. */
export interface EventsPage {
  events: SandboxEvent[];
  /** Number of events in this page. */
  count: number;
  /** Give it as `cursor` to get the next page; undefined at the end. */
  nextCursor: string | undefined;
}

/** The event to store. */
export interface StoreEventInput {
  /** Event type, for example `execution.started`. */
  type: string;
  /** Any JSON object; `{}` when left out. */
  data?: Record<string, unknown> | undefined;
}

/** How to store. */
export interface StoreCallOptions {
  /**
   * Key under which the server stores at most once. Made at random for each call when left out and kept for all of its
   * retries. Give your own to make calls safe to repeat: 1 to 255 visible ASCII characters.
   */
  idempotencyKey?: string | undefined;
  /** When the server is to answer (its default is `projected`). */
  ack?: AckLevel | undefined;
}

/** The event to store, and how. */
export interface StoreEventOptions extends StoreEventInput, StoreCallOptions {}

/** What was stored. */
export interface StoreEventResult {
  eventId: string;
  sandboxId: string;
  type: string;
  /** Unix time in milliseconds. */
  timestamp: number;
}

/** What a batch stored, in the order of the batch. */
export interface StoreEventsResult {
  events: StoreEventResult[];
  count: number;
}

/** Configuration of the HTTP client. */
export interface EventsClientConfig {
  /** Base URL; a slash at its end is ignored (default: COMPUTESDK_GATEWAY_URL, else "https://events.computesdk.com"). */
  gatewayUrl?: string | undefined;
  /** API key, for reading events (default: COMPUTESDK_API_KEY). */
  apiKey?: string | undefined;
  /** JWT access token, for storing events from a sandbox (default: COMPUTESDK_ACCESS_TOKEN). */
  accessToken?: string | undefined;
  /** Time limit of one call in milliseconds: all attempts, the waits between them and the body (default: 30000). */
  timeout?: number | undefined;
  /** Retries after a network failure, 429 or 5xx (default: 3; 0 = none; at most 10). */
  retries?: number | undefined;
  /** Upper bound of the first back-off in milliseconds; it doubles up to 10 s (default: 200). */
  retryDelayMs?: number | undefined;
}

/** Configuration of the pub/sub client. */
export interface PubSubClientConfig {
  /** Host (default: COMPUTESDK_PUBSUB_HOST, else "events.computesdk.com"). */
  host?: string | undefined;
  /** Port (default: COMPUTESDK_PUBSUB_PORT, else 6380). */
  port?: number | undefined;
  /** JWT access token (default: COMPUTESDK_ACCESS_TOKEN). */
  accessToken?: string | undefined;
  /** Sandbox to subscribe to. */
  sandboxId: string;
  /** Reconnect when an established connection is lost (default: true). */
  autoReconnect?: boolean | undefined;
  /** First reconnect delay in milliseconds; it doubles up to 30 s (default: 1000). */
  reconnectDelay?: number | undefined;
  /** Start strictly after this cursor instead of at the end of the log. */
  cursor?: string | undefined;
  /** TLS: true, or options of `tls.connect` such as `ca` (default: false). */
  tls?: boolean | ConnectionOptions | undefined;
  /** Send a PING this often, in milliseconds (default: 15000; 0 = never). */
  heartbeatIntervalMs?: number | undefined;
  /** Give the connection up when a PING stays without any byte for so long, in milliseconds (default: 30000). */
  heartbeatTimeoutMs?: number | undefined;
  /** Time limit from TCP connect to the answer to SUBSCRIBE, in milliseconds (default: 15000). */
  connectTimeoutMs?: number | undefined;
  /** Events that may wait for a slow `for await` before the socket is paused (default: 1000). */
  maxQueuedEvents?: number | undefined;
}

/** Listener of 'event'. */
export type EventListener = (event: SandboxEvent) => void;

/** State of the live connection; 'error' is final until `connect()` is called again. */
export type ConnectionState = 'disconnected' | 'connecting' | 'connected' | 'error';

/** The server could not honour the cursor: what lies between it and `cursor` has to be read in another way. */
export interface PubSubReset {
  /** Where the stream goes on. */
  cursor: string;
  /** Why, in the server's words. */
  reason: string;
}

/** Events of the pub/sub client and the arguments of their listeners. */
export interface PubSubEventMap {
  event: [event: SandboxEvent];
  connect: [];
  disconnect: [];
  error: [error: Error];
  reset: [reset: PubSubReset];
}
