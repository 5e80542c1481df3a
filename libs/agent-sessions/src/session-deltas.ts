import type { SessionDelta } from '@sluice/event-schema';

/** Whose deltas they are. */
export interface SessionScope {
  readonly workspaceId: number;
  readonly sessionId: string;
}

/** Who follows what is being made in a session. Neither method may throw. */
export interface SessionDeltasFollower {
  /** At least one, in the order of who published them. */
  onDeltas(deltas: readonly SessionDelta[]): void;
  /** Something may be missing here: of events that have begun no more is to be shown until they begin again. */
  onGap(): void;
}

/**
 * What can be seen of events while they are made, over all replicas. As good as it goes: nothing is stored, nobody is
 * waited for, and what cannot be told at once is dropped, counted, and known as a gap to those who follow.
 */
export interface SessionDeltas {
  /** Never throws, never waits. Each delta is as its schema lets it through. */
  publish(scope: SessionScope, deltas: readonly SessionDelta[]): void;
  /** What is published from now on, by this process at once, by others as soon as they have heard of it. Gives how to stop. */
  follow(scope: SessionScope, follower: SessionDeltasFollower): () => void;
  /** Tells nobody any more. Idempotent. */
  close(): Promise<void>;
}
