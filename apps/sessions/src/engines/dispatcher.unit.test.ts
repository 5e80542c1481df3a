import { MemorySessionStore, type Decision, type RunDispatch, type SessionState } from '@sluice/agent-sessions';
import { sessionOf } from '@sluice/agent-sessions/conformance';
import { SluiceError } from '@sluice/event-log';
import { newId } from '../new-ids';
import { Dispatcher, type DispatcherOptions, type DispatchOutcome } from './dispatcher';
import { EngineFailed, type Engine, type EngineTask } from './engine';

const WORKSPACE = 7;
const RUN = 'srun_1';

/** A clock that tests set; leases are by it. */
let nowMs: number;
let store: MemorySessionStore;
let outcomes: DispatchOutcome[];
let decided: Decision[];
let dispatchers: Dispatcher[];
/** What was told: of which session, and how it is let go on. */
let told: { readonly task: EngineTask; readonly end: (error?: unknown) => void }[];

beforeEach(() => {
  nowMs = 1_000_000;
  store = new MemorySessionStore(() => nowMs);
  outcomes = [];
  decided = [];
  dispatchers = [];
  told = [];
});
afterEach(async () => {
  for (const { end } of told) end();
  await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop()));
});

/** Works until the test ends it, or until it is to let go. */
const HELD: Engine = {
  handle: (task) =>
    new Promise((resolve, reject) => {
      task.signal.addEventListener('abort', () => reject(task.signal.reason));
      told.push({ task, end: (error) => (error === undefined ? resolve() : reject(error)) });
    }),
};

function dispatcher(engine: Engine = HELD, options: Partial<DispatcherOptions> = {}): Dispatcher {
  const made = new Dispatcher(
    {
      store,
      calls: {
        of: ({ sessionId, dispatch }) =>
          Promise.resolve({
            kind: 'tell',
            call: {
              type: dispatch.type,
              session_id: sessionId,
              run_id: dispatch.runId,
              input_events: [],
              agent: {},
              session: {},
            },
          }),
      },
      reports: { take: () => Promise.resolve([]) },
      journal: {
        execute: async ({ workspaceId, sessionId, decide }) => {
          const stored = await store.load(workspaceId, sessionId);
          const context = {
            nowMs,
            newId,
            newSecret: () => 'whsec_',
            knownEvents: new Map<string, string>(),
            runTimeoutMs: 1,
          };
          if (stored) decided.push(decide(stored.state, context));
          return { state: stored?.state, events: [], isRepeated: false };
        },
      },
      engineOf: () => engine,
      signals: { dispatched: (outcome) => outcomes.push(outcome), fault: () => undefined },
    },
    {
      holder: newId('eng'),
      leaseMs: 60,
      watchIntervalMs: 10,
      pollIntervalMs: 5,
      concurrency: 10,
      maxRuns: 10,
      ...options,
    },
  );
  dispatchers.push(made);
  void made.start();
  return made;
}

/** Commits these dispatches of a session, whose active run is the one that they are of. */
async function commit(sessionId: string, types: readonly RunDispatch['type'][], changes: Partial<SessionState> = {}) {
  const stored = await store.load(WORKSPACE, sessionId);
  await store.commit({
    workspaceId: WORKSPACE,
    sessionId,
    expectedVersion: stored?.version ?? 0,
    state: sessionOf({ id: sessionId, workspaceId: WORKSPACE, ...changes }),
    events: [],
    eventIds: [],
    dispatches: types.map((type) => ({ type, engine: 'eng_1', runId: RUN, inputIds: [] }) as RunDispatch),
  });
}

async function until(holds: () => boolean): Promise<void> {
  for (const endMs = Date.now() + 5_000; Date.now() < endMs;) {
    if (holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('Waited in vain');
}

describe('Dispatcher', () => {
  it('tells one thing of a session after the other, in their order, and sessions beside each other', async () => {
    await commit('sesn_a', ['run.start', 'run.input', 'run.interrupt']);
    await commit('sesn_b', ['run.start']);
    dispatcher();
    const types = () => told.map(({ task }) => `${task.call.session_id} ${task.call.type}`);
    await until(() => told.length === 2);
    expect(types().sort()).toEqual(['sesn_a run.start', 'sesn_b run.start']);
    told.find(({ task }) => task.call.session_id === 'sesn_a')?.end();
    await until(() => told.length === 3);
    told[2]?.end();
    await until(() => told.length === 4);
    expect(types().slice(2)).toEqual(['sesn_a run.input', 'sesn_a run.interrupt']);
    expect(told.map(({ task }) => task.deliveryId)).toHaveLength(new Set(told.map(({ task }) => task.deliveryId)).size);
  });

  it('tells no more at a time than it may; long work takes a place of its own', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await commit(`sesn_${id}`, ['run.start']);
    dispatcher(HELD, { concurrency: 2, maxRuns: 2 });
    await until(() => told.length === 2);
    for (const { task } of [...told]) task.detach();
    await until(() => told.length === 4);
    expect(() => told[2]?.task.detach()).toThrow('This process works on enough runs');
    told[2]?.end();
    await until(() => told.length === 5);
    expect(outcomes).toEqual(['told']);
  });

  it('keeps what it works on: nobody else takes it while the claim is renewed', async () => {
    await commit('sesn_a', ['run.start']);
    dispatcher();
    await until(() => told.length === 1);
    dispatcher();
    const renewed = jest.spyOn(store, 'renewDispatch');
    for (let renewals = 1; renewals <= 4; renewals++) {
      await until(() => renewed.mock.results.length >= renewals);
      nowMs += 50;
      await until(() => renewed.mock.results.length > renewals);
    }
    expect([told.length, told[0]?.task.signal.aborted]).toEqual([1, false]);
  });

  it('lets go of what another one took, and that one has it as the next attempt', async () => {
    await commit('sesn_a', ['run.start']);
    dispatcher(HELD, { leaseMs: 3_000 });
    await until(() => told.length === 1);
    nowMs += 3_001;
    dispatcher(HELD, { leaseMs: 3_000 });
    await until(() => told.length === 2);
    expect(told[1]?.task).toMatchObject({ attempt: 2, deliveryId: told[0]?.task.deliveryId });
    await until(() => told[0]?.task.signal.aborted === true);
    await until(() => outcomes.includes('let_go'));
    told[1]?.end();
    await until(() => outcomes.includes('told'));
    expect(await store.claimDispatches({ holder: 'x', leaseMs: 1, limit: 9 })).toEqual([]);
  });

  it('ends work for a run that is over, at once when it is told so', async () => {
    await commit('sesn_a', ['run.start']);
    const made = dispatcher(HELD, { watchIntervalMs: 600_000 });
    await until(() => told.length === 1);
    await commit('sesn_a', ['run.interrupt'], { run: null });
    made.wake('sesn_a');
    await until(() => told.length === 2);
    expect([told[0]?.task.signal.aborted, told[1]?.task.call.type]).toEqual([true, 'run.interrupt']);
    expect(outcomes).toEqual(['outdated']);
  });

  it('tries again what failed, and gives a run up whose engine says that it is of no use', async () => {
    await commit('sesn_a', ['run.start']);
    dispatcher();
    await until(() => told.length === 1);
    told[0]?.end(new Error('for a while'));
    await until(() => outcomes.length === 1);
    nowMs += 250;
    await until(() => told.length === 2);
    expect(told[1]?.task.attempt).toBe(2);
    told[1]?.end(new EngineFailed('It has no strength'));
    await until(() => outcomes.length === 2);
    expect(outcomes).toEqual(['failed', 'given_up']);
    const [decision] = decided as [Extract<Decision, { kind: 'accepted' }>];
    expect(decision.events.map(({ body }) => body)).toMatchObject([
      { type: 'session.error', error: { message: 'It has no strength', retry_status: { type: 'exhausted' } } },
      { type: 'session.status_idle', stop_reason: { type: 'retries_exhausted' } },
      ...decision.events.slice(2).map(() => ({})),
    ]);
    expect(await store.claimDispatches({ holder: 'x', leaseMs: 1, limit: 9 })).toEqual([]);
  });

  it('gives up in the end, and at once where what is reported cannot be stored', async () => {
    await commit('sesn_a', ['run.start']);
    const attempts: number[] = [];
    const failing: Engine = {
      handle: ({ attempt }) => {
        attempts.push(attempt);
        return Promise.reject(new Error('again'));
      },
    };
    dispatcher(failing);
    await until(() => {
      nowMs += 10_000;
      return outcomes.includes('given_up');
    });
    expect(attempts).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    await dispatchers.pop()?.stop();
    outcomes = [];
    await commit('sesn_b', ['run.start']);
    dispatcher({ handle: () => Promise.reject(new SluiceError('invalid_request', 'no such event')) });
    await until(() => outcomes.length === 1);
    expect(outcomes).toEqual(['given_up']);
  });

  it('drops what is of a run that is over', async () => {
    await commit('sesn_a', ['run.start']);
    dispatcher({ handle: () => Promise.reject(new SluiceError('conflict', 'over')) });
    await until(() => outcomes.length === 1);
    expect([outcomes, decided]).toEqual([['outdated'], []]);
    expect(await store.claimDispatches({ holder: 'x', leaseMs: 1, limit: 9 })).toEqual([]);
  });

  it('lets go of all when it stops, so that another one has it at once', async () => {
    await commit('sesn_a', ['run.start']);
    const first = dispatcher();
    await until(() => told.length === 1);
    await first.stop();
    expect(outcomes).toEqual(['let_go']);
    dispatcher();
    await until(() => told.length === 2);
    expect(told[1]?.task.attempt).toBe(2);
  });
});
