import { createHash } from 'node:crypto';
import {
  MemorySessionDeltas,
  type SessionDeltas,
  type SessionDeltasFollower,
  type SessionScope,
} from '@sluice/agent-sessions';
import type { SessionDelta } from '@sluice/event-schema';
import { type SteadyConnection, unavailable } from '@sluice/nats-connection';
import { ByteBudget } from './byte-budget';
import { decodeDeltas, encodeDeltas, partsOf } from './delta-codec';
import { DELTA_BYTES_PER_SECOND, MAX_GAPPED_SESSIONS, type NatsCoordinationOptions } from './options';
import { SubjectListener } from './subject-listener';

/**
 * Deltas told without storage, each session on a subject of its own: a replica hears of the sessions that its streams
 * follow and of no others, however much is made elsewhere. What is not heard at once is not heard.
 */
export class NatsSessionDeltas implements SessionDeltas {
  /** Who follows here. */
  private readonly here = new MemorySessionDeltas();
  private readonly listener: SubjectListener;
  /** What is followed here, by its subject. */
  private readonly followed = new Map<string, { readonly scope: SessionScope; followers: number }>();
  /** Subjects of sessions of which something was dropped since they were last told. */
  private readonly gapped = new Set<string>();
  /** Slots, rates and presence go over the same connection, and must not wait behind deltas. */
  private readonly budget: ByteBudget;
  private isClosed = false;

  constructor(
    private readonly connection: SteadyConnection,
    private readonly options: NatsCoordinationOptions,
  ) {
    this.budget = new ByteBudget(options.deltaBytesPerSecond ?? DELTA_BYTES_PER_SECOND);
    this.listener = new SubjectListener(
      connection,
      (subject, text) => this.hear(subject, text),
      // What was told while the connection was away was not heard.
      () => this.here.tellGap(),
    );
  }

  publish(scope: SessionScope, deltas: readonly SessionDelta[]): void {
    if (this.isClosed || deltas.length === 0) return;
    this.here.publish(scope, deltas);
    const subject = this.subjectOf(scope);
    for (const part of partsOf(deltas)) this.tell(subject, part);
  }

  follow(scope: SessionScope, follower: SessionDeltasFollower): () => void {
    const subject = this.subjectOf(scope);
    const stop = this.here.follow(scope, follower);
    const followed = this.followed.get(subject) ?? { scope, followers: 0 };
    followed.followers += 1;
    this.followed.set(subject, followed);
    this.listener.listen(subject);
    let isStopped = false;
    return () => {
      if (isStopped) return;
      isStopped = true;
      stop();
      followed.followers -= 1;
      if (followed.followers > 0 || this.followed.get(subject) !== followed) return;
      this.followed.delete(subject);
      this.listener.stop(subject);
    };
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.followed.clear();
    this.listener.stopAll();
    return this.here.close();
  }

  private tell(subject: string, deltas: readonly SessionDelta[]): void {
    const { onMetric } = this.options;
    const { current } = this.connection;
    const text = encodeDeltas({ deltas, isAfterGap: this.gapped.has(subject) });
    if (current === undefined || current.isClosed() || !this.budget.take(Buffer.byteLength(text))) {
      this.rememberGap(subject);
      onMetric?.({ kind: 'deltas_dropped', deltas: deltas.length });
      return;
    }
    current.publish(subject, text);
    this.gapped.delete(subject);
    onMetric?.({ kind: 'deltas_told', deltas: deltas.length });
  }

  /** Of too many the oldest are forgotten: they are long over. */
  private rememberGap(subject: string): void {
    this.gapped.delete(subject);
    this.gapped.add(subject);
    if (this.gapped.size <= MAX_GAPPED_SESSIONS) return;
    const [oldest] = this.gapped;
    if (oldest !== undefined) this.gapped.delete(oldest);
  }

  private hear(subject: string, text: string): void {
    const followed = this.followed.get(subject);
    if (followed === undefined) return;
    const message = decodeDeltas(text);
    if (message === undefined) {
      this.options.onFault?.(unavailable('A message about deltas of a session cannot be read'));
      return;
    }
    this.options.onMetric?.({ kind: 'deltas_heard', deltas: message.deltas.length });
    if (message.isAfterGap) this.here.tellGap(followed.scope);
    this.here.publish(followed.scope, message.deltas);
  }

  /** Ids may have what a subject may not. */
  private subjectOf({ workspaceId, sessionId }: SessionScope): string {
    const digest = createHash('sha256').update(sessionId).digest('hex').slice(0, 32);
    return `${this.options.names.sessionDeltaSubject}.${workspaceId}.${digest}`;
  }
}
