import {
  BEFORE_FIRST,
  encodeCursor,
  isSelective,
  SluiceError,
  toPosition,
  type Cursor,
  type CursorPlace,
  type EventFilter,
  type Head,
  type RecordedEventReader,
  type RecordedPage,
  type ResetReason,
  type StartPlace,
} from '@sluice/event-log';
import type { EncodedRecordedEvent, Position } from '@sluice/event-schema';

export type Order = 'asc' | 'desc';

export interface PageRequest {
  readonly filter: EventFilter;
  /** With `asc` the page has what comes after this place, with `desc` what comes before it. */
  readonly start?: StartPlace | undefined;
  readonly order: Order;
  readonly limit: number;
  /** Only events that occurred later than this, in milliseconds since 1970. */
  readonly occurredAfter?: number | undefined;
  /** Only events that occurred earlier than this. */
  readonly occurredBefore?: number | undefined;
}

export interface EventPage {
  readonly events: readonly EncodedRecordedEvent[];
  /** The newest event when the page was read: nothing on the page is newer. */
  readonly head: Head;
  /** Where the next page starts; absent when this was the last one. A page may have no event and yet a next one. */
  readonly next?: Cursor;
  /**
   * Set where some of what comes after the cursor is not kept any more: all of it is up to this place. What is kept is on the
   * page and those that follow. `next` knows of it: it is told once.
   */
  readonly reset?: PageReset;
}

export interface PageReset {
  readonly reason: ResetReason;
  readonly cursor: Cursor;
}

/** What was found for a page. */
interface Collected {
  readonly events: readonly EncodedRecordedEvent[];
  readonly reached?: Position | undefined;
}

/** What lies between two positions: above `after`, up to `upTo`. */
interface Span {
  readonly after: Position;
  readonly upTo: Position;
}

/** What bounds the reads for one page. */
export interface PageLimits {
  /** Most bytes of events on a page. */
  readonly maxPageBytes: number;
  /** Most positions that one read looks at, where its filter is not one of an index. */
  readonly scanPositions?: number;
  /** Most such reads for one page. */
  readonly scansPerPage?: number;
}

const SCAN_POSITIONS = 100_000;
const SCANS_PER_PAGE = 10;

/**
 * Reads events page by page. A page has at most `limit` events and `maxPageBytes`, but always one event if there is one
 * among the positions that it looked at. A rare filter may find none there: the page is short then, or empty, and has a
 * `next`.
 */
export class EventPages {
  private readonly limits: Required<PageLimits>;

  constructor(
    private readonly reader: Pick<RecordedEventReader, 'head' | 'read'>,
    limits: PageLimits,
  ) {
    this.limits = { scanPositions: SCAN_POSITIONS, scansPerPage: SCANS_PER_PAGE, ...limits };
  }

  /**
   * Each event is on one page exactly, whatever is recorded meanwhile.
   * @throws SluiceError `invalid_cursor` for the cursor of another numbering, `read_model_unavailable`
   */
  async read(request: PageRequest): Promise<EventPage> {
    const head = await this.reader.head();
    const losses = new Losses(request);
    const { events, reached } = await this.collect(request, spanOf(request, head), losses);
    const upTo = losses.upTo(events[0]?.event.position, reached);
    return {
      events,
      head,
      ...(reached !== undefined && { next: encodeCursor({ epoch: head.epoch, ...losses.at(reached) }) }),
      ...(upTo !== undefined && {
        reset: { reason: 'no_longer_kept', cursor: encodeCursor({ epoch: head.epoch, ...losses.at(upTo) }) },
      }),
    };
  }

  /** The events of a page, and where the next one starts if the span has more. */
  private async collect(request: PageRequest, whole: Span, losses: Losses): Promise<Collected> {
    const { order, limit } = request;
    const { maxPageBytes, scansPerPage } = this.limits;
    const events: EncodedRecordedEvent[] = [];
    let bytes = 0;
    let reached: Position | undefined;
    let span = whole;
    for (let scans = 0; span.after < span.upTo; scans++) {
      if (scans === scansPerPage) return { events, reached };
      const scanned = this.scanOf(request, span);
      const found = await this.find(request, scanned, losses, [limit - events.length, maxPageBytes - bytes]);
      losses.note(found, span.after);
      for (const event of found.events) {
        // Recorded events are a little larger than the envelopes that the read counted.
        const size = Buffer.byteLength(event.json);
        const isFull = events.length === limit || (events.length > 0 && bytes + size > maxPageBytes);
        if (isFull) return { events, reached: events.at(-1)?.event.position };
        events.push(event);
        bytes += size;
      }
      if (!found.complete) return { events, reached: events.at(-1)?.event.position };
      reached = order === 'asc' ? scanned.upTo : toPosition(scanned.after + 1);
      span = beyond(span, reached, order);
    }
    return { events };
  }

  private find(
    { filter, order, occurredAfter, occurredBefore }: PageRequest,
    span: Span,
    { knownRevision }: Losses,
    [wanted, maxBytes]: readonly [number, number],
  ): Promise<RecordedPage> {
    return this.reader.read({
      filter,
      ...span,
      order: order === 'asc' ? 'ascending' : 'descending',
      // One more than is wanted tells whether there is a next page.
      limit: wanted + 1,
      maxBytes: Math.max(1, maxBytes),
      knownRevision,
      ...(occurredAfter === undefined ? {} : { occurredAfter }),
      ...(occurredBefore === undefined ? {} : { occurredBefore }),
    });
  }

  /** The part of the span that one read may look at. */
  private scanOf({ filter, order, occurredAfter, occurredBefore }: PageRequest, span: Span): Span {
    const ofAnyTime = occurredAfter === undefined && occurredBefore === undefined;
    if (isSelective(filter) && (ofAnyTime || filter.entityIds)) return span;
    const { after, upTo } = span;
    const { scanPositions } = this.limits;
    return order === 'asc'
      ? { after, upTo: toPosition(Math.min(upTo, after + scanPositions)) }
      : { after: toPosition(Math.max(after, upTo - scanPositions)), upTo };
  }
}

/**
 * What was removed before a reader had it. Who reads backwards, or from the beginning, reads what is kept; who reads on from a
 * cursor is told of what is not, unless the cursor says that it is known.
 */
class Losses {
  /** The highest position that is gone and should have been read; undefined where none is. */
  floor: Position | undefined;
  /** The removals that the reader knows of; undefined before it has begun. */
  private revision: number | undefined;
  /** Beyond this position none of these matters. */
  private knownUpTo: Position = BEFORE_FIRST;

  constructor(private readonly request: PageRequest) {
    if (typeof request.start === 'object') this.revision = request.start.revision ?? 0;
  }

  get knownRevision(): number {
    return this.revision ?? 0;
  }

  /** Up to where nothing is left of what it should have read: whoever goes on from there misses nothing that is kept. */
  upTo(firstOnPage: Position | undefined, reached: Position | undefined): Position | undefined {
    if (this.floor === undefined) return undefined;
    return toPosition(Math.min(this.floor, firstOnPage === undefined ? (reached ?? this.floor) : firstOnPage - 1));
  }

  /** Where a reader goes on, with what it knows. */
  at(position: Position): Omit<CursorPlace, 'epoch'> {
    const isKnown = this.request.order === 'asc' && position < this.knownUpTo && this.knownRevision > 0;
    return { position, ...(isKnown && { revision: this.knownRevision }) };
  }

  /** @param after everything up to there was read */
  note({ floor, lost, revision }: RecordedPage, after: Position): void {
    const isNews = this.request.order === 'asc' && this.revision !== undefined && lost > after;
    if (isNews) this.floor = toPosition(Math.max(lost, this.floor ?? BEFORE_FIRST));
    if (isNews || this.revision === undefined) this.revision = revision;
    this.knownUpTo = floor;
  }
}

function beyond(span: Span, position: Position, order: Order): Span {
  return order === 'asc' ? { ...span, after: position } : { ...span, upTo: before(position) };
}

const before = (position: Position) => toPosition(Math.max(0, position - 1));

/** Bounded by the head, so that what the page does not have yet is after the head and in nobody's blind spot. */
function spanOf({ start, order }: PageRequest, { epoch, position: head }: Head): Span {
  const all: Span = { after: BEFORE_FIRST, upTo: head };
  if (start === undefined) return all;
  if (start === 'earliest') return order === 'asc' ? all : { ...all, upTo: BEFORE_FIRST };
  if (start === 'latest') return order === 'desc' ? all : { ...all, after: head };
  if (start.epoch !== epoch) {
    throw invalidCursor('The cursor is of an older numbering of the events; start again without it');
  }
  if (start.position > head) {
    throw invalidCursor('The cursor is ahead of the newest event; start again without it');
  }
  return beyond(all, start.position, order);
}

function invalidCursor(message: string): SluiceError {
  return new SluiceError('invalid_cursor', message, { where: 'query.cursor' });
}
