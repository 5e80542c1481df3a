import type { ClaimedDispatch, Decision } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { DispatcherWorld, tellCalls, until } from '../../test/support/dispatcher-world';
import { EngineFailed, type Engine } from './engine';

let world: DispatcherWorld;
beforeEach(() => {
  world = new DispatcherWorld();
});
afterEach(() => world.stop());

describe('Dispatcher', () => {
  it('tells one thing of a session after the other, in their order, and sessions beside each other', async () => {
    await world.commit('sesn_a', ['run.start', 'run.input', 'run.interrupt']);
    await world.commit('sesn_b', ['run.start']);
    world.dispatcher();
    const types = () => world.told.map(({ task }) => `${task.call.session_id} ${task.call.type}`);
    await until(() => world.told.length === 2);
    expect(types().sort()).toEqual(['sesn_a run.start', 'sesn_b run.start']);
    world.told.find(({ task }) => task.call.session_id === 'sesn_a')?.end();
    await until(() => world.told.length === 3);
    world.told[2]?.end();
    await until(() => world.told.length === 4);
    expect(types().slice(2)).toEqual(['sesn_a run.input', 'sesn_a run.interrupt']);
    expect(world.told.map(({ task }) => task.deliveryId)).toHaveLength(
      new Set(world.told.map(({ task }) => task.deliveryId)).size,
    );
  });

  it('tells no more at a time than it may; long work takes a place of its own', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await world.commit(`sesn_${id}`, ['run.start']);
    world.dispatcher(world.held, { concurrency: 2, maxRuns: 2 });
    await until(() => world.told.length === 2);
    for (const { task } of [...world.told]) task.detach();
    await until(() => world.told.length === 4);
    expect(() => world.told[2]?.task.detach()).toThrow('This process works on enough runs');
    world.told[2]?.end();
    await until(() => world.told.length === 5);
    expect(world.outcomes).toEqual(['told']);
  });

  it('keeps what it works on: nobody else takes it while the claim is renewed', async () => {
    await world.commit('sesn_a', ['run.start']);
    world.dispatcher();
    await until(() => world.told.length === 1);
    world.dispatcher();
    const renewed = jest.spyOn(world.store, 'renewDispatch');
    for (let renewals = 1; renewals <= 4; renewals++) {
      await until(() => renewed.mock.results.length >= renewals);
      world.nowMs += 50;
      await until(() => renewed.mock.results.length > renewals);
    }
    expect([world.told.length, world.told[0]?.task.signal.aborted]).toEqual([1, false]);
  });

  it('lets go of what another one took, and that one has it as the next attempt', async () => {
    await world.commit('sesn_a', ['run.start']);
    world.dispatcher(world.held, { leaseMs: 3_000 });
    await until(() => world.told.length === 1);
    world.nowMs += 3_001;
    world.dispatcher(world.held, { leaseMs: 3_000 });
    await until(() => world.told.length === 2);
    expect(world.told[1]?.task).toMatchObject({ failures: 1, deliveryId: world.told[0]?.task.deliveryId });
    await until(() => world.told[0]?.task.signal.aborted === true);
    await until(() => world.outcomes.includes('let_go'));
    world.told[1]?.end();
    await until(() => world.outcomes.includes('told'));
    expect(await world.store.claimDispatches({ holder: 'x', leaseMs: 1, limit: 9 })).toEqual([]);
  });

  it('ends work for a run that is over, at once when it is told so', async () => {
    await world.commit('sesn_a', ['run.start']);
    const made = world.dispatcher(world.held, { watchIntervalMs: 600_000 });
    await until(() => world.told.length === 1);
    await world.commit('sesn_a', ['run.interrupt'], { run: null });
    made.wake('sesn_a');
    await until(() => world.told.length === 2);
    expect([world.told[0]?.task.signal.aborted, world.told[1]?.task.call.type]).toEqual([true, 'run.interrupt']);
    expect(world.outcomes).toEqual(['outdated']);
  });

  it('tries again what failed, and gives a run up whose engine says that it is of no use', async () => {
    await world.commit('sesn_a', ['run.start']);
    world.dispatcher();
    await until(() => world.told.length === 1);
    world.told[0]?.end(new Error('for a while'));
    await until(() => world.outcomes.length === 1);
    world.nowMs += 250;
    await until(() => world.told.length === 2);
    expect(world.told[1]?.task.failures).toBe(1);
    world.told[1]?.end(new EngineFailed('It has no strength'));
    await until(() => world.outcomes.length === 2);
    expect(world.outcomes).toEqual(['failed', 'given_up']);
    const [decision] = world.decided as [Extract<Decision, { kind: 'accepted' }>];
    expect(decision.events.map(({ body }) => body)).toMatchObject([
      { type: 'session.error', error: { message: 'It has no strength', retry_status: { type: 'exhausted' } } },
      { type: 'session.status_idle', stop_reason: { type: 'retries_exhausted' } },
      ...decision.events.slice(2).map(() => ({})),
    ]);
    expect(await world.store.claimDispatches({ holder: 'x', leaseMs: 1, limit: 9 })).toEqual([]);
  });

  it('gives up in the end, and at once where what is reported cannot be stored', async () => {
    await world.commit('sesn_a', ['run.start']);
    const failed: number[] = [];
    const failing: Engine = {
      handle: ({ failures }) => {
        failed.push(failures);
        return Promise.reject(new Error('again'));
      },
    };
    world.dispatcher(failing);
    await until(() => {
      world.nowMs += 10_000;
      return world.outcomes.includes('given_up');
    });
    expect(failed).toEqual(Array.from({ length: 20 }, (_, index) => index));
    await world.dispatchers.pop()?.stop();
    world.outcomes = [];
    await world.commit('sesn_b', ['run.start']);
    world.dispatcher({ handle: () => Promise.reject(new SluiceError('invalid_request', 'no such event')) });
    await until(() => world.outcomes.length === 1);
    expect(world.outcomes).toEqual(['given_up']);
  });

  it('gives a run up whose inputs are not kept any more, and goes on with its session', async () => {
    await world.commit('sesn_a', ['run.start', 'session.deleted']);
    const { of } = tellCalls();
    const isOfRun = (claim: ClaimedDispatch) => claim.dispatch.type === 'run.start';
    const calls = {
      of: async (claim: ClaimedDispatch) => (isOfRun(claim) ? { kind: 'not_kept' as const } : of(claim)),
    };
    world.dispatcher({ handle: () => Promise.resolve() }, {}, calls);
    await until(() => world.outcomes.length === 2);
    expect(world.outcomes).toEqual(['given_up', 'told']);
    expect(world.decided).toMatchObject([{ kind: 'accepted' }]);
  });

  it('drops what is of a run that is over', async () => {
    await world.commit('sesn_a', ['run.start']);
    world.dispatcher({ handle: () => Promise.reject(new SluiceError('conflict', 'over')) });
    await until(() => world.outcomes.length === 1);
    expect([world.outcomes, world.decided]).toEqual([['outdated'], []]);
    expect(await world.store.claimDispatches({ holder: 'x', leaseMs: 1, limit: 9 })).toEqual([]);
  });

  it('lets go of all when it stops, so that another one has it at once', async () => {
    await world.commit('sesn_a', ['run.start']);
    const first = world.dispatcher();
    await until(() => world.told.length === 1);
    await first.stop();
    expect(world.outcomes).toEqual(['let_go']);
    world.dispatcher();
    await until(() => world.told.length === 2);
    expect(world.told[1]?.task.failures).toBe(0);
  });

  it('counts long work that it let go as begun before', async () => {
    await world.commit('sesn_a', ['run.start']);
    const first = world.dispatcher();
    await until(() => world.told.length === 1);
    world.told[0]?.task.detach();
    await first.stop();
    world.dispatcher();
    await until(() => world.told.length === 2);
    expect(world.told[1]?.task.failures).toBe(1);
  });

  it('keeps what it works on when its claim lapsed and nobody took it, and does not begin it twice', async () => {
    await world.commit('sesn_a', ['run.start']);
    world.dispatcher();
    await until(() => world.told.length === 1);
    const claimed = jest.spyOn(world.store, 'claimDispatches');
    const renewed = jest.spyOn(world.store, 'renewDispatch');
    world.nowMs += 3_600_000;
    await until(() => claimed.mock.results.length >= 3);
    const renewals = renewed.mock.results.length;
    await until(() => renewed.mock.results.length >= renewals + 2);
    world.dispatcher();
    await until(() => claimed.mock.results.length >= 10);
    expect([world.told.length, world.told[0]?.task.signal.aborted]).toEqual([1, false]);
    world.told[0]?.end();
    await until(() => world.outcomes.includes('told'));
    expect(await world.store.claimDispatches({ holder: 'x', leaseMs: 1, limit: 9 })).toEqual([]);
  });
});
