import { SluiceError, type CursorPlace } from '@sluice/event-log';
import { changedEndpoint, skippedHead } from './changed-endpoint';
import type { DeadLetter, NewDeadLetter, StoredDelivery } from './delivery-log';
import type { EndpointProgress, EndpointState, WebhookEndpoint } from './webhook-endpoint';
import {
  MAX_WEBHOOK_PAGE,
  type DecideChange,
  type HeldPlace,
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
  private progressVersion = 1;
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
    return detached({ endpoint: this.endpoint, progress: this.progress, progressVersion: this.progressVersion });
  }

  change(change: WebhookEndpointChange | DecideChange): void {
    const before = this.state();
    this.become(changedEndpoint(before, typeof change === 'function' ? change(before) : change));
  }

  /** @throws SluiceError `conflict` */
  skip(at: number): void {
    const skipped = skippedHead(this.state(), at);
    if (skipped === undefined) throw new SluiceError('conflict', 'Nothing waits to be tried again');
    this.record(skipped);
    this.endpoint = { ...this.endpoint, version: this.endpoint.version + 1 };
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

  renew(until: number, held: HeldPlace): RenewedGrant {
    this.leasedUntil = until;
    this.moveTo(held);
    const { version } = this.endpoint;
    return { endpointId: this.endpointId, version, isEnabled: this.isEnabled, hasReplays: this.hasReplays };
  }

  release(held: HeldPlace, nowMs: number): void {
    this.moveTo(held);
    this.holder = undefined;
    this.leasedUntil = nowMs;
  }

  record({ progressVersion, ...delivery }: RecordedDelivery): boolean {
    if (progressVersion !== undefined && progressVersion !== this.progressVersion) return false;
    this.progressVersion += 1;
    this.keep(delivery);
    return true;
  }

  /** What changes nothing of how far it is. */
  keep({ entry, progress, deadLetter, disabled, replayed }: RecordedDelivery): void {
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

  redeliver(letters: readonly NewDeadLetter[], replayAt: number, mostWaiting: number): number {
    const waiting = this.deadLetters.filter((letter) => letter.replayAt !== undefined).length + letters.length;
    if (letters.length > 0 && waiting > mostWaiting) throw tooManyWait(mostWaiting);
    for (const letter of letters) {
      this.deadLetters.push({ ...detached(letter), deadLetterId: ++this.lastDeliveryId, deadAt: replayAt, replayAt });
    }
    this.deadLetters = this.deadLetters.slice(-this.retention.deadLettersPerEndpoint);
    return waiting;
  }

  cancelReplays(): number {
    const waiting = this.deadLetters.filter(({ replayAt }) => replayAt !== undefined).length;
    this.deadLetters = this.deadLetters.map(({ replayAt: _, ...letter }) => letter);
    return waiting;
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

  private become({ endpoint, progress, progressVersion }: EndpointState): void {
    this.endpoint = detached(endpoint);
    this.progress = progress;
    this.progressVersion = progressVersion;
  }

  /** A place of another numbering says nothing about this one. */
  private moveTo({ place, progressVersion }: HeldPlace): void {
    const { epoch, position } = this.progress.place;
    if (progressVersion !== this.progressVersion) return;
    if (place.epoch === epoch && place.position > position) this.progress = { ...this.progress, place };
  }

  private settleReplay({ deadLetterId, isDelivered }: NonNullable<RecordedDelivery['replayed']>): void {
    this.deadLetters = this.deadLetters.flatMap((letter) => {
      if (letter.deadLetterId !== deadLetterId) return [letter];
      const { replayAt: _, ...rest } = letter;
      return isDelivered ? [] : [rest];
    });
  }
}

/** What `redeliver` throws beyond what may wait. */
export function tooManyWait(mostWaiting: number): SluiceError {
  return new SluiceError('conflict', `At most ${mostWaiting} events wait to be sent again: let them be sent first`);
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
