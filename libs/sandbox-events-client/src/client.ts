import { randomUUID } from 'node:crypto';
import { resolveClientConfig, type EventsClientSettings } from './config';
import { MAX_LIMIT } from './constants';
import { EventsAuthError, EventsError } from './errors';
import { callServer, invalidResponse, isObject, type HttpSuccess } from './http';
import { eventsPath, eventsQuery } from './query';
import type {
  EventsClientConfig,
  EventsPage,
  GetEventsOptions,
  SandboxEvent,
  StoreCallOptions,
  StoreEventInput,
  StoreEventOptions,
  StoreEventResult,
  StoreEventsResult,
} from './types';

/**
 * HTTP client for storing and reading events.
 *
 * Every call ends within `timeout`, retries included. Network failures, 429 and 5xx are retried; a store carries an
 * `Idempotency-Key` that stays the same over its retries, so a retry never stores twice.
 */
export class EventsClient {
  private readonly settings: EventsClientSettings;

  constructor(config: EventsClientConfig = {}) {
    this.settings = resolveClientConfig(config);
  }

  /**
   * Stores one event of the sandbox that the access token names.
   *
   * @throws EventsAuthError without a token or on 401, EventsNetworkError when no answer came, EventsError otherwise
   */
  async storeEvent(options: StoreEventOptions): Promise<StoreEventResult> {
    const success = await this.post({ type: options.type, data: options.data ?? {} }, options);
    return storeResultOf(success.data, success.status);
  }

  /**
   * Stores several events of the sandbox that the access token names, in this order, all under one idempotency key.
   * An empty list is done without a request. Errors: as for {@link storeEvent}.
   */
  async storeEvents(events: readonly StoreEventInput[], options: StoreCallOptions = {}): Promise<StoreEventsResult> {
    if (events.length === 0) return { events: [], count: 0 };
    const body = { events: events.map(({ type, data }) => ({ type, data: data ?? {} })) };
    const { data, status } = await this.post(body, options);
    if (!Array.isArray(data['events'])) throw invalidResponse(status);
    const results = data['events'].map((entry: unknown) => storeResultOf(entry, status));
    return { events: results, count: results.length };
  }

  /**
   * Reads events of a sandbox, oldest first unless `order` says otherwise.
   *
   * @throws EventsAuthError without an API key or on 401, EventsNetworkError when no answer came, EventsError otherwise
   */
  async getEvents(sandboxId: string, options: GetEventsOptions = {}): Promise<SandboxEvent[]> {
    return (await this.getEventsPage(sandboxId, options)).events;
  }

  /** Reads one page of events together with the cursor of the next one. Errors: as for {@link getEvents}. */
  async getEventsPage(sandboxId: string, options: GetEventsOptions = {}): Promise<EventsPage> {
    const { apiKey } = this.settings;
    if (!apiKey) {
      throw new EventsAuthError('Reading events needs an API key: set apiKey or COMPUTESDK_API_KEY.');
    }
    const { data, status } = await this.call('GET', eventsPath(sandboxId) + eventsQuery(options), {
      'X-API-Key': apiKey,
    });
    if (!Array.isArray(data['events'])) throw invalidResponse(status);
    const events = data['events'] as SandboxEvent[];
    const nextCursor = data['nextCursor'];
    return {
      events,
      count: events.length,
      nextCursor: typeof nextCursor === 'string' && nextCursor !== '' ? nextCursor : undefined,
    };
  }

  /**
   * Reads all events that match, page after page; `limit` is the size of a page (default 1000 here).
   * Errors: as for {@link getEvents}, and EventsError when the server's pages do not advance.
   */
  async *iterateEvents(
    sandboxId: string,
    options: GetEventsOptions = {},
  ): AsyncGenerator<SandboxEvent, void, undefined> {
    let cursor = options.cursor;
    for (;;) {
      const page = await this.getEventsPage(sandboxId, { ...options, limit: options.limit ?? MAX_LIMIT, cursor });
      yield* page.events;
      if (page.nextCursor === undefined) return;
      if (page.nextCursor === cursor) throw new EventsError('The server answered with the same page cursor twice');
      cursor = page.nextCursor;
    }
  }

  /** Replaces the API key for later calls. */
  setApiKey(apiKey: string): void {
    this.settings.apiKey = apiKey;
  }

  /** Replaces the access token for later calls. */
  setAccessToken(token: string): void {
    this.settings.accessToken = token;
  }

  private post(body: unknown, options: StoreCallOptions): Promise<HttpSuccess> {
    const { accessToken } = this.settings;
    if (!accessToken) {
      throw new EventsAuthError('Storing events needs an access token: set accessToken or COMPUTESDK_ACCESS_TOKEN.');
    }
    const headers = {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${accessToken}`,
      'Idempotency-Key': checkedKey(options.idempotencyKey ?? randomUUID()),
    };
    const path = options.ack === undefined ? '/events' : `/events?ack=${encodeURIComponent(options.ack)}`;
    return this.call('POST', path, headers, encode(body));
  }

  private call(
    method: 'GET' | 'POST',
    path: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<HttpSuccess> {
    const { gatewayUrl, timeoutMs, retries, retryDelayMs } = this.settings;
    const call = { method, url: `${gatewayUrl}${path}`, headers, timeoutMs, retries, retryDelayMs };
    return callServer(body === undefined ? call : { ...call, body });
  }
}

/** Makes an HTTP client; whatever is left out comes from the environment, then from the defaults. */
export function createEventsClient(config: EventsClientConfig = {}): EventsClient {
  return new EventsClient(config);
}

function checkedKey(key: string): string {
  if (!/^[!-~]{1,255}$/.test(key)) throw new EventsError('idempotencyKey needs 1 to 255 visible ASCII characters');
  return key;
}

function encode(body: unknown): string {
  try {
    return JSON.stringify(body);
  } catch (error) {
    const wrapped = new EventsError('Event data cannot be written as JSON');
    wrapped.cause = error;
    throw wrapped;
  }
}

function storeResultOf(value: unknown, status: number): StoreEventResult {
  if (!isObject(value)) throw invalidResponse(status);
  const { eventId, sandboxId, type, timestamp } = value;
  if (
    typeof eventId !== 'string' ||
    typeof sandboxId !== 'string' ||
    typeof type !== 'string' ||
    typeof timestamp !== 'number'
  ) {
    throw invalidResponse(status);
  }
  return { eventId, sandboxId, type, timestamp };
}
