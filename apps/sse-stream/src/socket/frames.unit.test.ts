import { FeedEvent } from '@sluice/delivery';
import { toEpoch, toPosition } from '@sluice/event-log';
import { encodeEnvelope, newEventId, recordEnvelope } from '@sluice/event-schema';
import { CLOSE_CODES } from './close-codes';
import { cursorMessage, eventsMessage, workspaceEventMessage } from './frames';
import { boundedText, eventsMessageSchema, workspaceEventSchema } from './messages';

const EPOCH = toEpoch('0000abcd');

function feedEvent(position: number, data: Record<string, unknown> = {}): FeedEvent {
  const envelope = encodeEnvelope({
    id: newEventId(),
    family: 'workspace',
    entityId: 'task/t1',
    workspaceId: 1,
    type: 'task_deleted',
    schemaVersion: 1,
    occurredAt: 1_700_000_000_000,
    data: { task_id: 't1', ...data },
  });
  const recording = { position: toPosition(position), entitySequence: position, recordedAt: 1_700_000_000_001 };
  return new FeedEvent(recordEnvelope(envelope, recording), EPOCH);
}

describe('messages with events', () => {
  it('are spliced from bytes that are made once per event', () => {
    const events = [feedEvent(7), feedEvent(8, { text: '"]}\n' })];
    const pieces = eventsMessage('a"b', events);
    const message = JSON.parse(Buffer.concat(pieces).toString());
    expect(eventsMessageSchema.safeParse(message).error).toBeUndefined();
    expect(message).toEqual({
      type: 'events',
      id: 'a"b',
      cursor: '1-0000abcd-8',
      events: events.map(({ event }) => event),
    });
    const again = eventsMessage('other', events);
    expect([again[1], again[3]].map((piece, n) => piece === pieces[2 * n + 1])).toEqual([true, true]);
  });

  it('may have a cursor only', () => {
    const message = JSON.parse(Buffer.concat(cursorMessage('a', feedEvent(7).cursor)).toString());
    expect(message).toEqual({ type: 'events', id: 'a', cursor: '1-0000abcd-7', events: [] });
  });

  it('have at least one event otherwise', () => {
    expect(() => eventsMessage('a', [])).toThrow(RangeError);
  });

  it('of the workspace dialect are one Buffer for all subscribers', () => {
    const event = feedEvent(7);
    const message = workspaceEventMessage(event);
    expect(workspaceEventMessage(event)).toBe(message);
    const parsed = JSON.parse(message.toString());
    expect(workspaceEventSchema.safeParse(parsed).error).toBeUndefined();
    expect(parsed).toEqual({
      type: 'Event',
      data: {
        channel: 'tasks',
        payload: { type: 'TaskDeleted', data: { task_id: 't1', timestamp: '2023-11-14T22:13:20.000Z' } },
        cursor: '1-0000abcd-7',
      },
    });
  });
});

describe('close codes', () => {
  it('each have a reason that fits a close frame, under its own name', () => {
    for (const [name, { code, reason, description }] of Object.entries(CLOSE_CODES)) {
      expect(reason).toBe(name);
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
      expect(code < 1_015 || (code >= 4_000 && code < 5_000)).toBe(true);
      expect(description).toMatch(/\.$/);
    }
  });

  it('are unlike each other', () => {
    const codes = Object.values(CLOSE_CODES).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('text of errors', () => {
  it('is bounded', () => {
    expect(boundedText('short')).toBe('short');
    expect(boundedText('x'.repeat(1_000))).toBe(`${'x'.repeat(299)}…`);
  });
});
