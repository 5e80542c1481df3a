import {
  logEntityKey,
  SluiceError,
  type ByteLog,
  type DurableLog,
  type FollowLogOptions,
  type LaneCheckpoints,
  type LogEntity,
  type LogEntry,
  type LogFollower,
} from '@sluice/event-log';
import { entityKey, type EncodedEnvelope } from '@sluice/event-schema';
import { BatchOpener } from './batch-opener';
import { ageMs, KEY_AGE_FACTORS } from './key-age';
import { KeyJournal } from './key-journal';
import { KeyRegistry, type SealingKey } from './key-registry';
import { OpeningKeys } from './opening-keys';
import { toSettings, type SealedDurableLogOptions, type SealedSettings } from './options';
import { isSealedFamily } from './sealed-families';
import { SealedLogErasure } from './sealed-log-erasure';
import { sealEvent } from './sealed-record';
import { SealingKeys } from './sealing-keys';

/** Entries that can be handed over, and the keys that some of them are sealed by. */
interface Sealed {
  readonly entries: readonly LogEntry[];
  readonly keys: readonly SealingKey[];
}

/** Most look-ups for one append: a key may be too old again when those before it are handed over. */
const MAX_LOOK_UPS = 5;

/**
 * A log whose records are sealed, each under a key of its entity, around one that stores bytes. What is read through it is the
 * text that was appended. To destroy an entity's keys is to take its records out for good.
 */
export class SealedDurableLog implements DurableLog {
  readonly erasure: SealedLogErasure;
  private readonly log: ByteLog;
  private readonly settings: SealedSettings;
  private readonly journal: KeyJournal;
  private readonly registry: KeyRegistry;
  private readonly sealingKeys: SealingKeys;
  private readonly opener: BatchOpener;
  /** The last append of each entity that waits for keys: what comes after it must not overtake it. */
  private readonly tails = new Map<string, Promise<void>>();
  private readonly waiting = new Set<Promise<void>>();
  private waitingEvents = 0;
  private waitingBytes = 0;
  private closing: Promise<void> | undefined;

  constructor(options: SealedDurableLogOptions) {
    this.log = options.log;
    this.settings = {
      ...toSettings(options),
      // What cannot be done while it closes is no fault.
      onFault: (error) => {
        if (!this.closing) options.onFault?.(error);
      },
    };
    this.journal = new KeyJournal(options.journal, options.keys, this.settings);
    this.registry = new KeyRegistry(options.keys, this.journal, this.settings);
    this.sealingKeys = new SealingKeys(this.registry, this.settings);
    this.opener = new BatchOpener(new OpeningKeys(this.registry, this.settings), this.registry, this.settings);
    this.erasure = new SealedLogErasure(this.log, this.registry, this.settings);
    // The first append need not wait for it then.
    const started = options.sealing ? this.registry.start() : this.registry.noteUnsealed();
    started.catch((error: unknown) => this.settings.onFault(error));
  }

  append(events: readonly EncodedEnvelope[]): Promise<void> {
    if (this.closing) return Promise.reject(new SluiceError('log_unavailable', 'The log is closed'));
    const entities = new Map(events.map(({ event }) => [logEntityKey(event), event]));
    const sealed = [...entities.keys()].some((name) => this.tails.has(name)) ? undefined : this.seal(events);
    return sealed ? this.handOver(sealed) : this.appendLater(events, entities);
  }

  async follow(options: FollowLogOptions): Promise<LogFollower> {
    this.journal.follow().catch((error: unknown) => this.settings.onFault(error));
    return this.log.follow({
      ...options,
      handle: async (batch) => options.handle(await this.opener.open(batch)),
    });
  }

  ends(): Promise<LaneCheckpoints> {
    return this.log.ends();
  }

  starts(): Promise<LaneCheckpoints> {
    return this.log.starts();
  }

  check(): Promise<void> {
    return this.closing ? Promise.reject(new SluiceError('log_unavailable', 'The log is closed')) : this.log.check();
  }

  close(): Promise<void> {
    this.closing ??= this.letGo();
    return this.closing;
  }

  private async letGo(): Promise<void> {
    await Promise.allSettled(this.waiting);
    await this.log.close();
    await this.journal.close();
  }

  /** Undefined when a key is neither at hand nor among those that were loaded, or is too old. */
  private seal(
    events: readonly EncodedEnvelope[],
    loaded: ReadonlyMap<string, SealingKey> = new Map(),
  ): Sealed | undefined {
    const keys: SealingKey[] = [];
    const entries: LogEntry[] = [];
    for (const envelope of events) {
      const { event, json } = envelope;
      if (!this.settings.sealing || !isSealedFamily(event.family)) {
        entries.push({ key: entityKey(event), value: Buffer.from(json) });
        continue;
      }
      const key = loaded.get(logEntityKey(event)) ?? this.sealingKeys.get(event);
      if (!key || ageMs(key.askedAt) >= this.settings.limits.keyMaxAgeMs) return undefined;
      keys.push(key);
      entries.push({ key: entityKey(event), value: sealEvent(envelope, key) });
    }
    return { entries, keys };
  }

  /** An erasure may have taken out what is acknowledged too late: then it is not acknowledged. */
  private async handOver({ entries, keys }: Sealed): Promise<void> {
    await this.log.appendEntries(entries);
    const acknowledgeMs = this.settings.limits.keyMaxAgeMs * KEY_AGE_FACTORS.acknowledge;
    if (keys.some(({ askedAt }) => ageMs(askedAt) > acknowledgeMs)) {
      throw new SluiceError('log_unavailable', 'It took too long to store the events');
    }
  }

  private async appendLater(
    events: readonly EncodedEnvelope[],
    entities: ReadonlyMap<string, LogEntity>,
  ): Promise<void> {
    const bytes = events.reduce((total, { json }) => total + Buffer.byteLength(json), 0);
    const { maxWaitingEvents, maxWaitingBytes } = this.settings.limits;
    const fits = this.waitingEvents + events.length <= maxWaitingEvents && this.waitingBytes + bytes <= maxWaitingBytes;
    if (!fits && this.waitingEvents > 0) throw new SluiceError('overloaded', 'Too many events wait for their keys');
    this.waitingEvents += events.length;
    this.waitingBytes += bytes;
    const before = [...entities.keys()].map((name) => this.tails.get(name));
    const sealing = this.sealLater(events, [...entities.values()], before);
    // Handed over in the same turn in which the next one of an entity may begin.
    const appending = sealing.then((sealed) => this.handOver(sealed));
    const tail = sealing.then(
      () => undefined,
      () => undefined,
    );
    for (const name of entities.keys()) this.tails.set(name, tail);
    const settled = appending.catch(() => undefined);
    this.waiting.add(settled);
    try {
      await tail;
    } finally {
      this.waitingEvents -= events.length;
      this.waitingBytes -= bytes;
      for (const name of entities.keys()) if (this.tails.get(name) === tail) this.tails.delete(name);
    }
    await appending.finally(() => this.waiting.delete(settled));
  }

  /** Resolves when all keys are at hand and what came before is handed over. */
  private async sealLater(
    events: readonly EncodedEnvelope[],
    entities: readonly LogEntity[],
    before: readonly (Promise<void> | undefined)[],
  ): Promise<Sealed> {
    const lookUp = () => this.sealingKeys.load(entities.filter(({ family }) => isSealedFamily(family)));
    const [first] = await Promise.allSettled([lookUp(), ...before]);
    if (first.status === 'rejected') throw first.reason;
    let keys = first.value;
    for (let n = 1; ; n++) {
      const sealed = this.seal(events, keys);
      if (sealed) return sealed;
      if (n === MAX_LOOK_UPS) throw new SluiceError('log_unavailable', 'Keys grow old sooner than they are looked up');
      keys = await lookUp();
    }
  }
}
