import { logEntityKey, SluiceError, type LogEntity } from '@sluice/event-log';
import { BoundedCache } from './bounded-cache';
import { ageMs, KEY_AGE_FACTORS } from './key-age';
import type { KeyRegistry, SealingKey } from './key-registry';
import type { SealedSettings } from './options';

/** Wait after a failed look-up in the background before there is another one: doubled each time, up to the maximum. */
export const REFRESH_RETRY_MS = { first: 1_000, maximum: 30_000 } as const;

interface LookUp {
  readonly entity: LogEntity;
  readonly done: Promise<SealingKey>;
  resolve(key: SealingKey): void;
  reject(error: unknown): void;
}

/**
 * The keys that this process seals by. Those in use are asked for again in good time, in the background, so that what is
 * appended often waits for nobody, and goes on for a while when the index is away.
 */
export class SealingKeys {
  private readonly cache: BoundedCache<SealingKey>;
  private readonly waiting = new Map<string, LookUp>();
  private running: Promise<void> | undefined;
  /** While look-ups fail: when the next one in the background may be, and how long the wait after it is. */
  private outage: { refreshAt: number; waitMs: number } | undefined;

  constructor(
    private readonly registry: Pick<KeyRegistry, 'sealingKeys'>,
    private readonly settings: SealedSettings,
  ) {
    const { maxCachedKeys, keyMaxAgeMs } = settings.limits;
    this.cache = new BoundedCache({ maxCount: maxCachedKeys, maxAgeMs: keyMaxAgeMs });
  }

  /** The key of an entity, when it is at hand. */
  get(entity: LogEntity): SealingKey | undefined {
    const key = this.cache.get(logEntityKey(entity));
    if (key && ageMs(key.askedAt) > this.settings.limits.keyMaxAgeMs * KEY_AGE_FACTORS.refresh) {
      if (this.mayRefresh()) this.lookUp(entity).catch(() => undefined);
    }
    return key;
  }

  /** Every append would be a look-up otherwise. */
  private mayRefresh(): boolean {
    const { outage } = this;
    if (!outage) return true;
    if (performance.now() < outage.refreshAt) return false;
    outage.waitMs = Math.min(outage.waitMs * 2, REFRESH_RETRY_MS.maximum);
    outage.refreshAt = performance.now() + outage.waitMs;
    return true;
  }

  /** Told once of each outage. */
  private failed(error: unknown): void {
    if (this.outage) return;
    this.outage = { refreshAt: performance.now() + REFRESH_RETRY_MS.first, waitMs: REFRESH_RETRY_MS.first };
    this.settings.onFault(error);
  }

  /** The key of each entity, by `logEntityKey`. @throws SluiceError `read_model_unavailable`, `log_unavailable` */
  async load(entities: readonly LogEntity[]): Promise<ReadonlyMap<string, SealingKey>> {
    const keys = await Promise.all(entities.map(async (entity) => this.get(entity) ?? this.lookUp(entity)));
    return new Map(keys.map((key) => [logEntityKey(key.entity), key]));
  }

  /** Look-ups while one is under way share the next one. */
  private lookUp(entity: LogEntity): Promise<SealingKey> {
    const name = logEntityKey(entity);
    const known = this.waiting.get(name);
    if (known) return known.done;
    let settle: Pick<LookUp, 'resolve' | 'reject'> = { resolve: () => undefined, reject: () => undefined };
    const done = new Promise<SealingKey>((resolve, reject) => (settle = { resolve, reject }));
    // What is asked for may be a whole event.
    const { workspaceId, family, entityId } = entity;
    this.waiting.set(name, { entity: { workspaceId, family, entityId }, done, ...settle });
    this.running ??= this.run();
    return done;
  }

  private async run(): Promise<void> {
    // Appends of the same turn share the first look-up.
    await Promise.resolve();
    while (this.waiting.size > 0) {
      const taken = [...this.waiting].slice(0, this.settings.limits.maxLookUpKeys);
      for (const [name] of taken) this.waiting.delete(name);
      const lookUps = taken.map(([, lookUp]) => lookUp);
      try {
        const keys = await this.registry.sealingKeys(lookUps.map(({ entity }) => entity));
        this.outage = undefined;
        for (const [name, { resolve, reject }] of taken) {
          const key = keys.get(name);
          if (!key) {
            reject(new SluiceError('log_unavailable', 'There is no key'));
            continue;
          }
          this.cache.put(name, key);
          resolve(key);
        }
      } catch (error) {
        this.failed(error);
        for (const { reject } of lookUps) reject(error);
      }
    }
    this.running = undefined;
  }
}
