import {
  BEFORE_FIRST,
  isSelective,
  SluiceError,
  toPosition,
  toSluiceError,
  type EventFilter,
  type Head,
  type RecordedEventReader,
  type RecordedPage,
} from '@sluice/event-log';
import type { Position } from '@sluice/event-schema';
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

/** What somebody wants to read, page by page. */
export interface PageRange {
  readonly filter: EventFilter;
  /** For whom it is read. */
  readonly caller: string;
  readonly after: Position;
  readonly upTo: Position;
  /** Most bytes on one page, which has one event at least. */
  readonly maxBytes: number;
  /** See ReadEventsOptions. */
  readonly knownRevision: number;
}

export interface BackfillPage extends Pick<RecordedPage, 'events' | 'floor' | 'lost' | 'revision'> {
  /** Whatever matches up to here is on this page or was before it. The next page begins after it. */
  readonly reached: Position;
}

/**
 * Reads the pages of all backfills: so many at the same time, each with so many attempts, positions and bytes. What one
 * caller wants, and leaves waiting, takes little from the others.
 */
export class PageReader {
  private readonly permits: Permits;
  private waiting = 0;
  private readonly waitingByCaller = new Map<string, number>();

  constructor(private readonly options: PageReaderOptions) {
    const { concurrentPageReads, callerPageReads } = options.limits;
    this.permits = new Permits(concurrentPageReads, callerPageReads);
  }

  /** Reads in hand. */
  get reading(): number {
    return this.permits.used;
  }

  /** Bytes of pages that subscribers have not taken yet. */
  get waitingBytes(): number {
    return this.waiting;
  }

  /** Notes that so many bytes wait for the subscribers of a caller more than before, or less. */
  addWaiting(caller: string, bytes: number): void {
    this.waiting += bytes;
    const ofCaller = this.waitingOf(caller) + bytes;
    if (ofCaller > 0) this.waitingByCaller.set(caller, ofCaller);
    else this.waitingByCaller.delete(caller);
  }

  private waitingOf(caller: string): number {
    return this.waitingByCaller.get(caller) ?? 0;
  }

  /**
   * The next page of a range; a small one while many bytes wait. It is empty where a rare filter found nothing yet, and as
   * soon as nobody wants it any more, which the caller must look at again before it uses the page.
   * @throws SluiceError `read_model_unavailable` after the last attempt.
   */
  async read(range: PageRange, isWanted: () => boolean): Promise<BackfillPage> {
    const { limits, pauses, onFault } = this.options;
    const backOff = new BackOff(limits);
    for (let attempt = 1; isWanted(); attempt++) {
      try {
        return await this.permits.run(range.caller, () => this.attempt(range, isWanted));
      } catch (error) {
        onFault(error);
        if (attempt >= limits.pageAttempts) throw unreadable(error);
        await pauses.pause(backOff.next());
      }
    }
    return nothing(range);
  }

  private async attempt(range: PageRange, isWanted: () => boolean): Promise<BackfillPage> {
    const { filter, caller, after, knownRevision } = range;
    if (!isWanted()) return nothing(range);
    const { reader, limits, metrics } = this.options;
    // A rare filter must not make one read look through everything.
    const upTo = isSelective(filter) ? range.upTo : toPosition(Math.min(range.upTo, after + limits.scanPositions));
    const maxBytes = Math.min(range.maxBytes, this.shareOfWaiting(caller));
    const { events, complete, ...removals } = await reader.read({
      ...{ filter, after, upTo, knownRevision, maxBytes },
      limit: limits.pageEvents,
    });
    metrics.pageRead(events.length);
    // Asked after the page: if the numbering has changed by now, the subscription is reset and the page not wanted.
    await this.options.refresh();
    return { events, reached: complete ? upTo : (events.at(-1)?.event.position ?? after), ...removals };
  }

  /** What every read at this moment may bring without all of them going beyond the bounds. */
  private shareOfWaiting(caller: string): number {
    const { waitingPageBytes, callerWaitingPageBytes, concurrentPageReads, leastPageBytes } = this.options.limits;
    const left = Math.min(waitingPageBytes - this.waiting, callerWaitingPageBytes - this.waitingOf(caller));
    return Math.max(leastPageBytes, Math.floor(left / concurrentPageReads));
  }
}

function nothing({ after }: PageRange): BackfillPage {
  return { events: [], reached: after, floor: BEFORE_FIRST, lost: BEFORE_FIRST, revision: 0 };
}

function unreadable(error: unknown): SluiceError {
  const cause = toSluiceError(error);
  return cause.retryable
    ? cause
    : new SluiceError('read_model_unavailable', 'The read model cannot be read', { cause });
}
