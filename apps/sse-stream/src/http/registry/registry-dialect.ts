import { randomInt } from 'node:crypto';
import type { FeedEvent } from '@sluice/delivery';
import { encodeCursor, type CursorPlace, type SluiceError } from '@sluice/event-log';
import { toRegistryPayload } from '@sluice/event-schema';
import { encodeCursorMark, encodeEvent, encodeJsonEvent } from '@sluice/sse-protocol';
import {
  cursorFrame,
  endFrame,
  eventFrames,
  resetFrame,
  type MoreFields,
  type SseDialect,
  type StreamBeginning,
} from '@sluice/event-streams';
import type { EchoedFilters } from './registry-query';

const KEY = Symbol('sse: registry events');

const encodeRegistryEvent = ({ cursor, event }: FeedEvent): Buffer =>
  encodeJsonEvent(cursor, event.type, JSON.stringify(toRegistryPayload(event)));

const RANDOM_PART_LENGTH = 7;
const RANDOM_PARTS = 36 ** RANDOM_PART_LENGTH;

/** A name for one connection: `sub_<milliseconds since 1970>_<7 of 0-9 a-z>`. It is for logs, and opens nothing. */
function newSubscriptionId(): string {
  return `sub_${Date.now()}_${randomInt(RANDOM_PARTS).toString(36).padStart(RANDOM_PART_LENGTH, '0')}`;
}

/**
 * `/api/v1/events`, one connection: `connected`, the registry's events, and a `heartbeat` that counts the frames before
 * it. `connected` and `heartbeat` have no id of their own, so a block of an id alone says where the client is.
 */
export class RegistryDialect implements SseDialect {
  /** Named frames written so far. */
  private frames = 0;
  private lastCursor = '';

  constructor(private readonly filters: EchoedFilters) {}

  opening({ retryMs, at, resetReason }: StreamBeginning): Buffer {
    const subscriptionId = newSubscriptionId();
    const data = { type: 'connected', subscriptionId, filters: this.filters, ...now() };
    const connected = encodeEvent({ event: 'connected', data: JSON.stringify(data), retryMs });
    this.frames++;
    if (resetReason !== undefined) return Buffer.concat([connected, this.reset(resetReason, at)]);
    this.lastCursor = encodeCursor(at);
    return Buffer.concat([connected, cursorFrame(at)]);
  }

  events(events: readonly FeedEvent[]): Buffer {
    this.frames += events.length;
    this.lastCursor = events.at(-1)?.cursor ?? this.lastCursor;
    return eventFrames(events, KEY, encodeRegistryEvent);
  }

  heartbeat(at: CursorPlace): Buffer {
    const data = { type: 'heartbeat', ...now(), sequence: this.frames };
    const heartbeat = encodeEvent({ event: 'heartbeat', data: JSON.stringify(data) });
    this.frames++;
    const cursor = encodeCursor(at);
    if (cursor === this.lastCursor) return heartbeat;
    this.lastCursor = cursor;
    return Buffer.concat([heartbeat, encodeCursorMark(cursor)]);
  }

  reset(reason: string, at: CursorPlace): Buffer {
    this.frames++;
    this.lastCursor = encodeCursor(at);
    return resetFrame(reason, at, { type: 'reset', ...now() });
  }

  end(error: SluiceError, at: CursorPlace): Buffer {
    return endFrame(error, at, { type: 'end', ...now() });
  }
}

function now(): MoreFields {
  return { timestamp: new Date().toISOString() };
}
