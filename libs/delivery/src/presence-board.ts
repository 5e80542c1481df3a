/** Someone who takes part in a group, as the others see it. */
export interface PresentSubscriber {
  /** Unique over all replicas; one subscriber that joins twice is two members. */
  readonly memberId: string;
  /** As it calls itself. */
  readonly name: string;
  /** When it joined, in milliseconds since 1970 by the clock of its replica. */
  readonly since: number;
}

/** Where subscribers see each other: nobody sees into another workspace. */
export interface PresencePlace {
  readonly workspaceId: number;
  readonly group: string;
}

/** One that has joined. */
export interface PresenceMembership {
  readonly memberId: string;
  /** Leaves; the others are told. May be called any number of times. */
  leave(): void;
}

export const PRESENCE_LIMITS = {
  /** Most members of one group at one replica. */
  groupMembers: 500,
  /** Most groups with members at one replica. */
  groups: 10_000,
  /** Most of them that one workspace has. */
  workspaceGroups: 1_000,
  /** Longest name of a member and of a group, in UTF-16 code units. */
  nameChars: 200,
  /** Shortest time between two calls of one group's listeners: what changes in between is told together. */
  tellIntervalMs: 50,
} as const;

/** What is full when nobody can join: the group, its workspace, or the replica. */
export type PresenceRefusal = 'group' | 'workspace' | 'replica';

/** What a board tells its owner, for counters. */
export interface PresenceSignals {
  /** Somebody was refused as `overloaded`. Must not throw. */
  onRefused?(refusal: PresenceRefusal): void;
}

/** Shows subscribers who else is there, over all replicas. Whoever is on a replica that died is gone within 10 s. */
export interface PresenceBoard {
  /**
   * Joins a group. `onChange` is called soon, and again after every change, with all who are present, itself included,
   * the longest present first; never before this has resolved, and no more once it has left. It must not throw. While
   * the replicas cannot reach each other each shows its own members.
   *
   * @throws SluiceError `invalid_request` for a name or group that is empty or too long, `overloaded` when the group,
   *   its workspace or the replica is full, `shutting_down` after `close`
   */
  join(
    place: PresencePlace,
    name: string,
    onChange: (present: readonly PresentSubscriber[]) => void,
  ): Promise<PresenceMembership>;

  /** All members leave. Idempotent, bounded. */
  close(): Promise<void>;
}
