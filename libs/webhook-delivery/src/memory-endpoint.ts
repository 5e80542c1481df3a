import type { CursorPlace } from '@sluice/event-log';
import { changedEndpoint } from './changed-endpoint';
import type { DeadLetter, StoredDelivery } from './delivery-log';
import type { EndpointProgress, EndpointState, WebhookEndpoint } from './webhook-endpoint';
import {
  MAX_WEBHOOK_PAGE,
  type RecordedDelivery,
  type RenewedGrant,
  type WebhookEndpointChange,
  type WebhookGrant,
  type WebhookLease,
  type WebhookRetention,
} from './webhook-store';

/** One endpoint of the store in memory. */
export class MemoryEndpoint {
  deliveries: StoredDelivery[] = [];
  deadLetters: DeadLetter[] = [];
  leasedUntil = 0;
  private endpoint: WebhookEndpoint;
  private progress: EndpointProgress;
  private holder: string | undefined;
  private fencingToken = 0;
  private lastDeliveryId = 0;

  constructor(
    endpoint: WebhookEndpoint,
    place: CursorPlace,
    private readonly retention: WebhookRetention,
  ) {
    this.endpoint = detached(endpoint);
    this.progress = { place };
  }

  get endpointId(): string {
    return this.endpoint.endpointId;
  }

  get workspaceId(): number {
    return this.endpoint.workspaceId;
  }

  get isEnabled(): boolean {
    return this.endpoint.disabled === undefined;
  }

  state(): EndpointState {
    return detached({ endpoint: this.endpoint, progress: this.progress });
  }

  change(change: WebhookEndpointChange): void {
    const { endpoint, progress } = changedEndpoint(this.state(), change);
    this.endpoint = detached(endpoint);
    this.progress = progress;
  }

  isHeldBy({ holder, fencingToken }: WebhookGrant, nowMs: number): boolean {
    return this.holder === holder && this.fencingToken === fencingToken && this.leasedUntil > nowMs;
  }

  lease(holder: string, until: number): WebhookLease {
    this.holder = holder;
    this.fencingToken += 1;
    this.leasedUntil = until;
    const grant = { endpointId: this.endpointId, holder, fencingToken: this.fencingToken };
    return { ...this.state(), grant, hasReplays: this.hasReplays };
  }

  renew(until: number, place: CursorPlace): RenewedGrant {
    this.leasedUntil = until;
    this.moveTo(place);
    const { version } = this.endpoint;
    return { endpointId: this.endpointId, version, isEnabled: this.isEnabled, hasReplays: this.hasReplays };
  }

  release(place: CursorPlace, nowMs: number): void {
    this.moveTo(place);
    this.holder = undefined;
    this.leasedUntil = nowMs;
  }

  record({ entry, progress, deadLetter, disabled, replayed }: RecordedDelivery): void {
    const deliveryId = ++this.lastDeliveryId;
    this.deliveries.push(detached({ ...entry, deliveryId }));
    this.deliveries = this.deliveries.slice(-this.retention.deliveriesPerEndpoint);
    if (progress) this.progress = detached(progress);
    if (disabled) this.endpoint = { ...this.endpoint, disabled };
    if (deadLetter) {
      this.deadLetters.push({ ...detached(deadLetter), deadLetterId: deliveryId, deadAt: entry.at });
      this.deadLetters = this.deadLetters.slice(-this.retention.deadLettersPerEndpoint);
    }
    if (replayed) this.settleReplay(replayed);
  }

  replays(limit: number): readonly DeadLetter[] {
    return this.deadLetters
      .filter(({ replayAt }) => replayAt !== undefined)
      .sort((a, b) => (a.replayAt ?? 0) - (b.replayAt ?? 0) || a.deadLetterId - b.deadLetterId)
      .slice(0, limit);
  }

  letReplay(ids: readonly number[] | 'all', replayAt: number): number {
    let count = 0;
    this.deadLetters = this.deadLetters.map((letter) => {
      const isWanted = ids === 'all' || ids.includes(letter.deadLetterId);
      if (!isWanted || letter.replayAt !== undefined) return letter;
      count += 1;
      return { ...letter, replayAt };
    });
    return count;
  }

  pruneDeliveries(before: number, limit: number): number {
    const old = this.deliveries.filter(({ at }) => at < before).slice(0, limit);
    this.deliveries = this.deliveries.filter((delivery) => !old.includes(delivery));
    return old.length;
  }

  pruneDeadLetters(before: number, limit: number): number {
    const old = this.deadLetters.filter(({ deadAt }) => deadAt < before).slice(0, limit);
    this.deadLetters = this.deadLetters.filter((letter) => !old.includes(letter));
    return old.length;
  }

  private get hasReplays(): boolean {
    return this.deadLetters.some(({ replayAt }) => replayAt !== undefined);
  }

  /** A place of another numbering says nothing about this one. */
  private moveTo({ epoch, position }: CursorPlace): void {
    const { place } = this.progress;
    if (epoch === place.epoch && position > place.position)
      this.progress = { ...this.progress, place: { epoch, position } };
  }

  private settleReplay({ deadLetterId, isDelivered }: NonNullable<RecordedDelivery['replayed']>): void {
    this.deadLetters = this.deadLetters.flatMap((letter) => {
      if (letter.deadLetterId !== deadLetterId) return [letter];
      const { replayAt: _, ...rest } = letter;
      return isDelivered ? [] : [rest];
    });
  }
}

/** The newest first, at most a page. */
export function lastItems<T>(
  items: readonly T[],
  idOf: (item: T) => number,
  before: number | undefined,
  limit: number,
): readonly T[] {
  const older = before === undefined ? items : items.filter((item) => idOf(item) < before);
  return older.slice(-Math.min(limit, MAX_WEBHOOK_PAGE)).reverse();
}

/** A value as a store gives it back: JSON, without members that are undefined. */
function detached<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
