import type { EventEnvelope } from '@sluice/event-schema';
import type { WorkspaceSignals } from '../signals';

/** A change that could not be read in time. */
export interface UnreadChange {
  readonly eventId: string;
  /** The command that made it, where it had a key. */
  readonly commandId: string | undefined;
}

/** Most entities whose newest change is remembered; the one that changed first is forgotten beyond it. */
const MAX_REMEMBERED_ENTITIES = 20_000;

/**
 * Of each entity, the newest change that this process wrote and that could not be read in time: what is read of the
 * entity until then is older than that.
 */
export class UnreadChanges {
  private readonly newest = new Map<string, UnreadChange>();

  constructor(
    private readonly signals: Pick<WorkspaceSignals, 'unreadForgotten'>,
    private readonly maxEntities = MAX_REMEMBERED_ENTITIES,
  ) {}

  add({ workspaceId, entityId, id: eventId }: EventEnvelope, commandId: string | undefined): void {
    const key = keyOf(workspaceId, entityId);
    this.newest.delete(key);
    this.newest.set(key, { eventId, commandId });
    if (this.newest.size <= this.maxEntities) return;
    const [oldest] = this.newest.keys();
    if (oldest === undefined) return;
    this.newest.delete(oldest);
    this.signals.unreadForgotten();
  }

  of(workspaceId: number, entityId: string): UnreadChange | undefined {
    return this.newest.get(keyOf(workspaceId, entityId));
  }

  /** It can be read now. Without effect when there is a newer one. */
  remove(workspaceId: number, entityId: string, change: UnreadChange): void {
    const key = keyOf(workspaceId, entityId);
    if (this.newest.get(key) === change) this.newest.delete(key);
  }
}

const keyOf = (workspaceId: number, entityId: string) => `${workspaceId}/${entityId}`;
