import { SluiceError, type BegunErasure, type ByteLog, type LogEntity, type LogErasure } from '@sluice/event-log';
import { entityKey, type EncodedEnvelope } from '@sluice/event-schema';
import type { BegunGeneration, KeyRegistry, SealingKey } from './key-registry';
import type { SealedSettings } from './options';
import { isSealedFamily } from './sealed-families';
import { sealEvent } from './sealed-record';

const CAVEAT =
  'The log has records that are not sealed, from others or from a time without sealing. Those of the entity stay in it.';

/**
 * Erases by destroying keys: the records stay, and nobody can read them any more. The mark has the number of the
 * generation whose keys are the first to stay, and when it was begun.
 */
export class SealedLogErasure implements LogErasure {
  readonly refusal: string | undefined;

  constructor(
    private readonly log: ByteLog,
    private readonly registry: KeyRegistry,
    settings: Pick<SealedSettings, 'sealing'>,
  ) {
    this.refusal = settings.sealing
      ? undefined
      : 'Events are not sealed here (SLUICE_LOG_SEALING is off), so that the log cannot forget them';
  }

  /** Other processes may keep keys for longer than this one. */
  async readersForgetMs(): Promise<number> {
    return (await this.registry.policy()).keyMaxAgeMs;
  }

  async begin(entity: LogEntity): Promise<BegunErasure> {
    this.requireSealed(entity);
    const { readyInMs, ...begun } = await this.registry.beginGeneration(entity);
    const { hasUnsealed } = await this.registry.policy();
    return {
      mark: toMark(begun),
      readyAt: begun.begunAt + readyInMs,
      ...(hasUnsealed ? { caveat: CAVEAT } : {}),
    };
  }

  async isReady(entity: LogEntity, mark: string): Promise<boolean> {
    this.requireSealed(entity);
    return this.registry.isReady(entity, fromMark(mark));
  }

  async finish(
    entity: LogEntity,
    mark: string,
    kept: AsyncIterable<readonly EncodedEnvelope[]>,
    confirm?: () => Promise<void>,
  ): Promise<void> {
    this.requireSealed(entity);
    const begun = fromMark(mark);
    const { generation } = begun;
    if (!(await this.registry.isReady(entity, begun))) {
      throw new SluiceError('conflict', 'What is to be erased cannot be told from what comes later yet');
    }
    const key = await this.newestKey(entity);
    // Of an index that lost the generation, or where somebody destroyed it: its records would go with the others.
    if (key.generation < generation)
      throw new SluiceError('conflict', 'The erasure is not what the log knows any more');
    for await (const events of kept) {
      await this.log.appendEntries(
        events.map((envelope) => ({ key: entityKey(envelope.event), value: sealEvent(envelope, key) })),
      );
      // As long as this key is the newest one, nobody has begun to destroy it.
      const { keyId } = await this.newestKey(entity);
      if (keyId !== key.keyId) throw new SluiceError('conflict', 'Another erasure of the entity was begun meanwhile');
    }
    await this.registry.destroyBefore(entity, generation, confirm);
  }

  private async newestKey(entity: LogEntity): Promise<SealingKey> {
    const [key] = (await this.registry.sealingKeys([entity])).values();
    if (!key) throw new SluiceError('log_unavailable', 'There is no key');
    return key;
  }

  private requireSealed({ family }: LogEntity): void {
    if (this.refusal !== undefined) throw new SluiceError('conflict', this.refusal);
    if (!isSealedFamily(family)) throw new SluiceError('conflict', `Events of the family ${family} are not sealed`);
  }
}

function toMark({ generation, begunAt }: BegunGeneration): string {
  return `${generation}-${begunAt}`;
}

/** @throws SluiceError `conflict` */
function fromMark(mark: string): BegunGeneration {
  const [, generation, begunAt] = /^(\d{1,9})-(\d{1,15})$/.exec(mark) ?? [];
  if (generation === undefined) throw new SluiceError('conflict', 'No erasure of this log has this mark');
  return { generation: Number(generation), begunAt: Number(begunAt) };
}
