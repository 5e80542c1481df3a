import { MemoryEntityKeys, type ByteLog, type FollowLogOptions, type Lane, type LogEntity } from '@sluice/event-log';
import { TICK_COUNT } from './journal-ticks';
import { TICK, toJournalEntry } from './journalled-key';
import { KeyJournal } from './key-journal';
import { DEFAULT_SEALED_LIMITS } from './options';

const LANE = 0 as Lane;
const ENTITY: LogEntity = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-1' };
const END = 1_000;
const { catchUpGraceMs, catchUpTimeoutMs } = DEFAULT_SEALED_LIMITS;

describe('the journal of keys', () => {
  let keys: MemoryEntityKeys;
  let followers: FollowLogOptions[];
  let stopped: number;
  let calls: string[];
  let faults: unknown[];
  let written: string[];
  let isAway: boolean;
  let journal: KeyJournal;
  beforeEach(() => {
    jest.useFakeTimers();
    keys = new MemoryEntityKeys();
    [followers, stopped, written, isAway, calls, faults] = [[], 0, [], false, [], []];
    const log: ByteLog = {
      appendEntries: async (entries) => {
        if (isAway) throw new Error('away');
        written.push(...entries.map(({ key }) => key));
      },
      follow: async (options) => {
        followers.push(options);
        return {
          stop: async () => {
            stopped++;
            calls.push('follower stopped');
          },
        };
      },
      ends: async () => new Map([[LANE, END]]),
      starts: async () => new Map(),
      check: async () => undefined,
      close: async () => void calls.push('log closed'),
    };
    journal = new KeyJournal(log, keys, {
      sealing: true,
      limits: DEFAULT_SEALED_LIMITS,
      onFault: (error) => faults.push(error),
      onMetric: () => undefined,
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const moveTo = async (to: number) => {
    const from = (await keys.loadCheckpoints([LANE])).get(LANE) ?? 0;
    await keys.takeOver([], new Map([[LANE, { from, to }]]));
  };

  it('takes no lanes from one who is at it, however far that has to go', async () => {
    let isDone = false;
    const done = journal.catchUp().then(() => (isDone = true));
    for (let to = 100; to < END; to += 100) {
      await jest.advanceTimersByTimeAsync(catchUpGraceMs - 1_000);
      await moveTo(to);
    }
    await jest.advanceTimersByTimeAsync(1_000);
    expect([followers.length, isDone]).toEqual([0, false]);
    await moveTo(END);
    await jest.advanceTimersByTimeAsync(1_000);
    await done;
    expect(followers).toEqual([]);
  });

  it('reads by itself where nobody does, for as long as it comes further', async () => {
    const done = journal.catchUp();
    await jest.advanceTimersByTimeAsync(catchUpGraceMs + 100);
    expect(followers).toHaveLength(1);
    for (let to = 250; to <= END; to += 250) {
      await jest.advanceTimersByTimeAsync(catchUpTimeoutMs - 1_000);
      await moveTo(to);
    }
    await jest.advanceTimersByTimeAsync(1_000);
    await done;
    expect([followers.length, stopped]).toEqual([1, 1]);
  });

  it('says when it comes no further', async () => {
    const refused = expect(journal.catchUp()).rejects.toMatchObject({ code: 'log_unavailable' });
    await jest.advanceTimersByTimeAsync(catchUpGraceMs + catchUpTimeoutMs + 1_000);
    await refused;
    expect([followers.length, stopped]).toEqual([1, 1]);
  });

  const HOUR_MS = 3_600_000;

  /** What a follower reads when a key was destroyed. */
  const destruction = (from = 0) => {
    const destroyed = { keyId: crypto.randomUUID(), entity: ENTITY, generation: 0 };
    const records = [{ lane: LANE, index: from, value: toJournalEntry(destroyed).value, appendedAt: Date.now() }];
    return { records, checkpoints: new Map([[LANE, { from, to: from + 1 }]]) };
  };

  it('is ticked for hours after a key was destroyed, and then left alone (G8)', async () => {
    await journal.follow();
    await jest.advanceTimersByTimeAsync(24 * HOUR_MS);
    // This process does not know what was before it.
    expect(written).toEqual(Array<string>(TICK_COUNT).fill('tick'));
    await followers[0]?.handle(destruction());
    isAway = true;
    await jest.advanceTimersByTimeAsync(2 * HOUR_MS);
    isAway = false;
    await jest.advanceTimersByTimeAsync(24 * HOUR_MS);
    expect(written).toHaveLength(2 * TICK_COUNT);
    const ticks = [{ lane: LANE, index: 1, value: TICK.value, appendedAt: Date.now() }];
    await followers[0]?.handle({ records: ticks, checkpoints: new Map([[LANE, { from: 1, to: 2 }]]) });
    await jest.advanceTimersByTimeAsync(24 * HOUR_MS);
    expect(written).toHaveLength(2 * TICK_COUNT);
    expect(await keys.loadCheckpoints([LANE])).toEqual(new Map([[LANE, 2]]));
    await journal.close();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is ticked a little more than an hour after a key was destroyed, and twice more, without holding the process', async () => {
    const timers = jest.spyOn(globalThis, 'setInterval');
    await journal.follow();
    expect(timers.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())).toEqual([false]);
    // A broker begins the next segment with the first record after an hour.
    await jest.advanceTimersByTimeAsync(HOUR_MS);
    expect(written).toEqual([]);
    await jest.advanceTimersByTimeAsync(0.2 * HOUR_MS);
    expect(written).toEqual(['tick']);
    await jest.advanceTimersByTimeAsync(2.8 * HOUR_MS);
    expect(written).toEqual(['tick', 'tick', 'tick']);
    await journal.close();
  });

  it('is ticked as often again when a key is destroyed meanwhile', async () => {
    await journal.follow();
    await jest.advanceTimersByTimeAsync(1.2 * HOUR_MS);
    await followers[0]?.handle(destruction());
    await jest.advanceTimersByTimeAsync(24 * HOUR_MS);
    expect(written).toHaveLength(1 + TICK_COUNT);
    await journal.close();
  });

  it('is not ticked by who only catches up', async () => {
    const done = journal.catchUp();
    await jest.advanceTimersByTimeAsync(catchUpGraceMs + 100);
    await followers[0]?.handle(destruction());
    await moveTo(END);
    await jest.advanceTimersByTimeAsync(1_000);
    await done;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is not ticked once it is closed, whatever comes then', async () => {
    await journal.follow();
    const [closing, again] = [journal.close(), journal.follow()];
    await Promise.all([closing, again]);
    // The batch that was in hand.
    await followers[0]?.handle(destruction());
    expect(jest.getTimerCount()).toBe(0);
  });

  it('lets go of its follower before it closes the log', async () => {
    await journal.follow();
    await journal.close();
    expect(calls).toEqual(['follower stopped', 'log closed']);
  });

  it('ends what it is reading at once when it is closed, before it closes the log', async () => {
    const refused = expect(journal.catchUp()).rejects.toMatchObject({ code: 'log_unavailable' });
    await jest.advanceTimersByTimeAsync(catchUpGraceMs + 100);
    let isClosed = false;
    const closing = journal.close().then(() => (isClosed = true));
    await jest.advanceTimersByTimeAsync(100);
    expect(isClosed).toBe(true);
    await Promise.all([refused, closing]);
    expect(calls).toEqual(['follower stopped', 'log closed']);
  });

  it('goes on after a record that is no key, and tells of it', async () => {
    await journal.follow();
    const batch = destruction();
    const bad = { lane: LANE, index: 0, value: new TextEncoder().encode('{"version":1}'), appendedAt: Date.now() };
    const [destroyed] = batch.records;
    if (!destroyed) throw new Error('there is one');
    const records = [bad, { ...destroyed, index: 1 }];
    await followers[0]?.handle({ records, checkpoints: new Map([[LANE, { from: 0, to: 2 }]]) });
    expect(faults.map(String)).toEqual(['Error: Record 0 of the journal of keys is no key']);
    expect(await keys.before(ENTITY, 1)).toHaveLength(1);
    expect(await keys.loadCheckpoints([LANE])).toEqual(new Map([[LANE, 2]]));
    await journal.close();
  });
});
