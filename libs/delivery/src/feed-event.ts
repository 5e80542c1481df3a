import { encodeCursor, type Cursor, type CursorPlace } from '@sluice/event-log';
import type { EncodedRecordedEvent, Epoch, Position, RecordedEvent } from '@sluice/event-schema';

/**
 * Names one way of writing an event, by identity. An event remembers its bytes in each dialect for as long as it lives:
 * dialects are constants of a module, never made per connection.
 */
export type Dialect = object | symbol;

/** An event on its way to subscribers. One object is shared by all of them. */
export class FeedEvent {
  readonly event: RecordedEvent;
  /** One line of JSON, as it was recorded. */
  readonly json: string;
  readonly position: Position;
  /** Size of `json` in UTF-8. */
  readonly bytes: number;
  private knownCursor: Cursor | undefined;
  private encodings: Map<Dialect, Buffer> | undefined;

  constructor(
    { event, json }: EncodedRecordedEvent,
    readonly epoch: Epoch,
    /** What its reader knows of removals (see CursorPlace); such an event is for one reader. */
    readonly revision?: number,
  ) {
    this.event = event;
    this.json = json;
    this.position = event.position;
    this.bytes = Buffer.byteLength(json);
  }

  get place(): CursorPlace {
    const { epoch, position, revision } = this;
    return { epoch, position, ...(revision !== undefined && { revision }) };
  }

  /** Resuming after it continues with the next event. */
  get cursor(): Cursor {
    return (this.knownCursor ??= encodeCursor(this.place));
  }

  /** The same for a reader that knows of removals. */
  knowing(revision: number | undefined): FeedEvent {
    return revision === undefined ? this : new FeedEvent(this, this.epoch, revision);
  }

  /** The bytes of this event in a dialect: made once, the same Buffer for every subscriber. It must not be changed. */
  encoded(dialect: Dialect, encode: (event: FeedEvent) => Buffer): Buffer {
    const known = this.encodings?.get(dialect);
    if (known) return known;
    const bytes = encode(this);
    this.encodings ??= new Map();
    this.encodings.set(dialect, bytes);
    return bytes;
  }
}
