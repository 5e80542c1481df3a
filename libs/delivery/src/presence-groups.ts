import { SluiceError } from '@sluice/event-log';
import { newEventId } from '@sluice/event-schema';
import {
  PRESENCE_LIMITS,
  type PresencePlace,
  type PresenceRefusal,
  type PresenceSignals,
  type PresentSubscriber,
} from './presence-board';

interface Listener {
  readonly member: PresentSubscriber;
  readonly onChange: (present: readonly PresentSubscriber[]) => void;
}

interface Group {
  readonly workspaceId: number;
  readonly here: Map<string, Listener>;
  readonly elsewhere: Map<string, readonly PresentSubscriber[]>;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** One that has joined here. */
export interface JoinedMember {
  /** Of its group. */
  readonly key: string;
  readonly memberId: string;
}

/**
 * Who is present in which group, as far as one replica knows, and whom to tell. A board keeps one and feeds it with
 * what it hears. Groups without members here are not remembered: nobody here asks for them.
 */
export class PresenceGroups {
  private readonly groups = new Map<string, Group>();
  /** How many groups each workspace has here; none is 0. */
  private readonly groupCounts = new Map<number, number>();
  private isClosed = false;

  constructor(private readonly signals: PresenceSignals = {}) {}

  /** How many groups have members here. */
  get size(): number {
    return this.groups.size;
  }

  has(key: string): boolean {
    return this.groups.has(key);
  }

  /** Those of a group that are here, the longest present first. */
  membersHere(key: string): readonly PresentSubscriber[] {
    return [...(this.groups.get(key)?.here.values() ?? [])].map(({ member }) => member);
  }

  /**
   * Adds a member of this replica. Ids of one process sort by the time they were made, so they tell who came first in
   * one millisecond.
   *
   * @throws SluiceError as `PresenceBoard.join`
   */
  join({ workspaceId, group: groupName }: PresencePlace, name: string, onChange: Listener['onChange']): JoinedMember {
    if (this.isClosed) throw new SluiceError('shutting_down', 'The server is shutting down');
    requireName('group', groupName);
    requireName('name', name);
    const key = keyOf(workspaceId, groupName);
    const group = this.groups.get(key) ?? this.createGroup(key, workspaceId);
    if (group.here.size >= PRESENCE_LIMITS.groupMembers) throw this.full('group', 'Too many members of this group');
    const member: PresentSubscriber = { since: Date.now(), memberId: newEventId(), name };
    group.here.set(member.memberId, { member, onChange });
    this.tellSoon(group);
    return { key, memberId: member.memberId };
  }

  /** Takes a member of this replica away. False when it was not there. */
  leave({ key, memberId }: JoinedMember): boolean {
    const group = this.groups.get(key);
    if (group?.here.delete(memberId) !== true) return false;
    if (group.here.size > 0) this.tellSoon(group);
    else this.forget(key, group);
    return true;
  }

  /** Says who of a group is at another replica; of a group without members here it is not remembered. */
  setElsewhere(key: string, replicaId: string, members: readonly PresentSubscriber[]): void {
    const group = this.groups.get(key);
    if (group === undefined) return;
    const known = group.elsewhere.get(replicaId) ?? [];
    if (isSame(known, members)) return;
    if (members.length === 0) group.elsewhere.delete(replicaId);
    else group.elsewhere.set(replicaId, members.slice(0, PRESENCE_LIMITS.groupMembers));
    this.tellSoon(group);
  }

  /** Another replica is gone, with all who were there. */
  dropReplica(replicaId: string): void {
    for (const group of this.groups.values()) if (group.elsewhere.delete(replicaId)) this.tellSoon(group);
  }

  /** Forgets everybody, for good; nobody is told. Idempotent. */
  close(): void {
    this.isClosed = true;
    for (const [key, group] of this.groups) this.forget(key, group);
  }

  private createGroup(key: string, workspaceId: number): Group {
    const count = this.groupCounts.get(workspaceId) ?? 0;
    if (this.groups.size >= PRESENCE_LIMITS.groups) throw this.full('replica', 'Too many groups');
    if (count >= PRESENCE_LIMITS.workspaceGroups) throw this.full('workspace', 'Too many groups of this workspace');
    const group: Group = { workspaceId, here: new Map(), elsewhere: new Map(), timer: undefined };
    this.groups.set(key, group);
    this.groupCounts.set(workspaceId, count + 1);
    return group;
  }

  private forget(key: string, group: Group): void {
    clearTimeout(group.timer);
    this.groups.delete(key);
    const left = (this.groupCounts.get(group.workspaceId) ?? 0) - 1;
    if (left > 0) this.groupCounts.set(group.workspaceId, left);
    else this.groupCounts.delete(group.workspaceId);
  }

  private full(refusal: PresenceRefusal, message: string): SluiceError {
    this.signals.onRefused?.(refusal);
    return new SluiceError('overloaded', message);
  }

  private tellSoon(group: Group): void {
    group.timer ??= setTimeout(() => this.tell(group), PRESENCE_LIMITS.tellIntervalMs);
    if (typeof group.timer === 'object') group.timer.unref();
  }

  private tell(group: Group): void {
    group.timer = undefined;
    const here = [...group.here.values()];
    const present = [...here.map(({ member }) => member), ...[...group.elsewhere.values()].flat()].sort(bySeniority);
    for (const { onChange } of here) onChange(present);
  }
}

/** Neither workspace nor group can run into the other in it. */
function keyOf(workspaceId: number, group: string): string {
  return `${workspaceId}/${group}`;
}

function requireName(where: 'name' | 'group', text: string): void {
  if (text !== '' && text.length <= PRESENCE_LIMITS.nameChars) return;
  const message = `must have 1 to ${PRESENCE_LIMITS.nameChars} characters`;
  throw new SluiceError('invalid_request', `${where}: ${message}`, { where });
}

function bySeniority(a: PresentSubscriber, b: PresentSubscriber): number {
  return a.since - b.since || (a.memberId < b.memberId ? -1 : 1);
}

function isSame(a: readonly PresentSubscriber[], b: readonly PresentSubscriber[]): boolean {
  return a.length === b.length && a.every(({ memberId }, index) => memberId === b[index]?.memberId);
}
