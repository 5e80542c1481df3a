import { decodeRun, splitRun } from './run-codec';
import { sequencesOf, startAt } from './attachment';
import { range, testRun } from './testing/test-log';
import type { StreamInfo } from '@nats-io/jetstream';

describe('splitRun', () => {
  it('cuts a run into messages below the limit, in order, and every message is a run again', () => {
    const run = testRun(1, 25, { text: '🐚'.repeat(50) });
    const { messages, tooLarge } = splitRun(run, 1_500);
    expect(tooLarge).toEqual([]);
    expect(messages.length).toBeGreaterThan(5);
    expect(messages.every(({ payload }) => payload.length <= 1_500)).toBe(true);
    const decoded = messages.flatMap(({ payload }) => decodeRun(run.epoch, payload).events);
    expect(decoded).toEqual(run.events);
  });

  it('fills a message to the last byte', () => {
    const run = testRun(1, 2);
    const bytes = run.events.reduce((total, { json }) => total + Buffer.byteLength(json), 1);
    expect(splitRun(run, bytes).messages).toHaveLength(1);
    expect(splitRun(run, bytes - 1).messages).toHaveLength(2);
  });

  it('names a message by epoch and positions, so that the same part has the same name', () => {
    expect(splitRun(testRun(4, 9), 10_000).messages[0]?.messageId).toBe('0000abcd:4-9');
  });

  it('leaves out what fits into no message, and ends the message before it', () => {
    const run = testRun(1, 3);
    const large = testRun(2, 2, { blob: 'x'.repeat(5_000) }).events;
    const events = [...run.events.slice(0, 1), ...large, ...run.events.slice(2)];
    const { messages, tooLarge } = splitRun({ epoch: run.epoch, events }, 1_000);
    expect(tooLarge).toEqual(large);
    expect(messages.map(({ messageId }) => messageId)).toEqual(['0000abcd:1-1', '0000abcd:3-3']);
  });
});

describe('decodeRun', () => {
  it.each([
    '',
    'null',
    '[]',
    '{"position":0}',
    '{"position":1.5}',
    '{"position":1}\n{"position":3}',
    '{"position":"1"}',
  ])('refuses %j', (text) => {
    expect(() => decodeRun('0000abcd', Buffer.from(text))).toThrow();
  });

  it('refuses an epoch that is none', () => {
    expect(() => decodeRun('', Buffer.from('{"position":1}'))).toThrow(RangeError);
  });
});

describe('startAt', () => {
  const info = (created: string, lastSequence: number) =>
    ({ created, state: { last_seq: lastSequence } }) as unknown as StreamInfo;

  it('starts at now without a place, and resumes where the stream is the same', () => {
    expect(startAt(undefined, info('monday', 9))).toBe('now');
    expect(startAt({ created: 'monday', sequence: 9 }, info('monday', 9))).toBe('resumed');
    expect(startAt({ created: 'monday', sequence: 5 }, info('monday', 9))).toBe('resumed');
  });

  it('knows that it has missed something where the stream begins after its place', () => {
    const beginsAt = (first_seq: number) =>
      ({ created: 'monday', state: { first_seq, last_seq: 9 } }) as unknown as StreamInfo;
    expect(startAt({ created: 'monday', sequence: 5 }, beginsAt(6))).toBe('resumed');
    expect(startAt({ created: 'monday', sequence: 5 }, beginsAt(7))).toBe('behind');
  });

  it('reads all of a stream that was made since, and only the new of one that lost its tail', () => {
    expect(startAt({ created: 'monday', sequence: 5 }, info('tuesday', 9))).toBe('new_stream');
    expect(startAt({ created: 'monday', sequence: 12 }, info('monday', 9))).toBe('tail_lost');
  });
});

describe('sequencesOf', () => {
  it('reads both forms of the reply subject', () => {
    expect(sequencesOf('$JS.ACK.events.c1.1.70.3.1700000000000.0')).toEqual([70, 3]);
    expect(sequencesOf('$JS.ACK.hub.ACC.events.c1.1.70.3.1700000000000.0')).toEqual([70, 3]);
    expect(sequencesOf('$JS.ACK._.ACC.events.c1.1.70.3.1700000000000.0.rnd')).toEqual([70, 3]);
  });

  it('gives nothing usable for another subject', () => {
    expect(range(0, 0).map(() => sequencesOf('')[1])).toEqual([NaN]);
  });
});
