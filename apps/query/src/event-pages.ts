import {
  BEFORE_FIRST,
  encodeCursor,
  SluiceError,
  toPosition,
  type Cursor,
  type EventFilter,
  type Head,
  type RecordedEventReader,
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
  /** Where the next page starts; absent when this was the last one. */
  readonly next?: Cursor;
}

/** What lies between two positions: above `after`, up to `upTo`. */
interface Span {
  readonly after: Position;
  readonly upTo: Position;
}

/** Rows of the first read of a page. The next ones are sized by what these turned out to weigh. */
const FIRST_READ_ROWS = 128;

/** Reads events page by page. A page has at most `limit` events and `maxPageBytes`, but always one event if there is one. */
export class EventPages {
  constructor(
    private readonly reader: Pick<RecordedEventReader, 'head' | 'read'>,
    private readonly maxPageBytes: number,
  ) {}

  /**
   * Each event is on one page exactly, whatever is recorded meanwhile.
   * @throws SluiceError `invalid_cursor` for the cursor of another numbering, `read_model_unavailable`
   */
  async read(request: PageRequest): Promise<EventPage> {
    const head = await this.reader.head();
    const { events, more } = await this.collect(request, spanOf(request, head));
    const last = events.at(-1);
    return {
      events,
      head,
      ...(more && last ? { next: encodeCursor({ epoch: head.epoch, position: last.event.position }) } : {}),
    };
  }

  private async collect(
    { filter, order, limit, occurredAfter, occurredBefore }: PageRequest,
    whole: Span,
  ): Promise<{ events: EncodedRecordedEvent[]; more: boolean }> {
    const events: EncodedRecordedEvent[] = [];
    let bytes = 0;
    let span = whole;
    let rows = FIRST_READ_ROWS;
    while (span.after < span.upTo) {
      // One more than is wanted tells whether there is a next page.
      const wanted = Math.min(rows, limit + 1 - events.length);
      const found = await this.reader.read({
        filter,
        ...span,
        order: order === 'asc' ? 'ascending' : 'descending',
        limit: wanted,
        ...(occurredAfter === undefined ? {} : { occurredAfter }),
        ...(occurredBefore === undefined ? {} : { occurredBefore }),
      });
      for (const event of found) {
        const size = Buffer.byteLength(event.json);
        const isFull = events.length === limit || (events.length > 0 && bytes + size > this.maxPageBytes);
        if (isFull) return { events, more: true };
        events.push(event);
        bytes += size;
      }
      const last = found.at(-1);
      if (!last || found.length < wanted) break;
      span = beyond(span, last.event.position, order);
      rows = Math.max(1, Math.ceil((this.maxPageBytes - bytes) / (bytes / events.length)));
    }
    return { events, more: false };
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
