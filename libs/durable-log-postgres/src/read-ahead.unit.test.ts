import type { Lane, LogRecord } from '@sluice/event-log';
import { ReadAhead } from './read-ahead';

const recordsFrom = (from: number, count: number): LogRecord[] =>
  Array.from({ length: count }, (_, n) => ({
    lane: 0 as Lane,
    index: from + n,
    value: new Uint8Array(),
    appendedAt: 0,
  }));

function logOf(length: number) {
  const log = { length, asked: [] as number[], fails: false };
  const ahead = new ReadAhead(async (from, maxRecords) => {
    log.asked.push(from);
    if (log.fails) throw new Error('gone');
    return recordsFrom(from, Math.max(0, Math.min(maxRecords, log.length - from)));
  });
  const read = async (from: number, maxRecords: number) =>
    (await ahead.read(from, maxRecords)).map(({ index }) => index);
  return { log, read };
}

describe('ReadAhead', () => {
  it('asks for the next batch after a full one, once, and gives what it got', async () => {
    const { log, read } = logOf(5);
    expect(await read(0, 2)).toEqual([0, 1]);
    expect(log.asked).toEqual([0, 2]);
    expect(await read(2, 2)).toEqual([2, 3]);
    expect(await read(4, 2)).toEqual([4]);
    expect(log.asked).toEqual([0, 2, 4]);
  });

  it('asks anew where it had found nothing, was refused, or is asked for another place', async () => {
    const { log, read } = logOf(2);
    expect(await read(0, 2)).toEqual([0, 1]);
    log.length = 8;
    expect(await read(2, 2)).toEqual([2, 3]);
    expect(await read(0, 2)).toEqual([0, 1]);
    log.fails = true;
    expect(await read(2, 2)).toEqual([2, 3]);
    await expect(read(4, 2)).rejects.toThrow('gone');
    log.fails = false;
    expect(await read(4, 1)).toEqual([4]);
  });

  it('gives no more than is asked for', async () => {
    const { read } = logOf(8);
    expect(await read(0, 4)).toEqual([0, 1, 2, 3]);
    expect(await read(4, 1)).toEqual([4]);
    expect(await read(5, 4)).toEqual([5]);
    expect(await read(6, 4)).toEqual([6, 7]);
  });
});
