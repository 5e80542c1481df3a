import {
  SluiceError,
  toSluiceError,
  type Head,
  type ReadEventsOptions,
  type RecordedEventReader,
} from '@sluice/event-log';
import type { EncodedRecordedEvent } from '@sluice/event-schema';
import { BackOff, Permits, type Pauses } from './background';
import type { DeliveryMetrics } from './delivery-metrics';
import type { DeliveryLimits } from './limits';

export interface PageReaderOptions {
  readonly reader: RecordedEventReader;
  readonly limits: DeliveryLimits;
  readonly metrics: DeliveryMetrics;
  readonly pauses: Pauses;
  /** Reads the head of the read model anew; a new epoch takes effect before it resolves. */
  refresh(): Promise<Head>;
  onFault(error: unknown): void;
}

/** Reads the pages of all backfills: so many at the same time, each with so many attempts. */
export class PageReader {
  private readonly permits: Permits;

  constructor(private readonly options: PageReaderOptions) {
    this.permits = new Permits(options.limits.concurrentPageReads);
  }

  /** Reads in hand. */
  get reading(): number {
    return this.permits.used;
  }

  /**
   * One page; empty as soon as nobody wants it any more, which the caller must look at again before it uses the page.
   * @throws SluiceError `read_model_unavailable` after the last attempt.
   */
  async read(page: ReadEventsOptions, isWanted: () => boolean): Promise<readonly EncodedRecordedEvent[]> {
    const { limits, pauses, onFault } = this.options;
    const backOff = new BackOff(limits);
    for (let attempt = 1; isWanted(); attempt++) {
      try {
        return await this.permits.run(() => this.attempt(page, isWanted));
      } catch (error) {
        onFault(error);
        if (attempt >= limits.pageAttempts) throw unreadable(error);
        await pauses.pause(backOff.next());
      }
    }
    return [];
  }

  private async attempt(page: ReadEventsOptions, isWanted: () => boolean): Promise<readonly EncodedRecordedEvent[]> {
    if (!isWanted()) return [];
    const events = await this.options.reader.read(page);
    this.options.metrics.pageRead(events.length);
    // Asked after the page: if the numbering has changed by now, the subscription is reset and the page not wanted.
    await this.options.refresh();
    return events;
  }
}

/** So many events of the size of the last page's as make a page of the wanted bytes. */
export function nextPageEvents(limit: number, lastEvents: number, lastBytes: number, limits: DeliveryLimits): number {
  if (lastEvents === 0) return limit;
  return Math.max(1, Math.min(limits.pageEvents, Math.floor((limits.pageBytes * lastEvents) / lastBytes)));
}

function unreadable(error: unknown): SluiceError {
  const cause = toSluiceError(error);
  return cause.retryable
    ? cause
    : new SluiceError('read_model_unavailable', 'The read model cannot be read', { cause });
}
