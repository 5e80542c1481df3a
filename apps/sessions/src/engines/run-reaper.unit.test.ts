import { MemorySessionStore, type Decision, type SessionState } from '@sluice/agent-sessions';
import { runOf, sessionOf } from '@sluice/agent-sessions/conformance';
import { SluiceError } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import type { SessionCommand } from '../journal/session-command';
import { newId } from '../new-ids';
import { RunReaper } from './run-reaper';

const WORKSPACE = 7;
const NOW_MS = 100_000;

let store: MemorySessionStore;
let faults: unknown[];
/** Commands that wait until the test lets them go on, by session; others go on at once. */
let held: Map<string, { readonly reached: Promise<void>; readonly reach: () => void; readonly release: Promise<void> }>;

beforeEach(() => {
  store = new MemorySessionStore();
  faults = [];
  held = new Map();
});

async function commit(sessionId: string, deadlineMs: number | undefined, state: Partial<SessionState> = {}) {
  await store.commit({
    workspaceId: WORKSPACE,
    sessionId,
    expectedVersion: 0,
    state: sessionOf({
      id: sessionId,
      workspaceId: WORKSPACE,
      run: runOf({ deadlineMs }),
      pending: [],
      queue: [],
      heldAnswers: [],
      ...state,
    }),
    events: [],
    eventIds: [],
    dispatches: [],
  });
}

/** Decides and stores, as a journal does. */
async function execute({ workspaceId, sessionId, decide }: SessionCommand) {
  const gate = held.get(sessionId);
  gate?.reach();
  await gate?.release;
  const stored = await store.load(workspaceId, sessionId);
  if (!stored) throw new SluiceError('not_found', 'There is no such session');
  const decision: Decision = decide(stored.state, {
    nowMs: NOW_MS,
    newId,
    newSecret: () => 'whsec_',
    knownEvents: new Map(),
    runTimeoutMs: 1_000,
  });
  if (decision.kind === 'refused') throw new SluiceError(decision.refusal.code, decision.refusal.message);
  const { state, dispatches } = decision;
  const { version: expectedVersion } = stored;
  await store.commit({ workspaceId, sessionId, expectedVersion, state, events: [], eventIds: [], dispatches });
  return { state, events: [], isKept: true, isRepeated: false, subject: undefined };
}

const reaper = (journal = { execute }) =>
  new RunReaper(store, journal, { now: () => NOW_MS }, (error) => faults.push(error));
const poll = (made = reaper()) => made.poll(new AbortController().signal);
const runOfSession = async (id: string) => (await store.load(WORKSPACE, id))?.state.run;

describe('RunReaper', () => {
  it('ends runs whose engine is silent past their time, and no others', async () => {
    await commit('sesn_late', NOW_MS);
    await commit('sesn_early', NOW_MS + 1);
    await commit('sesn_waiting', undefined);
    expect(await poll()).toBe(false);
    expect(await runOfSession('sesn_late')).toBeNull();
    expect(await runOfSession('sesn_early')).toMatchObject({ id: 'srun_1' });
    expect(await runOfSession('sesn_waiting')).toMatchObject({ id: 'srun_1' });
    const [told] = await store.claimDispatches({ holder: 'x', leaseMs: 1, limit: 10 });
    expect(told?.dispatch).toMatchObject({ type: 'run.interrupt', runId: 'srun_1' });
    expect(faults).toEqual([]);
  });

  it('is content when somebody was first', async () => {
    await commit('sesn_a', NOW_MS);
    const first = { execute: (command: SessionCommand) => execute(command).then(() => execute(command)) };
    expect(await poll(reaper(first))).toBe(false);
    expect([await runOfSession('sesn_a'), faults]).toEqual([null, []]);
  });

  it('goes on with others when one cannot be ended, and tells of it', async () => {
    for (const [n, id] of ['sesn_a', 'sesn_broken', 'sesn_c'].entries()) await commit(id, n);
    const broken = {
      execute: (command: SessionCommand) =>
        command.sessionId === 'sesn_broken' ? Promise.reject(new Error('broken')) : execute(command),
    };
    expect(await poll(reaper(broken))).toBe(false);
    expect([await runOfSession('sesn_a'), await runOfSession('sesn_c')]).toEqual([null, null]);
    expect(faults).toEqual([new Error('broken')]);
  });

  it('ends others while one takes its time', async () => {
    for (const [n, id] of ['sesn_slow', 'sesn_b', 'sesn_c'].entries()) await commit(id, n);
    let reach: () => void = () => undefined;
    let release: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (reach = resolve));
    held.set('sesn_slow', { reached, reach, release: new Promise<void>((resolve) => (release = resolve)) });
    const polled = poll();
    await reached;
    await until(async () => (await runOfSession('sesn_c')) === null, 'the end of the others');
    expect(await runOfSession('sesn_slow')).toMatchObject({ id: 'srun_1' });
    release();
    await polled;
    expect(await runOfSession('sesn_slow')).toBeNull();
  });

  it('ends no more than some at a time, and says when there may be more', async () => {
    for (let n = 0; n < 120; n++) await commit(`sesn_${n}`, n);
    let present = 0;
    let most = 0;
    const counting = {
      execute: async (command: SessionCommand) => {
        most = Math.max(most, ++present);
        return execute(command).finally(() => present--);
      },
    };
    expect(await poll(reaper(counting))).toBe(true);
    expect(await store.overdueRuns(NOW_MS, 1_000)).toHaveLength(20);
    expect(await poll(reaper(counting))).toBe(false);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(16);
  });

  it('does not look again at once when none of them could be ended', async () => {
    for (let n = 0; n < 100; n++) await commit(`sesn_${n}`, n);
    expect(await poll(reaper({ execute: () => Promise.reject(new Error('away')) }))).toBe(false);
    expect(faults).toHaveLength(100);
  });

  it('ends no further one when it is to stop', async () => {
    for (let n = 0; n < 50; n++) await commit(`sesn_${n}`, n);
    const stopping = new AbortController();
    const last = { execute: (command: SessionCommand) => execute(command).finally(() => stopping.abort()) };
    expect(await reaper(last).poll(stopping.signal)).toBe(false);
    expect((await store.overdueRuns(NOW_MS, 1_000)).length).toBeGreaterThan(30);
  });
});
