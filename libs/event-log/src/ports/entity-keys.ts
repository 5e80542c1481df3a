import type { CheckpointMoves, Lane, LaneCheckpoints } from './durable-log';
import type { LogEntity } from './log-erasure';

/**
 * A key by which records of one entity are sealed. The generations of an entity count from 0; the newest one seals. An erasure
 * begins a new generation, and ends by destroying those before it.
 */
export interface EntityKey {
  /** UUID. */
  readonly keyId: string;
  readonly entity: LogEntity;
  readonly generation: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** What the journal of keys has of a key: the key, or that it was destroyed. */
export interface JournalledKey extends Omit<EntityKey, 'key'> {
  /** Absent: destroyed. */
  readonly key?: Uint8Array;
}

/** The newest generation of an entity. */
export interface CurrentKey extends JournalledKey {
  /** It is in the journal too, and may be used. */
  readonly isStored: boolean;
}

/** What the index knows of a key id. Of an id that is not in the answer it knows nothing. */
export interface FoundKey {
  readonly keyId: string;
  readonly entity: LogEntity;
  /** Absent: destroyed. */
  readonly key?: Uint8Array;
}

/** What processes have to know of each other for an erasure to be safe. */
export interface SealingPolicy {
  /** The longest that any process ever was allowed to use a key without asking for it again. */
  readonly keyMaxAgeMs: number;
  /** There are, or may be, records that are not sealed although they should be. */
  readonly hasUnsealed: boolean;
}

/**
 * The index of the keys of entities, shared by all processes. It can be made anew from the journal of keys, which has each key
 * before it is used. Every method may throw SluiceError `read_model_unavailable`, and can be repeated.
 */
export interface EntityKeys {
  /**
   * To be called by each process before it asks for keys: the policy takes the greater age of the two, and that there is
   * something unsealed.
   */
  register(policy: SealingPolicy): Promise<SealingPolicy>;

  /** The newest generation of each entity that has one. It may be destroyed. */
  current(entities: readonly LogEntity[]): Promise<readonly CurrentKey[]>;

  /**
   * Adds keys, at most one of an entity, each where its entity has neither its generation nor a later one.
   * @returns the ids of those that were added, and were the newest then: for the other entities ask `current`
   */
  add(keys: readonly EntityKey[]): Promise<readonly string[]>;

  /** Notes that the journal has these keys. The answer are those that were destroyed meanwhile: the journal is to be told. */
  markStored(keyIds: readonly string[]): Promise<readonly JournalledKey[]>;

  find(keyIds: readonly string[]): Promise<readonly FoundKey[]>;

  /**
   * Adds the next generation of an entity, by this key.
   * @returns its number: what is before it is what an erasure destroys
   */
  addGeneration(entity: LogEntity, key: Pick<EntityKey, 'keyId' | 'key'>): Promise<number>;

  /**
   * How long this generation has been what every look-up finds, at least, by the clock of the index; undefined when there is no
   * such generation.
   */
  generationAgeMs(entity: LogEntity, generation: number): Promise<number | undefined>;

  /** Every key of the entity in generations before this one, destroyed ones too. */
  before(entity: LogEntity, generation: number): Promise<readonly Omit<EntityKey, 'key'>[]>;

  destroy(keyIds: readonly string[]): Promise<void>;

  /** How far into the journal the index has come. */
  loadCheckpoints(lanes: readonly Lane[]): Promise<LaneCheckpoints>;

  /**
   * Takes over what the journal has, and how far that is, at once. A key that is destroyed stays so, wherever that is said. A
   * checkpoint never moves back.
   * @returns those that are destroyed here and that the journal has as keys: it is to be told
   * @throws CheckpointLost when the index has not come to where the journal was read from: nothing is taken over
   */
  takeOver(keys: readonly JournalledKey[], checkpoints: CheckpointMoves): Promise<readonly JournalledKey[]>;
}
