import { noSlotLeft, slotsClosed, type ConnectionLease, type ConnectionSlots } from '@sluice/access';
import type { SluiceError } from '@sluice/event-log';
import { type SteadyConnection, within } from '@sluice/nats-connection';
import { DOCUMENT_REFRESH_MS, DRAIN_TIMEOUT_MS, MAX_REFRESHES, type NatsCoordinationOptions } from './options';
import { Replica } from './replica';
import { SlotKeeper } from './slot-keeper';

/**
 * Slots counted over all replicas, in one document per key that names each replica's count and is only ever written on
 * top of the revision that was read.
 */
export class NatsConnectionSlots implements ConnectionSlots {
  private readonly keepers = new Map<string, SlotKeeper>();
  private readonly replica: Replica;
  private isClosed = false;

  constructor(
    connection: SteadyConnection,
    private readonly options: NatsCoordinationOptions,
  ) {
    this.replica = new Replica(connection, options, {
      onShared: () => this.rewriteAll(),
      onAlone: () => this.standAlone(),
      onBeat: () => this.refreshSome(),
    });
  }

  /** Whether the others count this replica. */
  get isShared(): boolean {
    return this.replica.isShared;
  }

  /** Slots held by this process. */
  get held(): number {
    let held = 0;
    for (const { count } of this.keepers.values()) held += count;
    return held;
  }

  async acquire(key: string, limit: number, onLost: (reason: SluiceError) => void): Promise<ConnectionLease> {
    if (this.isClosed) throw slotsClosed();
    if (limit <= 0) {
      this.options.onMetric?.({ kind: 'slot_sought', outcome: 'refused' });
      throw noSlotLeft();
    }
    return this.keeperOf(key).acquire(limit, onLost);
  }

  async close(): Promise<void> {
    if (!this.isClosed) {
      this.isClosed = true;
      const closing = Promise.all([...this.keepers.values()].map((keeper) => keeper.close()));
      await within(closing, DRAIN_TIMEOUT_MS, 'Closing').catch(() => undefined);
    }
    await this.replica.close();
  }

  private keeperOf(key: string): SlotKeeper {
    const known = this.keepers.get(key);
    if (known !== undefined) return known;
    const keeper = new SlotKeeper(key, {
      replica: this.replica,
      documentRefreshMs: this.options.documentRefreshMs ?? DOCUMENT_REFRESH_MS,
      onMetric: (metric) => this.options.onMetric?.(metric),
      onIdle: () => {
        this.keepers.delete(key);
      },
    });
    this.keepers.set(key, keeper);
    return keeper;
  }

  private standAlone(): void {
    for (const keeper of this.keepers.values()) keeper.standAlone();
  }

  private rewriteAll(): void {
    for (const keeper of this.keepers.values()) keeper.rewrite();
  }

  private refreshSome(): void {
    let left = MAX_REFRESHES;
    for (const keeper of this.keepers.values()) if (keeper.refresh(left > 0)) left--;
  }
}
