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
  | { readonly kind: 'waiting' };

/**
 * Removing what is too old, by one process at a time. How far it came is stored with what it removed, in one transaction.
 * Every method may throw SluiceError `conflict` after the lease was lost, and `read_model_unavailable`.
 */
export interface RetentionWork {
  /** Removes what comes next; to be repeated until it is done. A policy that changed meanwhile counts as it is now. */
  step(bounds: RetentionBounds): Promise<RetentionStep>;
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
