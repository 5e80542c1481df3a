import { SluiceError } from '@sluice/event-log';
import { DispatcherWorld, tellCalls, until } from '../../test/support/dispatcher-world';
import { EngineBusy, EngineUnreached, type Engine } from './engine';

let world: DispatcherWorld;
beforeEach(() => {
  world = new DispatcherWorld();
});
afterEach(() => world.stop());

describe('Dispatcher: what has to wait', () => {
  it('tells one engine and one workspace only so much at a time: who never answers keeps nobody else waiting', async () => {
    for (let n = 0; n < 40; n++)
      await world.commit(`sesn_${n}`, ['run.start'], {}, n % 2 === 0 ? 'eng_dead' : 'eng_gone');
    await world.commit('sesn_other', ['run.start'], {}, 'built-in');
    const silent: Engine = { ...world.held, bounds: { ofEngine: 4, ofWorkspace: 6 } };
    world.dispatcher((name) => (name === 'built-in' ? world.held : silent));
    const toldTo = (engine: string) => world.told.filter(({ task }) => task.engine === engine);
    await until(() => toldTo('built-in').length === 1);
    await until(() => world.told.length === 7);
    expect(toldTo('eng_dead').length).toBeLessThanOrEqual(4);
    expect(toldTo('eng_gone').length).toBeLessThanOrEqual(4);
    // Each place that is given up is taken by who waits for it.
    for (let n = 0; n < 40; n++) {
      await until(() => {
        world.nowMs += 1;
        return world.told.length > n;
      });
      world.told[n]?.end();
    }
    await until(() => world.outcomes.filter((outcome) => outcome === 'told').length >= 40);
    expect(world.outcomes.filter((outcome) => outcome !== 'told' && outcome !== 'busy')).toEqual([]);
  });

  it('lets go at once of what waits for its engine when it stops', async () => {
    for (const id of ['a', 'b', 'c']) await world.commit(`sesn_${id}`, ['run.start']);
    const first = world.dispatcher({ ...world.held, bounds: { ofEngine: 1, ofWorkspace: 1 } });
    await until(() => world.told.length === 1);
    await first.stop();
    expect(world.outcomes).toEqual(['let_go', 'let_go', 'let_go']);
  });

  it('does not count as a failure that something had to wait', async () => {
    await world.commit('sesn_a', ['run.start']);
    const answers = [
      ...Array.from({ length: 25 }, () => new EngineBusy('full')),
      ...Array.from({ length: 25 }, () => new SluiceError('overloaded', 'for a while')),
      new Error('once'),
    ];
    world.dispatcher({
      handle: () => {
        const answer = answers.shift();
        return answer === undefined ? Promise.resolve() : Promise.reject(answer);
      },
    });
    await until(() => {
      world.nowMs += 2_000;
      return world.outcomes.includes('told') || world.outcomes.includes('given_up');
    });
    expect([world.outcomes.at(-1), world.outcomes.length, answers]).toEqual(['told', 52, []]);
  });

  it('tries again when an engine says that it may be reached later, after as long as it says', async () => {
    await world.commit('sesn_a', ['run.start']);
    world.dispatcher();
    await until(() => world.told.length === 1);
    world.told[0]?.end(new EngineUnreached('away', 700));
    await until(() => world.outcomes.length === 1);
    world.nowMs += 699;
    const claimed = jest.spyOn(world.store, 'claimDispatches');
    await until(() => claimed.mock.results.length >= 3);
    expect([world.outcomes, world.told.length]).toEqual([['failed'], 1]);
    world.nowMs += 1;
    await until(() => world.told.length === 2);
    expect(world.told[1]?.task).toMatchObject({ failures: 1, failingForMs: 700 });
  });

  it('gives a run its time anew when it waited long until it was told', async () => {
    await world.commit('sesn_a', ['run.start']);
    world.dispatcher(world.held, {}, tellCalls(true));
    await until(() => world.told.length === 1);
    const [decision] = world.decided;
    expect(decision).toMatchObject({ events: [], state: { run: { deadlineMs: world.nowMs + 1 } } });
  });

  it('does not count runs that wait for the user among those that it works on', async () => {
    for (const id of ['a', 'b']) await world.commit(`sesn_${id}`, ['run.start']);
    const made = world.dispatcher(world.held, { maxRuns: 1 });
    await until(() => world.told.length === 2);
    const [first, second] = world.told as [(typeof world.told)[0], (typeof world.told)[0]];
    first.task.detach();
    expect(() => second.task.detach()).toThrow(EngineBusy);
    const waiting = first.task.call.session_id;
    await world.commit(waiting, [], { status: 'idle' });
    made.wake(waiting);
    await until(() => {
      try {
        second.task.detach();
        return true;
      } catch {
        return false;
      }
    });
    await world.commit(waiting, [], { status: 'running' });
    made.wake(waiting);
    await world.commit('sesn_c', ['run.start']);
    await until(() => world.told.length === 3);
    expect(() => world.told[2]?.task.detach()).toThrow(EngineBusy);
  });
});
