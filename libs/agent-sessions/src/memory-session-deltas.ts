import type { SessionDelta } from '@sluice/event-schema';
import type { SessionDeltas, SessionDeltasFollower, SessionScope } from './session-deltas';

/** Deltas within one process. Whoever follows is told before `publish` returns. */
export class MemorySessionDeltas implements SessionDeltas {
  private readonly followers = new Map<string, Set<SessionDeltasFollower>>();

  publish(scope: SessionScope, deltas: readonly SessionDelta[]): void {
    if (deltas.length > 0) for (const follower of this.of(scope)) follower.onDeltas(deltas);
  }

  follow(scope: SessionScope, given: SessionDeltasFollower): () => void {
    const key = keyOf(scope);
    // One of its own for each call, so that the same follower twice is told twice, and stops once.
    const follower: SessionDeltasFollower = {
      onDeltas: (deltas) => given.onDeltas(deltas),
      onGap: () => given.onGap(),
    };
    const followers = this.followers.get(key) ?? new Set();
    this.followers.set(key, followers.add(follower));
    return () => {
      followers.delete(follower);
      if (followers.size === 0 && this.followers.get(key) === followers) this.followers.delete(key);
    };
  }

  /** Whether somebody follows this session. */
  isFollowed(scope: SessionScope): boolean {
    return this.followers.has(keyOf(scope));
  }

  /** Tells those who follow this session, or all, that something may be missing. */
  tellGap(scope?: SessionScope): void {
    const told = scope === undefined ? [...this.followers.values()].flatMap((some) => [...some]) : this.of(scope);
    for (const follower of told) follower.onGap();
  }

  close(): Promise<void> {
    this.followers.clear();
    return Promise.resolve();
  }

  /** As they are now: one that is told may stop. */
  private of(scope: SessionScope): readonly SessionDeltasFollower[] {
    return [...(this.followers.get(keyOf(scope)) ?? [])];
  }
}

function keyOf({ workspaceId, sessionId }: SessionScope): string {
  return `${workspaceId}/${sessionId}`;
}
