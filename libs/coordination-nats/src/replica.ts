import { randomBytes } from 'node:crypto';
import { LateAnswer, pause, retryDelayMs, type SteadyConnection, unavailable, within } from '@sluice/nats-connection';
import { openBuckets, type Bucket, type Buckets } from './buckets';
import {
  ALIVE_BELIEVED_MS,
  BUCKET_TIMEOUT_MS,
  HEARTBEAT_INTERVAL_MS,
  OPERATION_TIMEOUT_MS,
  REPLICA_TTL_MARGIN,
  REPLICA_TTL_MS,
  RETRY_DELAY_MS,
  type NatsCoordinationOptions,
} from './options';

export interface ReplicaListener {
  /** This replica is counted by the others from now on, under a new id: what it holds has to be written again. */
  onShared(): void;
  /** It counts alone from now on. */
  onAlone(): void;
  /** Another heartbeat was heard. */
  onBeat(): void;
}

/** How this replica is known to the others while it is counted. */
export interface Standing {
  readonly id: string;
  readonly slots: Bucket;
}

/** `unheard`: dead, or not back yet after an outage. */
export type ReplicaState = 'alive' | 'dead' | 'unheard';

/** Most ids that this replica remembers as its own. Older ones are long dead. */
const MAX_FORMER_IDS = 100;

/** Most other replicas whose last answer is remembered. */
const MAX_REMEMBERED_REPLICAS = 1_000;

/**
 * This replica as the others see it. It says every `heartbeatIntervalMs` that it is alive, in a bucket that forgets
 * after `replicaTtlMs`, so that nobody compares clocks. One that was forgotten, because it was frozen or cut off, finds
 * out with its next heartbeat, which only succeeds if the one before is still there; it comes back under a new id.
 */
export class Replica {
  private buckets: Buckets | undefined;
  private ownId = '';
  private revision = 0;
  private readonly formerIds: string[] = [];
  private aliveUntilMs = 0;
  private sharedSinceMs = 0;
  private aloneSinceMs = performance.now();
  private beating: Promise<void> | undefined;
  private hasComplained = false;
  private readonly seenAlive = new Map<string, number>();
  private readonly closing = new AbortController();
  private wake = new AbortController();
  private readonly ttlMs: number;
  private readonly heartbeatIntervalMs: number;
  private readonly running: Promise<void>;
  private resolveAttempted: () => void = () => undefined;
  /** Resolves as soon as the first attempt to be counted has succeeded or failed. */
  readonly attempted = new Promise<void>((resolve) => (this.resolveAttempted = resolve));
  private hasAttempted = false;

  constructor(
    private readonly connection: SteadyConnection,
    private readonly options: NatsCoordinationOptions,
    private readonly listener: ReplicaListener,
  ) {
    this.ttlMs = options.replicaTtlMs ?? REPLICA_TTL_MS;
    this.heartbeatIntervalMs = options.heartbeatIntervalMs ?? HEARTBEAT_INTERVAL_MS;
    void this.attempted.then(() => (this.hasAttempted = true));
    connection.listen({
      onUp: () => this.wake.abort(),
      onDown: (reason) => {
        this.setAlone(reason);
        this.complain(reason);
        this.resolveAttempted();
      },
    });
    this.running = this.run();
  }

  /** Whether the others count it. */
  get isShared(): boolean {
    return this.buckets !== undefined;
  }

  /** Whether it has found out that the others do not count it. */
  get isAlone(): boolean {
    return this.hasAttempted && this.buckets === undefined;
  }

  isOwn(id: string): boolean {
    return id === this.ownId || this.formerIds.includes(id);
  }

  /**
   * How the others know this replica, once that is certain; undefined while it counts alone. A process that was frozen
   * asks before it believes it.
   */
  async standing(): Promise<Standing | undefined> {
    if (this.isShared && performance.now() > this.aliveUntilMs) await this.beat();
    return this.buckets && { id: this.ownId, slots: this.buckets.slots };
  }

  /** What is known of another replica. Rejects when that cannot be found out. */
  async stateOf(id: string): Promise<ReplicaState> {
    const seenAt = this.seenAlive.get(id);
    if (seenAt !== undefined && performance.now() - seenAt < ALIVE_BELIEVED_MS) return 'alive';
    if (this.buckets === undefined) throw unavailable('This replica counts alone');
    const askedAt = performance.now();
    const { revision, text } = await this.buckets.replicas.read(id);
    if (this.seenAlive.size >= MAX_REMEMBERED_REPLICAS) this.seenAlive.clear();
    if (text !== '') {
      this.seenAlive.set(id, askedAt);
      return 'alive';
    }
    this.seenAlive.delete(id);
    // One that ends takes its heartbeat back. One that is not heard may be back soon, just after an outage.
    return revision > 0 || performance.now() >= this.sharedSinceMs + this.ttlMs ? 'dead' : 'unheard';
  }

  /**
   * Something could not be asked or said. An answer that is late is waited for as long as the others still count this
   * replica: a limit is not given up for a moment's delay.
   */
  doubt(reason: unknown): void {
    if (reason instanceof LateAnswer && performance.now() < this.aliveUntilMs) return;
    this.setAlone(unavailable('The replicas do not hear each other', reason));
  }

  private setAlone(reason: unknown): void {
    if (this.buckets === undefined) return;
    this.buckets = undefined;
    this.aloneSinceMs = performance.now();
    if (this.closing.signal.aborted) return;
    this.options.onMetric?.({ kind: 'shared', shared: false });
    this.complain(reason);
    this.listener.onAlone();
  }

  /** Says that this replica is gone, so that its slots are free at once. Bounded, idempotent. */
  async close(): Promise<void> {
    if (!this.closing.signal.aborted) {
      this.closing.abort();
      this.wake.abort();
      await this.buckets?.replicas.delete(this.ownId).catch(() => undefined);
      this.buckets = undefined;
    }
    await within(this.running, OPERATION_TIMEOUT_MS, 'Closing').catch(() => undefined);
  }

  private async run(): Promise<void> {
    while (!this.closing.signal.aborted) {
      await this.beat();
      this.wake = new AbortController();
      const waitMs = this.isShared ? this.heartbeatIntervalMs : retryDelayMs(this.aloneSinceMs, RETRY_DELAY_MS);
      await pause(waitMs, this.closing.signal.aborted ? this.closing.signal : this.wake.signal);
    }
  }

  /** Once per outage. */
  private complain(reason: unknown): void {
    if (this.hasComplained || this.closing.signal.aborted) return;
    this.hasComplained = true;
    this.options.onFault?.(reason);
  }

  /** One heartbeat at a time. Never rejects. */
  private beat(): Promise<void> {
    this.beating ??= this.tryBeat().finally(() => (this.beating = undefined));
    return this.beating;
  }

  private async tryBeat(): Promise<void> {
    const connection = this.connection.current;
    if (connection === undefined) return;
    try {
      if (this.buckets !== undefined && (await this.renew(this.buckets))) return;
      // What was held under the old id is forgotten by the others, or soon will be.
      this.aliveUntilMs = 0;
      const buckets =
        this.buckets ?? (await within(openBuckets(connection, this.options), BUCKET_TIMEOUT_MS, 'Opening'));
      await this.register(buckets);
    } catch (error) {
      this.doubt(error);
      if (this.buckets === undefined) this.complain(unavailable('The replicas do not hear each other', error));
    }
    this.resolveAttempted();
  }

  /** False when the others have forgotten this replica. */
  private async renew({ replicas }: Buckets): Promise<boolean> {
    const sentAt = performance.now();
    const revision = await replicas.write(this.ownId, 'alive', this.revision);
    if (revision === undefined) return false;
    this.revision = revision;
    this.aliveUntilMs = sentAt + this.ttlMs * (1 - REPLICA_TTL_MARGIN);
    this.listener.onBeat();
    return true;
  }

  private async register(buckets: Buckets): Promise<void> {
    const id = randomBytes(8).toString('hex');
    const sentAt = performance.now();
    const revision = await buckets.replicas.write(id, 'alive', 0);
    if (revision === undefined) throw unavailable('The id of this replica is taken');
    if (this.closing.signal.aborted) return;
    // A frozen process comes back without an outage, and may judge the others at once.
    if (this.buckets === undefined) this.sharedSinceMs = performance.now();
    if (this.ownId !== '') this.formerIds.push(this.ownId);
    if (this.formerIds.length > MAX_FORMER_IDS) this.formerIds.shift();
    this.ownId = id;
    this.revision = revision;
    this.aliveUntilMs = sentAt + this.ttlMs * (1 - REPLICA_TTL_MARGIN);
    this.seenAlive.clear();
    this.buckets = buckets;
    this.hasComplained = false;
    this.options.onMetric?.({ kind: 'shared', shared: true });
    this.listener.onShared();
  }
}
