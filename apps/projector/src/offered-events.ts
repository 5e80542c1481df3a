import type { EncodedRecordedEvent, Epoch, Position } from '@sluice/event-schema';
import type { RecordedRun } from '@sluice/event-log';

/** Most events, and bytes, in one run; one event may be a run whatever its size. */
export const MAX_RUN_EVENTS = 500;
export const MAX_RUN_BYTES = 1024 * 1024;
/** Most events, and bytes, that wait in memory; what is beyond that is read from the read model. */
export const MAX_OFFERED_EVENTS = 10_000;
export const MAX_OFFERED_BYTES = 16 * 1024 * 1024;

/**
 * What this process has recorded and not published yet, in position order. Between it is what other projectors have
 * recorded, and what there was no room for.
 */
export class OfferedEvents {
  private epoch: Epoch | undefined;
  private events: EncodedRecordedEvent[] = [];
  private bytes = 0;

  get isEmpty(): boolean {
    return this.events.length === 0;
  }

  get first(): Position | undefined {
    return this.events[0]?.event.position;
  }

  /** What was offered first is published first, and stays. */
  add(epoch: Epoch, events: readonly EncodedRecordedEvent[]): void {
    const [first] = events;
    const last = this.events.at(-1);
    if (first === undefined) return;
    if (epoch !== this.epoch || (last && first.event.position <= last.event.position)) this.clear();
    this.epoch = epoch;
    const bytes = bytesOf(events);
    if (this.events.length + events.length > MAX_OFFERED_EVENTS || this.bytes + bytes > MAX_OFFERED_BYTES) return;
    this.events.push(...events);
    this.bytes += bytes;
  }

  /**
   * The run that begins at a position, if that was offered; what is before it is forgotten, the run itself is not: a failed
   * publication finds it again.
   */
  runAt(next: Position): RecordedRun | undefined {
    const from = this.events.findIndex(({ event }) => event.position >= next);
    if (from === -1) this.clear();
    if (from > 0) this.bytes -= bytesOf(this.events.splice(0, from));
    if (this.epoch === undefined || this.first !== next) return undefined;
    return { epoch: this.epoch, events: firstRun(this.events) };
  }

  clear(): void {
    this.events = [];
    this.bytes = 0;
  }
}

function bytesOf(events: readonly EncodedRecordedEvent[]): number {
  return events.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
}

/** As many of the first events as make one run: without a hole, and within its bounds. */
function firstRun(events: readonly EncodedRecordedEvent[]): readonly EncodedRecordedEvent[] {
  const first = events[0]?.event.position ?? 0;
  let bytes = 0;
  const end = events.findIndex(({ event, json }, index) => {
    bytes += Buffer.byteLength(json);
    const fits = index < MAX_RUN_EVENTS && (index === 0 || bytes <= MAX_RUN_BYTES);
    return !fits || event.position !== first + index;
  });
  return end === -1 ? [...events] : events.slice(0, end);
}
