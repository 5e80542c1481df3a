import type { EventFamily, Position } from '@sluice/event-schema';
import type { RemovalBounds } from './removed-events';

/** What a policy is for: a family of events of one workspace, or of every workspace that has no policy of its own for it. */
export interface RetentionScope {
  readonly workspaceId: number | 'default';
  readonly family: EventFamily;
}

export interface RetentionPolicy extends RetentionScope {
  /** Events are kept for so long after they were recorded. Absent: for ever. */
  readonly maxAgeMs?: number;
}

/** A policy, and what has become of it. */
export interface RetentionStatus extends RetentionPolicy {
  /** In milliseconds since 1970. */
  readonly changedAt: number;
  /** Events that were removed for it since it was set first. */
  readonly removedEvents: number;
}

export interface RetentionBounds extends RemovalBounds {
  /** Most events that one transaction looks at. */
  readonly maxScanned: number;
}

/**
 * What one transaction did.
 * - `swept`: it looked at so many events, in position order, and removed those that the policy is for.
 * - `done`: nothing is too old at this moment.
 * - `waiting`: the read model is being rebuilt; nothing is removed until that is over.
 * - `clocks_differ`: the store's clock is ahead of this process's by so many milliseconds, or behind it (less than 0): nothing is
 *   removed while nobody knows the time.
 */
export type RetentionStep =
  | {
      readonly kind: 'swept';
      readonly scope: RetentionScope;
      readonly scanned: number;
      readonly events: number;
      readonly bytes: number;
      readonly upTo: Position;
    }
  | { readonly kind: 'done' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'clocks_differ'; readonly byMs: number };

/** The clocks of a store and of a process may differ by so much. */
export const MAX_CLOCK_DIFFERENCE_MS = 60_000;

/** What is too old and not removed yet. */
export interface RetentionBacklog {
  /** Policies that have something to look at. */
  readonly policies: number;
  /** For how long the first event that they are to look at has been too old, in milliseconds. */
  readonly overdueMs: number;
}

/**
 * Removing what is too old, by one process at a time. How far it came is stored with what it removed, in one transaction.
 * Every method may throw SluiceError `conflict` after the lease was lost, and `read_model_unavailable`.
 */
export interface RetentionWork {
  /**
   * Removes what comes next; to be repeated until it is done. The policies that have something to remove take turns. One that
   * changed meanwhile counts as it is now. An event is too old when both the store's clock and this process's say so.
   */
  step(bounds: RetentionBounds): Promise<RetentionStep>;
  /** As of the last look, which a step takes every now and then; the first one does. */
  backlog(): RetentionBacklog;
  renew(leaseMs: number): Promise<void>;
  /** Gives the lease back, so that another process goes on at once. */
  release(): Promise<void>;
}

/** Most policies that there can be. */
export const MAX_RETENTION_POLICIES = 10_000;

/**
 * For how long events are kept in the read model. Of a workspace and family the oldest go first, so that what is kept has no
 * hole; the highest position that went is its floor (see RecordedPage.floor). Every method may throw SluiceError
 * `read_model_unavailable`.
 */
export interface EventRetention {
  /** In the order of workspaces and families, the defaults first. */
  policies(): Promise<readonly RetentionStatus[]>;
  /**
   * When it resolves, nothing more is removed by what was the policy before.
   * @throws SluiceError `conflict` where there are `MAX_RETENTION_POLICIES` others
   */
  setPolicy(policy: RetentionPolicy): Promise<RetentionStatus>;
  /** From then on the default holds, or for a default: events are kept for ever. False where there was none. */
  removePolicy(scope: RetentionScope): Promise<boolean>;
  /** The right to remove what is too old; undefined while somebody else has it. */
  claim(holder: string, leaseMs: number): Promise<RetentionWork | undefined>;
}
