import {
  AGENT,
  RUN_TIMEOUT_MS,
  SessionWorld,
  customResult,
  idle,
  interrupt,
  message,
  outcome,
  status,
  uses,
  waitingWorld,
  waitsFor,
  working,
} from '../../test/session-world';
import { decideArchive, decideDelete } from './end-of-session';
import { decideAddResource, decideRemoveResource, decideUpdateResource } from './resources';
import { decideRunLost, decideRunOverdue } from './run-lost';
import { decideRunUntold } from './run-untold';
import { sessionView, threadView } from './views';

const accepted = { kind: 'accepted' };
const conflict = { kind: 'refused', refusal: { code: 'conflict' } };
const invalid = { kind: 'refused', refusal: { code: 'invalid_request' } };

describe('creation', () => {
  it('begins idle, with an event that the SDK does not see', () => {
    const world = new SessionWorld({ title: 'Ours', metadata: { a: 'b' } });
    expect(world.events).toMatchObject([
      { type: 'session.created', title: 'Ours', metadata: { a: 'b' }, agent: { id: 'agent_1', version: 1 } },
    ]);
    expect(world.session).toMatchObject({ status: 'idle', run: null });
  });

  it('takes its first events as if they were sent', () => {
    const world = new SessionWorld({ initialEvents: [message(), outcome()] });
    expect(world.typesOfEvents).toEqual([
      'session.created',
      'user.message',
      'user.define_outcome',
      'session.status_running',
    ]);
    expect(world.faults()).toEqual([]);
  });

  it('refuses other first events, and too many', () => {
    const create = (initialEvents: readonly ReturnType<typeof message>[]) => {
      const world = new SessionWorld({ initialEvents });
      return world.state;
    };
    expect(create([message(), interrupt()])).toBeUndefined();
    expect(create(Array.from({ length: 51 }, () => message()))).toBeUndefined();
    expect(create(Array.from({ length: 50 }, () => message()))).toBeDefined();
  });
});

describe('archiving', () => {
  it('closes the session to the user, and lets what was taken be done', () => {
    const world = working();
    world.send(message('queued'));
    world.run(decideArchive);
    expect(world.typesOfEvents.at(-1)).toBe('session.archived');
    expect(world.send(message())).toMatchObject(conflict);
    world.report(idle('end_turn'));
    expect(world.session.status).toBe('running');
    world.report(idle('end_turn'));
    expect(world.session).toMatchObject({ status: 'idle', run: null });
    expect(world.faults()).toEqual([]);
  });

  it('changes nothing the second time', () => {
    const world = new SessionWorld();
    world.run(decideArchive);
    const before = world.session;
    expect(world.run(decideArchive)).toEqual({ kind: 'accepted', state: before, events: [], dispatches: [] });
  });

  it('ends a run that waits for the user, now or later', () => {
    const world = waitingWorld('tool_1');
    world.send(message('queued'));
    world.run(decideArchive);
    expect(world.typesOfEvents.slice(-3)).toEqual([
      'session.archived',
      'session.status_idle',
      'session.status_running',
    ]);
    world.report(uses('tool_2'), waitsFor('tool_2'));
    expect(world.typesOfEvents.slice(-2)).toEqual(['session.status_idle', 'session.status_idle']);
    expect(world.session).toMatchObject({ status: 'idle', run: null, pending: [] });
    expect(world.dispatches.map(({ type }) => type)).toEqual([
      'run.start',
      'run.interrupt',
      'run.start',
      'run.interrupt',
    ]);
    expect(world.faults()).toEqual([]);
  });
});

describe('deletion', () => {
  it.each([
    ['running', (): SessionWorld => working()],
    ['rescheduling', (): SessionWorld => working(status('rescheduled'))],
  ])('is refused while a run is %s', (_name, make) => {
    expect(make().run(decideDelete)).toMatchObject(conflict);
  });

  it.each([
    ['idle', (): SessionWorld => new SessionWorld()],
    ['waiting for the user', (): SessionWorld => waitingWorld('tool_1')],
    ['terminated', (): SessionWorld => working(status('terminated'))],
  ])('ends a session that is %s', (_name, make) => {
    const world = make();
    expect(world.run(decideDelete)).toMatchObject(accepted);
    expect(world.state).toBeUndefined();
    expect(world.typesOfEvents.at(-1)).toBe('session.deleted');
    expect(world.dispatches.at(-1)).toEqual({
      type: 'session.deleted',
      engine: 'eng_1',
      runId: null,
      inputIds: [],
      afterEventId: world.events.at(-1)?.id,
    });
    expect(world.faults()).toEqual([]);
  });
});

describe('runs that are given up', () => {
  it('says that the turn failed, tells the engine to stop, and goes on with the queue', () => {
    const world = working();
    const run = world.runId;
    world.send(message('next'));
    world.run((state, ctx) => decideRunLost(state, { runId: run, message: 'gone', isEngineToStop: true }, ctx));
    expect(world.events.slice(-3)).toMatchObject([
      { type: 'session.error', error: { type: 'unknown_error', message: 'gone', retry_status: { type: 'exhausted' } } },
      { type: 'session.status_idle', stop_reason: { type: 'retries_exhausted' } },
      { type: 'session.status_running' },
    ]);
    expect(world.dispatches.slice(-2).map(({ type }) => type)).toEqual(['run.interrupt', 'run.start']);
    expect(world.faults()).toEqual([]);
    const again = { runId: run, message: 'gone', isEngineToStop: true };
    expect(world.run((state, ctx) => decideRunLost(state, again, ctx))).toMatchObject(conflict);
  });

  it('gives up a silent run at its deadline, not before, and never one that waits for the user', () => {
    const world = working();
    world.nowMs += RUN_TIMEOUT_MS - 1;
    expect(world.run(decideRunOverdue)).toMatchObject(conflict);
    world.nowMs += 1;
    expect(world.run(decideRunOverdue)).toMatchObject(accepted);
    expect(world.session.run).toBeNull();
    const waiting = waitingWorld('tool_1');
    waiting.nowMs += 10 * RUN_TIMEOUT_MS;
    expect(waiting.run(decideRunOverdue)).toMatchObject(conflict);
  });

  it('gives a run its time anew while its engine is not told, once a part of it is gone', () => {
    const world = working();
    const run = world.runId;
    const untold = (runId = run) => world.run((state, ctx) => decideRunUntold(state, runId, ctx));
    const before = world.session;
    world.nowMs += RUN_TIMEOUT_MS / 10;
    expect(untold()).toEqual({ kind: 'accepted', state: before, events: [], dispatches: [] });
    world.nowMs += 1;
    expect(untold()).toMatchObject({ kind: 'accepted', events: [], dispatches: [] });
    expect(world.session).toEqual({
      ...before,
      run: { ...before.run, deadlineMs: world.nowMs + RUN_TIMEOUT_MS },
    });
    world.nowMs += RUN_TIMEOUT_MS - 1;
    expect(world.run(decideRunOverdue)).toMatchObject(conflict);
    expect(untold('srun_other')).toMatchObject(conflict);
    const waiting = waitingWorld('tool_1');
    const asItWas = waiting.session;
    waiting.nowMs += RUN_TIMEOUT_MS;
    const decision = waiting.run((state, ctx) => decideRunUntold(state, waiting.runId, ctx));
    expect(decision).toMatchObject({ state: asItWas });
    expect(waiting.session).toBe(asItWas);
  });
});

describe('resources', () => {
  const file = (id: string) => ({ id, type: 'file', mount_path: `/mnt/${id}` });

  it('adds, replaces and removes them', () => {
    const world = new SessionWorld();
    world.run((state, ctx) => decideAddResource(state, file('a'), ctx));
    world.run((state, ctx) => decideUpdateResource(state, { ...file('a'), extra: 1 }, ctx));
    expect(world.session.resources).toEqual([{ ...file('a'), extra: 1 }]);
    expect(
      world.run((state, ctx) => decideAddResource(state, { ...file('b'), mount_path: '/mnt/a' }, ctx)),
    ).toMatchObject(invalid);
    world.run((state, ctx) => decideRemoveResource(state, 'a', ctx));
    expect(world.session.resources).toEqual([]);
    expect(world.run((state, ctx) => decideRemoveResource(state, 'a', ctx))).toMatchObject({
      kind: 'refused',
      refusal: { code: 'not_found' },
    });
  });

  it('refuses two at one place at the creation', () => {
    const nowhere = { id: 'n', type: 'file' };
    expect(
      new SessionWorld({ resources: [file('a'), file('b'), nowhere, { ...nowhere, id: 'm' }] }).state,
    ).toBeDefined();
    expect(new SessionWorld({ resources: [file('a'), file('b'), file('a')] }).state).toBeUndefined();
  });

  it('bounds them, and refuses them in a session that is archived', () => {
    const world = new SessionWorld({ resources: Array.from({ length: 100 }, (_, n) => file(`r${n}`)) });
    expect(world.run((state, ctx) => decideAddResource(state, file('more'), ctx))).toMatchObject(conflict);
    world.run(decideArchive);
    expect(world.run((state, ctx) => decideRemoveResource(state, 'r1', ctx))).toMatchObject(conflict);
  });
});

describe('times', () => {
  it('counts the time spent running, not that spent waiting or rescheduled', () => {
    const world = working();
    world.nowMs += 2000;
    world.report(status('rescheduled'));
    world.nowMs += 10_000;
    world.report(status('running'));
    world.nowMs += 3000;
    world.report(uses('tool_1'), waitsFor('tool_1'));
    world.nowMs += 60_000;
    world.send(customResult('tool_1'));
    world.nowMs += 1000;
    expect(sessionView(world.session, world.nowMs)['stats']).toEqual({ active_seconds: 6, duration_seconds: 76 });
    world.report(status('terminated'));
    world.nowMs += 5000;
    expect(sessionView(world.session, world.nowMs)['stats']).toEqual({ active_seconds: 6, duration_seconds: 76 });
  });

  it('never lets the times of events fall, though a replica has an earlier clock', () => {
    const world = working();
    world.nowMs -= 5000;
    world.report(idle('end_turn'));
    world.send(message());
    expect(new Set(world.events.map((event) => event.processed_at)).size).toBe(1);
    expect(world.faults()).toEqual([]);
  });
});

describe('views', () => {
  it('shows the session and its thread in the form of the SDK', () => {
    const world = new SessionWorld({ title: 'Ours', vaultIds: ['vlt_1'] });
    const { metadata: _metadata, ...agent } = AGENT;
    const time = '2026-01-02T03:04:05.000Z';
    const common = { archived_at: null, created_at: time, updated_at: time, status: 'idle' };
    const stats = { active_seconds: 0, duration_seconds: 0 };
    expect(sessionView(world.session, world.nowMs)).toEqual({
      ...common,
      id: 'sesn_1',
      type: 'session',
      agent,
      budget: null,
      environment_id: 'env_1',
      metadata: {},
      outcome_evaluations: [],
      resources: [],
      stats,
      title: 'Ours',
      usage: { active_seconds: 0 },
      vault_ids: ['vlt_1'],
    });
    const { multiagent: _multiagent, ...threadAgent } = agent;
    expect(threadView(world.session, world.nowMs)).toEqual({
      ...common,
      id: 'sthr_1',
      type: 'session_thread',
      agent: threadAgent,
      parent_thread_id: null,
      session_id: 'sesn_1',
      stats,
      usage: { active_seconds: 0 },
      workflow_run_id: null,
    });
  });
});
