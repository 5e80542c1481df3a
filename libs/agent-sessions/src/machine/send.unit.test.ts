import {
  SessionWorld,
  idle,
  interrupt,
  message,
  outcome,
  says,
  status,
  systemMessage,
  waitingWorld,
  working,
} from '../../test/session-world';
import { MAX_OUTCOMES, MAX_OUTCOME_DESCRIPTION_LENGTH, MAX_QUEUED_INPUTS, MAX_SENT_EVENTS } from './limits';

const CREATED = 'session.created';

describe('messages', () => {
  it('starts a run with a message to an idle session, with the time of the run', () => {
    const world = new SessionWorld();
    expect(world.send(message())).toMatchObject({ kind: 'accepted' });
    expect(world.typesOfEvents).toEqual([CREATED, 'user.message', 'session.status_running']);
    expect(world.session.status).toBe('running');
    const [, sent, running] = world.events;
    expect(sent?.processed_at).toBe(running?.processed_at);
    expect(world.dispatches).toEqual([
      { type: 'run.start', engine: 'eng_1', runId: world.runId, inputIds: [sent?.id], afterEventId: running?.id },
    ]);
    expect(world.faults()).toEqual([]);
  });

  it('says the time of messages whose run starts at once in the messages, not in the start of the run', () => {
    const decision = new SessionWorld().send(message(), systemMessage());
    const events = decision.kind === 'accepted' ? decision.events : [];
    expect(events.map(({ body }) => body.processed_at)).not.toContain(null);
    expect(events.at(-1)).not.toHaveProperty('processedInputs');
  });

  it('starts one run with all messages of a batch', () => {
    const world = new SessionWorld();
    world.send(message('a'), message('b'), systemMessage());
    expect(world.typesOfEvents).toEqual([
      CREATED,
      'user.message',
      'user.message',
      'system.message',
      'session.status_running',
    ]);
    expect(world.dispatches).toHaveLength(1);
    expect(world.dispatches[0]?.inputIds).toEqual(world.events.slice(1, 4).map((event) => event.id));
    expect(world.faults()).toEqual([]);
  });

  it.each([
    ['running', (): SessionWorld => working()],
    ['rescheduling', (): SessionWorld => working(status('rescheduled'))],
    ['requires_action', (): SessionWorld => waitingWorld('tool_1')],
  ])('queues a message with no time while a run is %s, and starts the next run with it', (_name, make) => {
    const world = make();
    const first = world.runId;
    world.send(message('later'));
    const queued = world.events.at(-1);
    expect(queued).toMatchObject({ type: 'user.message', processed_at: null });
    expect(world.runId).toBe(first);
    world.nowMs += 5000;
    world.report(idle('end_turn'));
    expect(world.typesOfEvents.slice(-2)).toEqual(['session.status_idle', 'session.status_running']);
    expect(world.runId).not.toBe(first);
    expect(world.events.find((event) => event.id === queued?.id)?.processed_at).toBe(world.events.at(-1)?.processed_at);
    expect(world.dispatches.at(-1)).toMatchObject({ type: 'run.start', inputIds: [queued?.id] });
    expect(world.faults()).toEqual([]);
  });

  it('takes an outcome at once, starts a run with it, and evaluates nothing', () => {
    const world = new SessionWorld();
    world.send(outcome());
    const sent = world.events[1];
    expect(sent).toMatchObject({ type: 'user.define_outcome', max_iterations: null });
    expect(sent?.processed_at).not.toBeNull();
    expect(world.dispatches[0]?.inputIds).toEqual([sent?.id]);
    expect(world.session.outcomes).toEqual([
      {
        type: 'outcome_evaluation',
        outcome_id: sent?.['outcome_id'],
        description: 'a page',
        result: 'pending',
        iteration: 0,
        explanation: null,
        completed_at: null,
      },
    ]);
    expect(world.faults()).toEqual([]);
  });

  it('bounds outcomes', () => {
    const world = new SessionWorld();
    const long = { ...outcome(), description: 'x'.repeat(MAX_OUTCOME_DESCRIPTION_LENGTH + 1) };
    expect(world.send(long)).toMatchObject({ kind: 'refused', refusal: { where: 'events[0].description' } });
    world.send(...Array.from({ length: MAX_OUTCOMES }, outcome));
    expect(world.send(outcome())).toMatchObject({ kind: 'refused', refusal: { code: 'conflict' } });
  });

  it('bounds the queue', () => {
    const world = working();
    for (let sent = 0; sent < MAX_QUEUED_INPUTS; sent += MAX_SENT_EVENTS) {
      world.send(...Array.from({ length: MAX_SENT_EVENTS }, () => message()));
    }
    expect(world.session.queue).toHaveLength(MAX_QUEUED_INPUTS);
    expect(world.send(message())).toMatchObject({ kind: 'refused', refusal: { code: 'conflict' } });
  });

  it('counts system messages in the queue: each run is told of all of its inputs', () => {
    const world = working();
    for (let sent = 0; sent < MAX_QUEUED_INPUTS - MAX_SENT_EVENTS; sent += MAX_SENT_EVENTS) {
      world.send(...Array.from({ length: MAX_SENT_EVENTS }, () => message()));
    }
    world.send(...Array.from({ length: MAX_SENT_EVENTS - 1 }, () => message()));
    expect(world.session.queue).toHaveLength(MAX_QUEUED_INPUTS - 1);
    const refused = world.send(message(), systemMessage());
    expect(refused).toMatchObject({ kind: 'refused', refusal: { code: 'conflict' } });
    expect(world.send(message())).toMatchObject({ kind: 'accepted' });
    world.report(idle('end_turn'));
    expect(world.dispatches.at(-1)?.inputIds).toHaveLength(MAX_QUEUED_INPUTS);
  });
});

describe('interrupts', () => {
  it('is stored and does nothing without a run', () => {
    const world = new SessionWorld();
    world.send(interrupt());
    expect(world.typesOfEvents).toEqual([CREATED, 'user.interrupt']);
    expect(world.events[1]?.processed_at).not.toBeNull();
    expect(world.dispatches).toEqual([]);
    expect(world.session.status).toBe('idle');
  });

  it.each([
    ['running', (): SessionWorld => working()],
    ['rescheduling', (): SessionWorld => working(status('rescheduled'))],
    ['requires_action', (): SessionWorld => waitingWorld('tool_1')],
  ])('fences a run that is %s, tells its engine, and starts the queue', (_name, make) => {
    const world = make();
    const fenced = world.runId;
    world.send(message('next'));
    world.send(interrupt());
    expect(world.typesOfEvents.slice(-3)).toEqual(['user.interrupt', 'session.status_idle', 'session.status_running']);
    expect(world.events.at(-2)).toMatchObject({ stop_reason: { type: 'end_turn' }, stop_details: null });
    expect(world.dispatches.slice(-2)).toMatchObject([
      { type: 'run.interrupt', runId: fenced, inputIds: [world.events.at(-3)?.id] },
      { type: 'run.start', runId: world.runId },
    ]);
    expect(world.reportOf(fenced, [says()])).toMatchObject({ kind: 'refused', refusal: { code: 'conflict' } });
    expect(world.faults()).toEqual([]);
  });

  it('stops what comes before it in its batch, and not what comes after it', () => {
    const world = new SessionWorld();
    world.send(message('a'), interrupt(), message('b'));
    expect(world.typesOfEvents).toEqual([
      CREATED,
      'user.message',
      'session.status_running',
      'user.interrupt',
      'session.status_idle',
      'user.message',
      'session.status_running',
    ]);
    expect(world.dispatches.map((dispatch) => dispatch.type)).toEqual(['run.start', 'run.interrupt', 'run.start']);
    expect(world.faults()).toEqual([]);
  });

  it('knows the primary thread only', () => {
    const world = working();
    expect(world.send({ ...interrupt(), session_thread_id: 'sthr_2' })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'invalid_request', where: 'events[0].session_thread_id' },
    });
    expect(world.send({ ...interrupt(), session_thread_id: 'sthr_1' })).toMatchObject({ kind: 'accepted' });
  });
});

describe('what cannot be sent', () => {
  it('refuses an empty batch, one that is too large, and other types', () => {
    const world = new SessionWorld();
    const invalid = { kind: 'refused', refusal: { code: 'invalid_request' } };
    expect(world.send()).toMatchObject(invalid);
    expect(world.send(...Array.from({ length: MAX_SENT_EVENTS + 1 }, () => message()))).toMatchObject(invalid);
    expect(world.send(says())).toMatchObject(invalid);
    expect(world.typesOfEvents).toEqual([CREATED]);
  });

  it.each([
    ['alone', [systemMessage()]],
    ['before the last', [message(), systemMessage(), message()]],
    ['twice', [message(), systemMessage(), systemMessage()]],
    ['after an interrupt', [interrupt(), systemMessage()]],
    ['after an outcome', [outcome(), systemMessage()]],
  ])('refuses a system.message %s', (_name, events) => {
    expect(new SessionWorld().send(...events)).toMatchObject({ kind: 'refused', refusal: { code: 'invalid_request' } });
  });

  it('refuses everything in a session that is terminated', () => {
    const world = working(status('terminated'));
    expect(world.send(message())).toMatchObject({ kind: 'refused', refusal: { code: 'conflict' } });
    expect(world.send(interrupt())).toMatchObject({ kind: 'refused', refusal: { code: 'conflict' } });
  });
});
