import { randomBytes, randomUUID } from 'node:crypto';
import {
  logEntityKey,
  SluiceError,
  type CurrentKey,
  type EntityKeys,
  type FoundKey,
  type JournalledKey,
  type LogEntity,
  type SealingPolicy,
} from '@sluice/event-log';
import { KEY_AGE_FACTORS, thisMoment, type Moment } from './key-age';
import type { KeyJournal } from './key-journal';
import type { SealedSettings } from './options';
import { KEY_BYTES, type RecordKey } from './sealed-record';

/** A key to seal by, and when it was the newest one. */
export interface SealingKey extends RecordKey {
  readonly generation: number;
  readonly askedAt: Moment;
}

/** A generation that an erasure has begun, and when, in milliseconds since 1970 by the clock of whoever did. */
export interface BegunGeneration {
  readonly generation: number;
  readonly begunAt: number;
}

/** How often a look-up is begun anew because a key was destroyed while it was being stored. */
const MAX_ROUNDS = 5;

/**
 * Finds, makes and destroys keys. A key may be used when the journal has it. Of two processes that make the key of one entity
 * at the same moment, one uses the other's; if that one ended before the key was in the journal, the next one stores it again.
 */
export class KeyRegistry {
  private starting: Promise<SealingPolicy> | undefined;
  private noted = false;

  constructor(
    private readonly keys: EntityKeys,
    private readonly journal: KeyJournal,
    private readonly settings: SealedSettings,
  ) {}

  /**
   * Once per process, before it asks for keys: the index has what the journal has. After a backup of the index was put back,
   * this is what keeps destroyed keys destroyed, and lost ones found.
   */
  start(): Promise<SealingPolicy> {
    this.starting ??= this.prepare().catch((error: unknown) => {
      this.starting = undefined;
      throw error;
    });
    return this.starting;
  }

  private async prepare(): Promise<SealingPolicy> {
    const { sealing, limits } = this.settings;
    const policy = await this.keys.register({ keyMaxAgeMs: limits.keyMaxAgeMs, hasUnsealed: !sealing });
    await this.journal.catchUp();
    return policy;
  }

  /** Notes, once, that the log has records that are not sealed although they should be. */
  async noteUnsealed(): Promise<void> {
    if (this.noted) return;
    await this.keys.register({ keyMaxAgeMs: this.settings.limits.keyMaxAgeMs, hasUnsealed: true });
    this.noted = true;
  }

  /** The newest key of each entity, by `logEntityKey`; made where there is none. Each is in the journal. */
  async sealingKeys(entities: readonly LogEntity[]): Promise<ReadonlyMap<string, SealingKey>> {
    await this.start();
    const startedAt = performance.now();
    const counted = { keys: entities.length, made: 0 };
    try {
      return await this.findOrMake(entities, counted);
    } finally {
      this.settings.onMetric({ name: 'keys_looked_up', ...counted, durationMs: performance.now() - startedAt });
    }
  }

  private async findOrMake(
    entities: readonly LogEntity[],
    counted: { made: number },
  ): Promise<ReadonlyMap<string, SealingKey>> {
    const found = new Map<string, SealingKey>();
    for (let round = 0; round < MAX_ROUNDS && found.size < entities.length; round++) {
      const askedAt = thisMoment();
      const wanted = entities.filter((entity) => !found.has(logEntityKey(entity)));
      const { current, made } = await this.lookUp(wanted);
      counted.made += made;
      const destroyed = await this.storeMissing(current);
      for (const { keyId, entity, generation, key } of current) {
        if (key === undefined || destroyed.has(keyId)) continue;
        found.set(logEntityKey(entity), { keyId, entity, generation, key, askedAt });
      }
    }
    if (found.size < entities.length)
      throw new SluiceError('log_unavailable', 'Keys are destroyed while they are made');
    return found;
  }

  async find(keyIds: readonly string[]): Promise<readonly FoundKey[]> {
    await this.start();
    const found = await this.keys.find(keyIds);
    if (found.length === keyIds.length) return found;
    // The journal has a key before any record has its id.
    await this.journal.catchUp();
    return this.keys.find(keyIds);
  }

  /** @returns the new generation, and how long to wait until it is the only one that is used */
  async beginGeneration(entity: LogEntity): Promise<BegunGeneration & { readonly readyInMs: number }> {
    await this.start();
    // An index that lost a generation would give its number to another one.
    await this.journal.catchUp();
    const generation = await this.keys.addGeneration(entity, newKey());
    const { keyMaxAgeMs } = await this.policy();
    return { generation, begunAt: Date.now(), readyInMs: keyMaxAgeMs * KEY_AGE_FACTORS.ready };
  }

  /**
   * By the clock of the index and by that of this machine, so that one that is set does not end the wait.
   *
   * @param begunAt when the generation was begun, in milliseconds since 1970
   * @throws SluiceError `conflict` when there is no such generation, or when this clock was set back since
   */
  async isReady(entity: LogEntity, { generation, begunAt }: BegunGeneration): Promise<boolean> {
    await this.start();
    const ageMs = await this.keys.generationAgeMs(entity, generation);
    if (ageMs === undefined) throw new SluiceError('conflict', 'No erasure of this log has this mark');
    const readyMs = (await this.policy()).keyMaxAgeMs * KEY_AGE_FACTORS.ready;
    const ownAgeMs = Date.now() - begunAt;
    if (ownAgeMs < -readyMs) throw new SluiceError('conflict', 'The clock was set back since the erasure was begun');
    return Math.min(ageMs, ownAgeMs) >= readyMs;
  }

  /**
   * Destroys every key of the entity before this generation: in the journal first, so that no index can bring one back.
   * @param confirm asked right before that: where it rejects, none is destroyed
   */
  async destroyBefore(entity: LogEntity, generation: number, confirm?: () => Promise<void>): Promise<void> {
    await this.journal.catchUp();
    const keys = await this.keys.before(entity, generation);
    await confirm?.();
    await this.journal.store(keys);
    await this.keys.destroy(keys.map(({ keyId }) => keyId));
  }

  /** As it is now: other processes may have changed it. */
  policy(): Promise<SealingPolicy> {
    return this.keys.register({ keyMaxAgeMs: this.settings.limits.keyMaxAgeMs, hasUnsealed: false });
  }

  private async lookUp(entities: readonly LogEntity[]): Promise<{ current: readonly CurrentKey[]; made: number }> {
    const current = await this.keys.current(entities);
    const known = new Map(current.map((key) => [logEntityKey(key.entity), key]));
    const lacking = entities.filter((entity) => known.get(logEntityKey(entity))?.key === undefined);
    if (lacking.length === 0) return { current, made: 0 };
    const offered = lacking.map((entity) => {
      const generation = (known.get(logEntityKey(entity))?.generation ?? -1) + 1;
      return { ...newKey(), entity, generation };
    });
    const added = new Set(await this.keys.add(offered));
    const made = offered.filter(({ keyId }) => added.has(keyId)).map((key) => ({ ...key, isStored: false }));
    // Others made theirs at the same moment.
    const taken = offered.filter(({ keyId }) => !added.has(keyId)).map(({ entity }) => entity);
    const theirs = taken.length === 0 ? [] : await this.keys.current(taken);
    return { current: [...current.filter(({ key }) => key !== undefined), ...made, ...theirs], made: made.length };
  }

  /** @returns the ids of keys that were destroyed meanwhile */
  private async storeMissing(current: readonly CurrentKey[]): Promise<ReadonlySet<string>> {
    const missing = current.filter(({ isStored, key }) => !isStored && key !== undefined);
    if (missing.length === 0) return new Set();
    await this.journal.store(missing);
    const destroyed: readonly JournalledKey[] = await this.keys.markStored(missing.map(({ keyId }) => keyId));
    await this.journal.store(destroyed);
    return new Set(destroyed.map(({ keyId }) => keyId));
  }
}

function newKey(): { readonly keyId: string; readonly key: Uint8Array } {
  return { keyId: randomUUID(), key: randomBytes(KEY_BYTES) };
}
