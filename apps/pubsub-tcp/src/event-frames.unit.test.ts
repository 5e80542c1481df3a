import { FeedEvent } from '@sluice/delivery';
import { toEpoch, toPosition } from '@sluice/event-log';
import { sandboxEnvelope } from '@sluice/event-log/conformance';
import { recordEnvelope } from '@sluice/event-schema';
import { lineFrame, messageHeader, patternMessageHeader, payloadFrame, resetLine, resetPayload } from './event-frames';

const EPOCH = toEpoch('0a1b2c3d');

function feedEvent(data: Record<string, unknown> = { n: 1 }): FeedEvent {
  const envelope = sandboxEnvelope({ entityId: 'box-1', data });
  const recording = { position: toPosition(36), entitySequence: 1, recordedAt: 5 };
  return new FeedEvent(recordEnvelope(envelope, recording), EPOCH);
}

describe('an event', () => {
  it('is one line of JSON that begins with a brace, whatever its text holds', () => {
    const data = { text: 'a\r\nb\u2028c "quoted" \u0000 ä' };
    const line = lineFrame(feedEvent(data)).toString();
    expect(line).toMatch(/^\{[^\r\n]*\}\r\n$/);
    expect(JSON.parse(line)).toMatchObject({ sandboxId: 'box-1', workspaceId: 1, data, cursor: '1-0a1b2c3d-10' });
    expect(Object.keys(JSON.parse(line) as object)).toEqual([
      'id',
      'sandboxId',
      'workspaceId',
      'type',
      'data',
      'timestamp',
      'cursor',
    ]);
  });

  it('is encoded once for all subscribers of a dialect', () => {
    const event = feedEvent();
    expect(lineFrame(event)).toBe(lineFrame(event));
    expect(payloadFrame(event)).toBe(payloadFrame(event));
  });

  it('has the same JSON in both dialects', () => {
    const event = feedEvent({ text: 'ä' });
    const line = lineFrame(event);
    const json = line.subarray(0, -2).toString();
    expect(payloadFrame(event).toString()).toBe(`$${line.length - 2}\r\n${json}\r\n`);
  });
});

it('puts a header of the version in front of a payload', () => {
  expect(messageHeader(2, 'ä').toString()).toBe('*3\r\n$7\r\nmessage\r\n$2\r\nä\r\n');
  expect(messageHeader(3, 'a').toString()).toBe('>3\r\n$7\r\nmessage\r\n$1\r\na\r\n');
  expect(patternMessageHeader(2, '*').toString()).toBe('*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n');
});

it('tells of a reset in either dialect', () => {
  const at = { epoch: EPOCH, position: toPosition(36) };
  expect(resetLine(at, 'epoch_changed').toString()).toBe('+RESET 1-0a1b2c3d-10 epoch_changed\r\n');
  const [, payload] = resetPayload(at, 'future_cursor').toString().split('\r\n');
  expect(JSON.parse(payload ?? '')).toEqual({ reset: { cursor: '1-0a1b2c3d-10', reason: 'future_cursor' } });
});
