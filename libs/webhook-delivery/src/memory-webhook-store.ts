import { SluiceError, type CursorPlace } from '@sluice/event-log';
import type { DeadLetter, DeliveryEntry, StoredDelivery } from './delivery-log';
import { lastItems, MemoryEndpoint } from './memory-endpoint';
import type { EndpointState, WebhookEndpoint } from './webhook-endpoint';
import {
  MAX_WEBHOOK_PAGE,
  WEBHOOK_RETENTION,
  type DecideChange,
  type DeliveriesQuery,
  type HeldPlace,
  type PastQuery,
  type RecordedDelivery,
  type RenewedGrant,
  type WebhookEndpointChange,
  type WebhookGrant,
  type WebhookLease,
  type WebhookRetention,
  type WebhookStore,
} from './webhook-store';

/** What stores of one process can share. */
export type MemoryEndpoints = Map<string, MemoryEndpoint>;

export interface MemoryWebhookStoreOptions {
  /** Those of another store, so that both are replicas. */
  readonly endpoints?: MemoryEndpoints;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly retention?: WebhookRetention;
}

/** The readable one: keeps everything in this process. */
export class MemoryWebhookStore implements WebhookStore {
  readonly #endpoints: MemoryEndpoints;
  private readonly now: () => number;
  private readonly retention: WebhookRetention;

  constructor({
    endpoints = new Map(),
    now = Date.now,
    retention = WEBHOOK_RETENTION,
  }: MemoryWebhookStoreOptions = {}) {
    this.#endpoints = endpoints;
    this.now = now;
    this.retention = retention;
  }

  async create(endpoint: WebhookEndpoint, place: CursorPlace, mostPerWorkspace: number): Promise<void> {
    const count = [...this.#endpoints.values()].filter((each) => each.workspaceId === endpoint.workspaceId).length;
    if (count >= mostPerWorkspace) throw tooMany(mostPerWorkspace);
    if (this.#endpoints.has(endpoint.endpointId)) throw new SluiceError('conflict', 'The endpoint exists already');
    const made = new MemoryEndpoint(endpoint, place, this.retention);
    made.leasedUntil = this.now();
    this.#endpoints.set(endpoint.endpointId, made);
  }

  async find(workspaceId: number, endpointId: string): Promise<EndpointState | undefined> {
    return this.#of(workspaceId, endpointId)?.state();
  }

  async list(query: Parameters<WebhookStore['list']>[0]): Promise<readonly EndpointState[]> {
    const { workspaceId, after = '', limit } = query;
    return [...this.#endpoints.values()]
      .filter((each) => each.workspaceId === workspaceId && each.endpointId > after)
      .sort((a, b) => (a.endpointId < b.endpointId ? -1 : 1))
      .slice(0, Math.min(limit, MAX_WEBHOOK_PAGE))
      .map((each) => each.state());
  }

  async update(
    workspaceId: number,
    endpointId: string,
    change: WebhookEndpointChange | DecideChange,
  ): Promise<EndpointState | undefined> {
    const endpoint = this.#of(workspaceId, endpointId);
    endpoint?.change(change);
    return endpoint?.state();
  }

  async skip(workspaceId: number, endpointId: string, at: number): Promise<EndpointState | undefined> {
    const endpoint = this.#of(workspaceId, endpointId);
    endpoint?.skip(at);
    return endpoint?.state();
  }

  async remove(workspaceId: number, endpointId: string): Promise<boolean> {
    return this.#of(workspaceId, endpointId) !== undefined && this.#endpoints.delete(endpointId);
  }

  async claim(query: Parameters<WebhookStore['claim']>[0]): Promise<readonly WebhookLease[]> {
    const { holder, leaseMs, limit } = query;
    const nowMs = this.now();
    return [...this.#endpoints.values()]
      .filter((each) => each.isEnabled && each.leasedUntil <= nowMs)
      .sort((a, b) => a.leasedUntil - b.leasedUntil)
      .slice(0, Math.min(limit, MAX_WEBHOOK_PAGE))
      .map((each) => each.lease(holder, nowMs + leaseMs));
  }

  async renew(query: Parameters<WebhookStore['renew']>[0]): Promise<readonly RenewedGrant[]> {
    const until = this.now() + query.leaseMs;
    return query.held.flatMap((held) => this.#granted(held.grant)?.renew(until, held) ?? []);
  }

  async release(held: readonly HeldPlace[]): Promise<void> {
    for (const each of held) this.#granted(each.grant)?.release(each, this.now());
  }

  async load(grant: WebhookGrant): Promise<EndpointState> {
    return this.#held(grant).state();
  }

  async record(grant: WebhookGrant, delivery: RecordedDelivery): Promise<boolean> {
    return this.#held(grant).record(delivery);
  }

  async replays(grant: WebhookGrant, limit: number): Promise<readonly DeadLetter[]> {
    return this.#held(grant).replays(Math.min(limit, MAX_WEBHOOK_PAGE));
  }

  async log(workspaceId: number, endpointId: string, entry: DeliveryEntry): Promise<boolean> {
    const endpoint = this.#of(workspaceId, endpointId);
    endpoint?.keep({ entry });
    return endpoint !== undefined;
  }

  async deliveries({ workspaceId, endpointId, before, limit, outcome, eventId }: DeliveriesQuery) {
    const wanted = this.#of(workspaceId, endpointId)?.deliveries.filter(
      (each) =>
        (outcome === undefined || each.outcome === outcome) && (eventId === undefined || each.eventId === eventId),
    );
    return wanted && lastItems<StoredDelivery>(wanted, ({ deliveryId }) => deliveryId, before, limit);
  }

  async deadLetters({ workspaceId, endpointId, before, limit }: PastQuery) {
    const endpoint = this.#of(workspaceId, endpointId);
    return endpoint && lastItems<DeadLetter>(endpoint.deadLetters, ({ deadLetterId }) => deadLetterId, before, limit);
  }

  async replay(query: Parameters<WebhookStore['replay']>[0]): Promise<number | undefined> {
    return this.#of(query.workspaceId, query.endpointId)?.letReplay(query.deadLetterIds, query.replayAt);
  }

  async redeliver(query: Parameters<WebhookStore['redeliver']>[0]): Promise<number | undefined> {
    const { workspaceId, endpointId, letters, replayAt, mostWaiting } = query;
    return this.#of(workspaceId, endpointId)?.redeliver(letters, replayAt, mostWaiting);
  }

  async cancelReplays(workspaceId: number, endpointId: string): Promise<number | undefined> {
    return this.#of(workspaceId, endpointId)?.cancelReplays();
  }

  async countUnattended(forMs: number): Promise<number> {
    const before = this.now() - forMs;
    return [...this.#endpoints.values()].filter((each) => each.isEnabled && each.leasedUntil < before).length;
  }

  async prune({ deliveriesBefore, deadLettersBefore, limit }: Parameters<WebhookStore['prune']>[0]) {
    const pruned = { deliveries: 0, deadLetters: 0 };
    for (const endpoint of this.#endpoints.values()) {
      pruned.deliveries += endpoint.pruneDeliveries(deliveriesBefore, limit - pruned.deliveries);
      pruned.deadLetters += endpoint.pruneDeadLetters(deadLettersBefore, limit - pruned.deadLetters);
    }
    return pruned;
  }

  #of(workspaceId: number, endpointId: string): MemoryEndpoint | undefined {
    const endpoint = this.#endpoints.get(endpointId);
    return endpoint?.workspaceId === workspaceId ? endpoint : undefined;
  }

  #granted(grant: WebhookGrant): MemoryEndpoint | undefined {
    const endpoint = this.#endpoints.get(grant.endpointId);
    return endpoint?.isHeldBy(grant, this.now()) === true ? endpoint : undefined;
  }

  /** @throws SluiceError `conflict` */
  #held(grant: WebhookGrant): MemoryEndpoint {
    const endpoint = this.#granted(grant);
    if (endpoint === undefined) throw new SluiceError('conflict', 'The grant of the endpoint is lost');
    return endpoint;
  }
}

function tooMany(mostPerWorkspace: number): SluiceError {
  return new SluiceError('conflict', `The workspace has ${mostPerWorkspace} endpoints already: delete one first`);
}
