import type { EncodedEnvelope } from '@sluice/event-schema';
import { recordOfEntity } from '../entity-records';
import { SluiceError } from '../errors';
import type { BegunErasure, LogEntity, LogErasure } from '../ports/log-erasure';
import type { MemoryLane } from './memory-lane';

/** Erases in place: what is kept gets its text where it is, the rest leaves a hole. */
export class MemoryLogErasure implements LogErasure {
  readonly refusal = undefined;

  constructor(
    private readonly lanes: readonly MemoryLane[],
    private readonly append: (events: readonly EncodedEnvelope[]) => Promise<void>,
  ) {}

  /** The mark is where each lane ends. */
  async begin(): Promise<BegunErasure> {
    return { mark: this.lanes.map(({ end }) => end).join('.'), readyAt: Date.now() };
  }

  async readersForgetMs(): Promise<number> {
    return 0;
  }

  async isReady(): Promise<boolean> {
    return true;
  }

  async finish(
    entity: LogEntity,
    mark: string,
    kept: AsyncIterable<readonly EncodedEnvelope[]>,
    confirm?: () => Promise<void>,
  ): Promise<void> {
    const ends = mark.split('.').map(Number);
    if (ends.length !== this.lanes.length || !ends.every((end) => Number.isInteger(end))) {
      throw new SluiceError('conflict', 'No erasure of this log has this mark');
    }
    const texts = new Map<string, EncodedEnvelope>();
    for await (const batch of kept) for (const envelope of batch) texts.set(envelope.event.id, envelope);
    const lacking = new Map(texts);
    for (const { value } of this.lanes.flatMap((lane) => lane.from(0))) {
      const about = recordOfEntity(value, entity);
      if (about.kind === 'event') lacking.delete(about.eventId);
    }
    await this.append([...lacking.values()]);
    for (const [n, lane] of this.lanes.entries()) {
      await confirm?.();
      lane.change(ends[n] ?? 0, ({ value }) => {
        const about = recordOfEntity(value, entity);
        if (about.kind === 'other') return value;
        const text = about.kind === 'event' ? texts.get(about.eventId)?.json : undefined;
        return text === undefined ? undefined : new TextEncoder().encode(text);
      });
    }
  }
}
