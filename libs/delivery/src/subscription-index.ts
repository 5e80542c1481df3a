import type { EventFilter } from '@sluice/event-log';
import type { FeedEvent } from './feed-event';
import type { RemovedPlace } from './feed-slot';

export interface IndexedSubscription {
  readonly filter: EventFilter;
  /** Given every event of the filter's workspaces and entities; it checks the rest of its filter itself. */
  offer(event: FeedEvent): void;
  /** Told of every place of a removed event in the filter's workspaces; more than once, where it names several entities. */
  pass(place: RemovedPlace): void;
}

interface WorkspaceEntry {
  /** Subscriptions to any entity of the workspace. */
  readonly whole: Set<IndexedSubscription>;
  readonly byEntityId: Map<string, Set<IndexedSubscription>>;
}

/** Finds the live subscriptions that an event may concern without asking all of them. */
export class SubscriptionIndex {
  private readonly workspaces = new Map<number, WorkspaceEntry>();
  private readonly subscriptions = new Set<IndexedSubscription>();

  get size(): number {
    return this.subscriptions.size;
  }

  /** Keys in use; 0 when there is no subscription. */
  get terms(): number {
    let terms = 0;
    for (const { byEntityId } of this.workspaces.values()) terms += 1 + byEntityId.size;
    return terms;
  }

  add(subscription: IndexedSubscription): void {
    this.subscriptions.add(subscription);
    const { workspaceIds, entityIds } = subscription.filter;
    for (const workspaceId of workspaceIds) {
      const entry: WorkspaceEntry = this.workspaces.get(workspaceId) ?? { whole: new Set(), byEntityId: new Map() };
      this.workspaces.set(workspaceId, entry);
      if (!entityIds) entry.whole.add(subscription);
      for (const entityId of entityIds ?? []) {
        const subscribers = entry.byEntityId.get(entityId);
        if (subscribers) subscribers.add(subscription);
        else entry.byEntityId.set(entityId, new Set([subscription]));
      }
    }
  }

  remove(subscription: IndexedSubscription): void {
    if (!this.subscriptions.delete(subscription)) return;
    const { workspaceIds, entityIds } = subscription.filter;
    for (const workspaceId of workspaceIds) {
      const entry = this.workspaces.get(workspaceId);
      if (!entry) continue;
      entry.whole.delete(subscription);
      for (const entityId of entityIds ?? []) {
        const subscribers = entry.byEntityId.get(entityId);
        subscribers?.delete(subscription);
        if (subscribers?.size === 0) entry.byEntityId.delete(entityId);
      }
      if (entry.whole.size === 0 && entry.byEntityId.size === 0) this.workspaces.delete(workspaceId);
    }
  }

  pass(place: RemovedPlace): void {
    const entry = this.workspaces.get(place.removed.workspaceId);
    if (!entry) return;
    for (const subscription of entry.whole) subscription.pass(place);
    for (const subscribers of entry.byEntityId.values()) {
      for (const subscription of subscribers) subscription.pass(place);
    }
  }

  /** A subscription may leave while it is offered an event. */
  offer(event: FeedEvent): void {
    const entry = this.workspaces.get(event.event.workspaceId);
    if (!entry) return;
    for (const subscription of entry.whole) subscription.offer(event);
    const subscribers = entry.byEntityId.get(event.event.entityId);
    if (subscribers) for (const subscription of subscribers) subscription.offer(event);
  }
}
