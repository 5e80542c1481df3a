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
  let written: string[];
  let isAway: boolean;
  let journal: KeyJournal;
  beforeEach(() => {
    jest.useFakeTimers();
    keys = new MemoryEntityKeys();
    [followers, stopped, written, isAway] = [[], 0, [], false];
    const log: ByteLog = {
      appendEntries: async (entries) => {
        if (isAway) throw new Error('away');
        written.push(...entries.map(({ key }) => key));
      },
      follow: async (options) => {
        followers.push(options);
        return { stop: async () => void stopped++ };
      },
      ends: async () => new Map([[LANE, END]]),
      starts: async () => new Map(),
      check: async () => undefined,
      close: async () => undefined,
    };
    journal = new KeyJournal(log, keys, {
      sealing: true,
      limits: DEFAULT_SEALED_LIMITS,
      onFault: () => undefined,
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

  it('is ticked for hours after a key was destroyed, and then left alone (G8)', async () => {
    await journal.follow();
    await jest.advanceTimersByTimeAsync(24 * HOUR_MS);
    // This process does not know what was before it.
    expect(written).toEqual(Array<string>(TICK_COUNT).fill('tick'));
    const destroyed = { keyId: crypto.randomUUID(), entity: ENTITY, generation: 0 };
    const records = [{ lane: LANE, index: 0, value: toJournalEntry(destroyed).value, appendedAt: Date.now() }];
    await followers[0]?.handle({ records, checkpoints: new Map([[LANE, { from: 0, to: 1 }]]) });
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
});
