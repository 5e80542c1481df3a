import type { Dialect, FeedEvent } from '@sluice/delivery';
import type { Cursor } from '@sluice/event-log';
import { toWorkspacePayload, workspaceChannel, type WorkspaceChannel } from '@sluice/event-schema';

/** Each names bytes of an event that are made once and written to every subscriber. */
const RECORDED: Dialect = Symbol('socket recorded event');
const WORKSPACE: Dialect = Symbol('socket workspace event');

const COMMA = Buffer.from(',');
const END = Buffer.from(']}');

/** One `events` message of `/v1/socket`, in pieces; at least one event. */
export function eventsMessage(id: string, events: readonly FeedEvent[]): readonly Buffer[] {
  const last = events[events.length - 1];
  if (!last) throw new RangeError('a message has events');
  const pieces = [eventsHead(id, last.cursor)];
  for (const event of events) pieces.push(event.encoded(RECORDED, encodeRecorded), COMMA);
  pieces[pieces.length - 1] = END;
  return pieces;
}

/** An `events` message without events: tells how far the subscription has come. */
export function cursorMessage(id: string, cursor: Cursor): readonly Buffer[] {
  return [eventsHead(id, cursor), END];
}

/** One `Event` message of `/ws`; the same Buffer for every subscriber. */
export function workspaceEventMessage(event: FeedEvent): Buffer {
  return event.encoded(WORKSPACE, encodeWorkspaceEvent);
}

/** The channel of a workspace event. */
export function channelOf({ event }: FeedEvent): WorkspaceChannel {
  return workspaceChannel(event.type);
}

function eventsHead(id: string, cursor: Cursor): Buffer {
  return Buffer.from(`{"type":"events","id":${JSON.stringify(id)},"cursor":"${cursor}","events":[`);
}

function encodeRecorded({ json }: FeedEvent): Buffer {
  return Buffer.from(json);
}

function encodeWorkspaceEvent(event: FeedEvent): Buffer {
  const { name, data } = toWorkspacePayload(event.event, 'document');
  const { type: _type, ...fields } = data;
  const payload = { type: name, data: fields };
  return Buffer.from(
    JSON.stringify({ type: 'Event', data: { channel: channelOf(event), payload, cursor: event.cursor } }),
  );
}
