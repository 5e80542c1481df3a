import { createHash, randomBytes } from 'node:crypto';
import {
  PRESENCE_LIMITS,
  PresenceGroups,
  type JoinedMember,
  type PresenceBoard,
  type PresenceMembership,
  type PresencePlace,
  type PresentSubscriber,
} from '@sluice/delivery';
import { type SteadyConnection, unavailable } from '@sluice/nats-connection';
import {
  HEARTBEAT_INTERVAL_MS,
  MAX_MESSAGE_BYTES,
  MAX_REFRESHES,
  REPLICA_TTL_MS,
  type NatsCoordinationOptions,
} from './options';
import { decodePresence, encodePresence, type PresenceMessage } from './presence-codec';
import { SubjectListener } from './subject-listener';

/** Most other replicas that are believed to have members of our groups. */
const MAX_REPLICAS = 1_000;

/**
 * Who is present, told between the replicas that have members of a group and stored nowhere: each says who is there
 * when that changes, when another asks, and in turns with its heartbeats. One that is not heard for `replicaTtlMs` is
 * gone.
 */
export class NatsPresenceBoard implements PresenceBoard {
  private readonly id = randomBytes(8).toString('hex');
  private readonly groups: PresenceGroups;
  private readonly replicaTtlMs: number;
  private readonly heartbeatIntervalMs: number;
  private readonly keyOfSubject = new Map<string, string>();
  private readonly heardAtMs = new Map<string, number>();
  /** Thought dead. One that is heard again has to be told of everything anew. */
  private readonly dropped = new Set<string>();
  private readonly subjects: SubjectListener;
  private readonly aliveSubject: string;
  private timer: ReturnType<typeof setInterval> | undefined;
  /** Groups about which there is something to say, by subject. */
  private readonly untold = new Map<string, { readonly key: string; readonly ask: boolean }>();
  private tellTimer: ReturnType<typeof setTimeout> | undefined;
  private tickedAtMs = performance.now();
  private nextTold = 0;
  private isClosed = false;

  constructor(
    private readonly connection: SteadyConnection,
    private readonly options: NatsCoordinationOptions,
  ) {
    this.groups = new PresenceGroups({
      onRefused: (refusal) => options.onMetric?.({ kind: 'presence_refused', refusal }),
    });
    this.replicaTtlMs = options.replicaTtlMs ?? REPLICA_TTL_MS;
    this.heartbeatIntervalMs = options.heartbeatIntervalMs ?? HEARTBEAT_INTERVAL_MS;
    this.aliveSubject = `${options.names.presenceSubject}.replicas`;
    this.subjects = new SubjectListener(
      connection,
      (subject, text) => this.hear(subject, text),
      () => this.tellAll(),
    );
  }

  async join(
    place: PresencePlace,
    name: string,
    onChange: (present: readonly PresentSubscriber[]) => void,
  ): Promise<PresenceMembership> {
    const joined = this.groups.join(place, name, onChange);
    const { key, memberId } = joined;
    const subject = this.subjectOf(key);
    const isFirst = !this.keyOfSubject.has(subject);
    if (isFirst) {
      this.keyOfSubject.set(subject, key);
      this.subjects.listen(subject);
      this.keepTicking();
    }
    this.tell(subject, key, isFirst);
    return { memberId, leave: () => this.leave(subject, joined) };
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.timer);
    clearTimeout(this.tellTimer);
    if (this.groups.size > 0) this.say(this.aliveSubject, { from: this.id, state: 'gone' });
    this.subjects.stopAll();
    this.groups.close();
  }

  private leave(subject: string, joined: JoinedMember): void {
    if (!this.groups.leave(joined)) return;
    const { key } = joined;
    this.tell(subject, key, false);
    if (this.groups.has(key)) return;
    this.keyOfSubject.delete(subject);
    this.subjects.stop(subject);
    if (this.groups.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.heardAtMs.clear();
    this.dropped.clear();
    this.subjects.stop(this.aliveSubject);
  }

  /** A group's name may have any characters, a subject may not. */
  private subjectOf(key: string): string {
    return `${this.options.names.presenceSubject}.group.${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
  }

  private keepTicking(): void {
    if (this.timer !== undefined) return;
    this.subjects.listen(this.aliveSubject);
    this.tickedAtMs = performance.now();
    this.timer = setInterval(() => this.tick(), this.heartbeatIntervalMs);
    this.timer.unref();
  }

  private tick(): void {
    const now = performance.now();
    // A process that was frozen has heard nobody, and says nothing of the others by it.
    const wasFrozen = now - this.tickedAtMs > 2 * this.heartbeatIntervalMs;
    this.tickedAtMs = now;
    this.say(this.aliveSubject, { from: this.id, state: 'alive' });
    for (const [replica, heardAtMs] of this.heardAtMs) {
      if (wasFrozen) this.heardAtMs.set(replica, now);
      else if (now - heardAtMs > this.replicaTtlMs) {
        if (this.dropped.size < MAX_REPLICAS) this.dropped.add(replica);
        this.drop(replica);
      }
    }
    this.tellSome();
  }

  /** Some groups in turn, so that what was not heard is heard later. */
  private tellSome(): void {
    const all = [...this.keyOfSubject];
    for (let told = 0; told < Math.min(MAX_REFRESHES, all.length); told++) {
      const [subject, key] = all[this.nextTold++ % all.length] ?? [];
      if (subject !== undefined && key !== undefined) this.tell(subject, key, false);
    }
  }

  private tellAll(): void {
    for (const [subject, key] of this.keyOfSubject) this.tell(subject, key, true);
  }

  /** Many changes at the same time are told as one. */
  private tell(subject: string, key: string, ask: boolean): void {
    this.untold.set(subject, { key, ask: ask || this.untold.get(subject)?.ask === true });
    this.tellTimer ??= setTimeout(() => this.tellNow(), PRESENCE_LIMITS.tellIntervalMs);
    this.tellTimer.unref();
  }

  private tellNow(): void {
    this.tellTimer = undefined;
    for (const [subject, { key, ask }] of this.untold) {
      this.say(subject, { from: this.id, members: this.groups.membersHere(key), ask });
    }
    this.untold.clear();
  }

  private say(subject: string, message: PresenceMessage): void {
    this.connection.current?.publish(subject, encodePresence(message));
  }

  private hear(subject: string, text: string): void {
    const message = text.length > MAX_MESSAGE_BYTES ? undefined : decodePresence(text);
    if (message === undefined) {
      this.options.onFault?.(unavailable('A message about presence cannot be read'));
      return;
    }
    const { from } = message;
    if (from === this.id) return;
    if ('state' in message && message.state === 'gone') return this.drop(from);
    if (!this.heardAtMs.has(from) && this.heardAtMs.size >= MAX_REPLICAS) return;
    this.heardAtMs.set(from, performance.now());
    if ('state' in message) {
      if (this.dropped.delete(from)) this.tellAll();
      return;
    }
    const key = this.keyOfSubject.get(subject);
    if (key === undefined) return;
    this.groups.setElsewhere(key, from, message.members);
    if (message.ask) this.tell(subject, key, false);
  }

  private drop(replica: string): void {
    this.heardAtMs.delete(replica);
    this.groups.dropReplica(replica);
  }
}
