import type { FoundKey } from '@sluice/event-log';
import { BoundedCache, type Aged } from './bounded-cache';
import { thisMoment } from './key-age';
import type { KeyRegistry } from './key-registry';
import type { SealedSettings } from './options';

interface KnownKey extends Aged {
  readonly found: FoundKey;
}

/** The keys that this process opens records by. */
export class OpeningKeys {
  private readonly cache: BoundedCache<KnownKey>;

  constructor(
    private readonly registry: Pick<KeyRegistry, 'find'>,
    settings: SealedSettings,
  ) {
    const { maxCachedKeys, keyMaxAgeMs } = settings.limits;
    this.cache = new BoundedCache({ maxCount: maxCachedKeys, maxAgeMs: keyMaxAgeMs });
  }

  /** What is known of each id; one look-up for those that are not at hand. @throws SluiceError `read_model_unavailable`, `log_unavailable` */
  async find(keyIds: ReadonlySet<string>): Promise<ReadonlyMap<string, FoundKey>> {
    const known = new Map<string, FoundKey>();
    const missing: string[] = [];
    for (const keyId of keyIds) {
      const answer = this.cache.get(keyId);
      if (answer) known.set(keyId, answer.found);
      else missing.push(keyId);
    }
    if (missing.length === 0) return known;
    const askedAt = thisMoment();
    for (const found of await this.registry.find(missing)) {
      known.set(found.keyId, found);
      this.cache.put(found.keyId, { found, askedAt });
    }
    return known;
  }
}
