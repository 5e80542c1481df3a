import {
  createSession,
  decideArchive,
  decideDelete,
  decideSend,
  MemorySessionStore,
  type SessionState,
} from '@sluice/agent-sessions';
import { sessionOf } from '@sluice/agent-sessions/conformance';
import { KeyedLocks, SluiceError, type DurableLog } from '@sluice/event-log';
import { MemorySessionEvents } from '@sluice/projections';
import { newId } from '../new-ids';
import { OutboxShipper } from './outbox-shipper';
import type { CommandReceipt } from './command-receipt';
import { SessionJournal } from './session-journal';

const WORKSPACE_ID = 7;
const SIGNALS = {
  commandEnded: () => undefined,
  commandConflicted: () => undefined,
  appended: () => undefined,
  appendFailed: () => undefined,
  fault: () => undefined,
};
const receipt = (key: string, isRetry: boolean, arrivedAtMs = performance.now()): CommandReceipt => ({
  key,
  requestHash: 'of this body',
  unkeyed: { isRetry, arrivedAtMs, onAnswered: (then) => then() },
});

const LOG: Pick<DurableLog, 'append'> = { append: () => Promise.resolve() };

/** One replica; its log, unless it is another one, and its read model have everything at once. */
function replica(store: MemorySessionStore, log = LOG): SessionJournal {
  return new SessionJournal({
    store,
    events: new MemorySessionEvents(),
    feed: {
      expect: (ids) => ({
        within: () => Promise.resolve({ events: new Map(ids.map((id) => [id, {} as never])), removed: new Set() }),
        cancel: () => undefined,
      }),
    },
    shipper: new OutboxShipper(store, log, SIGNALS),
    locks: new KeyedLocks(() => undefined),
    clock: { now: () => Date.now() },
    signals: SIGNALS,
    confirmWaitMs: 1_000,
    runTimeoutMs: 60_000,
    onDispatch: () => undefined,
  });
}

async function newSession(journal: SessionJournal): Promise<string> {
  const sessionId = newId('sesn');
  const { agent, environmentId, environmentType } = sessionOf();
  const session = {
    workspaceId: WORKSPACE_ID,
    id: sessionId,
    threadId: newId('sthr'),
    agent,
    environmentId,
    environmentType,
  };
  await journal.create({ workspaceId: WORKSPACE_ID, sessionId, decide: (context) => createSession(session, context) });
  return sessionId;
}

const say = (sessionId: string, known: CommandReceipt, before?: () => void) => ({
  workspaceId: WORKSPACE_ID,
  sessionId,
  receipt: known,
  decide: (state: SessionState, context: Parameters<typeof decideSend>[2]) => {
    before?.();
    return decideSend(state, [{ type: 'user.message', content: [{ type: 'text', text: 'once' }] }], context);
  },
});

describe('a send that the SDK repeats', () => {
  it('is the first one where that is committed while the repetition is decided', async () => {
    const store = new MemorySessionStore();
    const [one, other] = [replica(store), replica(store)];
    const sessionId = await newSession(one);
    let first: Promise<unknown> | undefined;
    // The process of the first attempt has died, but for its commit, which is on its way to the database.
    jest.spyOn(store, 'markAnswered').mockResolvedValueOnce();
    const load = store.load.bind(store);
    jest.spyOn(store, 'load').mockImplementationOnce(async (...of) => {
      const loaded = await load(...of);
      first = one.execute(say(sessionId, receipt('request/1', false)));
      await first;
      return loaded;
    });
    const repeated = await other.execute(say(sessionId, receipt('request/2', true)));
    expect(repeated.isRepeated).toBe(true);
    const { state } = (await store.load(WORKSPACE_ID, sessionId)) ?? {};
    expect(state?.queue).toEqual([]);
  });

  it('is another one where the first was answered', async () => {
    const store = new MemorySessionStore();
    const journal = replica(store);
    const sessionId = await newSession(journal);
    await journal.execute(say(sessionId, receipt('request/1', false)));
    const second = await journal.execute(say(sessionId, receipt('request/2', true)));
    expect(second.isRepeated).toBe(false);
  });

  it('is the first one when that is decided after it, and the caller of the repetition was answered (G2)', async () => {
    const store = new MemorySessionStore();
    const [one, other] = [replica(store), replica(store)];
    const sessionId = await newSession(one);
    // A moment before now, as everything else takes no time here.
    const cameAtMs = performance.now() - 100;
    const load = store.load.bind(store);
    jest.spyOn(store, 'load').mockImplementationOnce(async (...of) => {
      const loaded = await load(...of);
      await other.execute(say(sessionId, receipt('request/2', true)));
      return loaded;
    });
    const first = await one.execute(say(sessionId, receipt('request/1', false, cameAtMs)));
    expect(first.isRepeated).toBe(true);
    const { state } = (await store.load(WORKSPACE_ID, sessionId)) ?? {};
    expect(state?.queue).toEqual([]);
  });

  it('is another one where the first was repeated and that was answered', async () => {
    const store = new MemorySessionStore();
    const journal = replica(store);
    const sessionId = await newSession(journal);
    const silent = { ...receipt('request/1', false), unkeyed: { ...receipt('', false).unkeyed, onAnswered: () => {} } };
    await journal.execute(say(sessionId, silent as CommandReceipt));
    expect((await journal.execute(say(sessionId, receipt('request/2', true)))).isRepeated).toBe(true);
    expect((await journal.execute(say(sessionId, receipt('request/3', true)))).isRepeated).toBe(false);
  });

  it('is another one when nobody would still repeat the first', async () => {
    let nowMs = 1_000_000;
    const store = new MemorySessionStore(() => nowMs);
    jest.spyOn(store, 'markAnswered').mockResolvedValue();
    const journal = replica(store);
    const sessionId = await newSession(journal);
    await journal.execute(say(sessionId, receipt('request/1', false)));
    nowMs += 14 * 60_000;
    expect((await journal.execute(say(sessionId, receipt('request/2', true)))).isRepeated).toBe(true);
    nowMs += 2 * 60_000;
    expect((await journal.execute(say(sessionId, receipt('request/3', true)))).isRepeated).toBe(false);
  });
});

describe('a command that changes nothing', () => {
  it('is not answered well while what it rests on is not in the log (G1)', async () => {
    const store = new MemorySessionStore();
    let isAway = false;
    const log = {
      append: () => (isAway ? Promise.reject(new SluiceError('log_unavailable', 'away')) : Promise.resolve()),
    };
    const journal = replica(store, log);
    const sessionId = await newSession(journal);
    const archive = () => journal.execute({ workspaceId: WORKSPACE_ID, sessionId, decide: decideArchive });
    isAway = true;
    const clock = jest.spyOn(performance, 'now');
    const startMs = performance.now();
    for (const afterMs of [0, 2_001, 4_002]) {
      clock.mockReturnValue(startMs + afterMs);
      await expect(archive()).rejects.toMatchObject({ code: 'log_unavailable' });
    }
    isAway = false;
    clock.mockReturnValue(startMs + 6_003);
    expect((await archive()).state?.archivedAtMs).not.toBeNull();
    clock.mockRestore();
    expect(await store.outbox(sessionId, 10)).toEqual([]);
  });
});

describe('a command that stores nothing', () => {
  const nothing = (sessionId: string, key: string, decide = decideArchive) => {
    const dropped = jest.fn(() => Promise.resolve());
    const known = { key, requestHash: 'h' };
    return { dropped, command: { workspaceId: WORKSPACE_ID, sessionId, receipt: known, decide, onDropped: dropped } };
  };

  it('is told so when it is refused, also before it is decided, and when it is a repetition', async () => {
    const store = new MemorySessionStore();
    const journal = replica(store);
    const sessionId = await newSession(journal);
    const taken = nothing(sessionId, 'key/1');
    await journal.execute(taken.command);
    expect(taken.dropped).not.toHaveBeenCalled();

    const repeated = nothing(sessionId, 'key/1');
    expect((await journal.execute(repeated.command)).isRepeated).toBe(true);
    expect(repeated.dropped).toHaveBeenCalledTimes(1);

    const refused = nothing('sesn_none', 'key/2');
    await expect(journal.execute(refused.command)).rejects.toMatchObject({ code: 'not_found' });
    expect(refused.dropped).toHaveBeenCalledTimes(1);
  });

  it('is not told so when it may be stored', async () => {
    const store = new MemorySessionStore();
    const journal = replica(store);
    const sessionId = await newSession(journal);
    jest.spyOn(store, 'commit').mockRejectedValueOnce(new SluiceError('read_model_unavailable', 'gone'));
    const unknown = nothing(sessionId, 'key/1', decideDelete);
    await expect(journal.execute(unknown.command)).rejects.toMatchObject({ code: 'read_model_unavailable' });
    expect(unknown.dropped).not.toHaveBeenCalled();
  });
});

it('lets nobody of another workspace wait in the queue of a session', async () => {
  const store = new MemorySessionStore();
  const journal = replica(store);
  const sessionId = await newSession(journal);
  const load = store.load.bind(store);
  let goOn: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  jest.spyOn(store, 'load').mockImplementationOnce(async (...of) => gate.then(() => load(...of)));
  const own = journal.execute({ workspaceId: WORKSPACE_ID, sessionId, decide: decideArchive });
  const foreign = journal.execute({ workspaceId: WORKSPACE_ID + 1, sessionId, decide: decideArchive });
  const first = await Promise.race([foreign.catch((error: SluiceError) => error.code), own.then(() => 'own')]).finally(
    goOn,
  );
  expect(first).toBe('not_found');
  await own;
});
