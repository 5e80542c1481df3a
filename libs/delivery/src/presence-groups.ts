import { SluiceError } from '@sluice/event-log';
import { PRESENCE_LIMITS, type PresencePlace, type PresentSubscriber } from './presence-board';

interface Listener {
  readonly member: PresentSubscriber;
  readonly onChange: (present: readonly PresentSubscriber[]) => void;
}

interface Group {
  readonly here: Map<string, Listener>;
  readonly elsewhere: Map<string, readonly PresentSubscriber[]>;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Who is present in which group, as far as one replica knows, and whom to tell. A board keeps one and feeds it with what
 * it hears. Groups without members here are not remembered: nobody here asks for them.
 */
export class PresenceGroups {
  private readonly groups = new Map<string, Group>();

  /** How many groups have members here. */
  get size(): number {
    return this.groups.size;
  }

  /** The keys of all groups with members here. */
  keys(): readonly string[] {
    return [...this.groups.keys()];
  }

  has(key: string): boolean {
    return this.groups.has(key);
  }

  /** Those of a group that are here, the longest present first. */
  membersHere(key: string): readonly PresentSubscriber[] {
    return [...(this.groups.get(key)?.here.values() ?? [])].map(({ member }) => member);
  }

  /** Adds a member of this replica. @throws SluiceError `overloaded` */
  add(key: string, member: PresentSubscriber, onChange: Listener['onChange']): void {
    const group = this.groups.get(key) ?? { here: new Map(), elsewhere: new Map(), timer: undefined };
    if (group.here.size >= PRESENCE_LIMITS.groupMembers) throw full('Too many members of this group');
    if (group.here.size === 0 && this.groups.size >= PRESENCE_LIMITS.groups) throw full('Too many groups');
    this.groups.set(key, group);
    group.here.set(member.memberId, { member, onChange });
    this.tellSoon(group);
  }

  /** Takes a member of this replica away. False when it was not there. */
  remove(key: string, memberId: string): boolean {
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

  /** Forgets everybody; nobody is told. */
  clear(): void {
    for (const [key, group] of this.groups) this.forget(key, group);
  }

  private forget(key: string, group: Group): void {
    clearTimeout(group.timer);
    this.groups.delete(key);
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

/** The key of a place, in which neither workspace nor group can run into the other. */
export function presenceKey({ workspaceId, group }: PresencePlace): string {
  return `${workspaceId}/${group}`;
}

/** @throws SluiceError `invalid_request` */
export function requirePresenceName(where: 'name' | 'group', text: string): void {
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

function full(message: string): SluiceError {
  return new SluiceError('overloaded', message);
}
