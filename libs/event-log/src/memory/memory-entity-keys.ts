import type { CurrentKey, EntityKey, EntityKeys, FoundKey, JournalledKey, SealingPolicy } from '../ports/entity-keys';
import { assertNotLost, targetsOf } from '../checkpoint-lost';
import type { CheckpointMoves, Lane, LaneCheckpoints } from '../ports/durable-log';
import { logEntityKey, type LogEntity } from '../ports/log-erasure';

interface KeptKey {
  readonly keyId: string;
  readonly entity: LogEntity;
  readonly generation: number;
  /** Of one generation one key seals. Others come from a journal that knows more than this index did. */
  readonly seals: boolean;
  readonly addedAt: number;
  key: Uint8Array | undefined;
  isStored: boolean;
}

/** EntityKeys in the memory of one process: for tests, and the readable specification of the port. */
export class MemoryEntityKeys implements EntityKeys {
  private readonly keys = new Map<string, KeptKey>();
  private readonly checkpoints = new Map<Lane, number>();
  private policy: SealingPolicy = { keyMaxAgeMs: 0, hasUnsealed: false };

  async register({ keyMaxAgeMs, hasUnsealed }: SealingPolicy): Promise<SealingPolicy> {
    this.policy = {
      keyMaxAgeMs: Math.max(keyMaxAgeMs, this.policy.keyMaxAgeMs),
      hasUnsealed: hasUnsealed || this.policy.hasUnsealed,
    };
    return this.policy;
  }

  async current(entities: readonly LogEntity[]): Promise<readonly CurrentKey[]> {
    return entities.flatMap((entity) => this.newestOf(entity) ?? []).map(toCurrent);
  }

  async add(keys: readonly EntityKey[]): Promise<readonly string[]> {
    const added = keys.filter(({ entity, generation }) => (this.newestOf(entity)?.generation ?? -1) < generation);
    for (const { keyId, entity, generation, key } of added) {
      this.keep({ keyId, entity, generation, key, isStored: false });
    }
    return added.map(({ keyId }) => keyId);
  }

  async markStored(keyIds: readonly string[]): Promise<readonly JournalledKey[]> {
    const known = keyIds.flatMap((keyId) => this.keys.get(keyId) ?? []);
    for (const kept of known) kept.isStored = true;
    return known.filter(({ key }) => key === undefined).map(toJournalled);
  }

  async find(keyIds: readonly string[]): Promise<readonly FoundKey[]> {
    return keyIds
      .flatMap((keyId) => this.keys.get(keyId) ?? [])
      .map(({ keyId, entity, key }) => ({ keyId, entity, ...(key === undefined ? {} : { key }) }));
  }

  async addGeneration(entity: LogEntity, { keyId, key }: Pick<EntityKey, 'keyId' | 'key'>): Promise<number> {
    const generation = (this.newestOf(entity)?.generation ?? -1) + 1;
    this.keep({ keyId, entity, generation, key, isStored: false });
    return generation;
  }

  async generationAgeMs(entity: LogEntity, generation: number): Promise<number | undefined> {
    const kept = this.sealingOf(entity, generation);
    return kept && performance.now() - kept.addedAt;
  }

  async before(entity: LogEntity, generation: number): Promise<readonly Omit<EntityKey, 'key'>[]> {
    return this.of(entity)
      .filter((kept) => kept.generation < generation)
      .map(({ keyId, generation: number }) => ({ keyId, entity, generation: number }));
  }

  async destroy(keyIds: readonly string[]): Promise<void> {
    for (const keyId of keyIds) {
      const kept = this.keys.get(keyId);
      if (kept) kept.key = undefined;
    }
  }

  async loadCheckpoints(lanes: readonly Lane[]): Promise<LaneCheckpoints> {
    return new Map([...this.checkpoints].filter(([lane]) => lanes.includes(lane)));
  }

  async takeOver(keys: readonly JournalledKey[], checkpoints: CheckpointMoves): Promise<readonly JournalledKey[]> {
    assertNotLost(checkpoints, this.checkpoints);
    const revived: JournalledKey[] = [];
    for (const { keyId, entity, generation, key } of keys) {
      const known = this.keys.get(keyId);
      if (!known) this.keep({ keyId, entity, generation, key, isStored: true });
      else if (key === undefined) known.key = undefined;
      else if (known.key === undefined) revived.push(toJournalled(known));
      else known.isStored = true;
    }
    for (const [lane, to] of targetsOf(checkpoints)) {
      this.checkpoints.set(lane, Math.max(to, this.checkpoints.get(lane) ?? 0));
    }
    return revived;
  }

  private keep(key: Omit<KeptKey, 'seals' | 'addedAt'>): void {
    const seals = this.sealingOf(key.entity, key.generation) === undefined;
    this.keys.set(key.keyId, { ...key, seals, addedAt: performance.now() });
  }

  private of(entity: LogEntity): readonly KeptKey[] {
    const wanted = logEntityKey(entity);
    return [...this.keys.values()].filter((kept) => logEntityKey(kept.entity) === wanted);
  }

  private sealingOf(entity: LogEntity, generation: number): KeptKey | undefined {
    return this.of(entity).find((kept) => kept.seals && kept.generation === generation);
  }

  private newestOf(entity: LogEntity): KeptKey | undefined {
    return this.of(entity)
      .filter(({ seals }) => seals)
      .sort((a, b) => b.generation - a.generation)[0];
  }
}

function toJournalled({ keyId, entity, generation, key }: KeptKey): JournalledKey {
  return { keyId, entity, generation, ...(key === undefined ? {} : { key }) };
}

function toCurrent(kept: KeptKey): CurrentKey {
  return { ...toJournalled(kept), isStored: kept.isStored };
}
