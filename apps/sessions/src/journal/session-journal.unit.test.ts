import { createSession, decideSend, MemorySessionStore, type SessionState } from '@sluice/agent-sessions';
import { sessionOf } from '@sluice/agent-sessions/conformance';
import { KeyedLocks } from '@sluice/event-log';
import { MemorySessionEvents } from '@sluice/projections';
import { newId } from '../new-ids';
import { OutboxShipper } from './outbox-shipper';
import { SessionJournal, type CommandReceipt } from './session-journal';

const WORKSPACE_ID = 7;
const SIGNALS = {
  commandEnded: () => undefined,
  commandConflicted: () => undefined,
  appended: () => undefined,
  appendFailed: () => undefined,
};
const receipt = (key: string, isRetry: boolean): CommandReceipt => ({
  key,
  requestHash: 'of this body',
  untilAnswered: true,
  isRetry,
});

/** One replica; its log and its read model have everything at once. */
function replica(store: MemorySessionStore): SessionJournal {
  return new SessionJournal({
    store,
    events: new MemorySessionEvents(),
    feed: {
      expect: (ids) => ({
        within: () => Promise.resolve(new Map(ids.map((id) => [id, {} as never]))),
        cancel: () => undefined,
      }),
    },
    shipper: new OutboxShipper(store, { append: () => Promise.resolve() }, SIGNALS),
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
});
