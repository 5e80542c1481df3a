import {
  SessionWorld,
  confirmation,
  customResult,
  interrupt,
  message,
  systemMessage,
  toolResult,
  uses,
  waitingWorld,
  waitsFor,
  working,
} from '../../test/session-world';

describe('answers', () => {
  it('goes on with the same run when the last one has come', () => {
    const world = waitingWorld('tool_1');
    const run = world.runId;
    world.send(customResult('tool_1'));
    expect(world.typesOfEvents.slice(-2)).toEqual(['user.custom_tool_result', 'session.status_running']);
    expect(world.session).toMatchObject({ status: 'running', pending: [], run: { id: run } });
    expect(world.dispatches.at(-1)).toEqual({
      type: 'run.input',
      engine: 'eng_1',
      runId: run,
      inputIds: [world.events.at(-2)?.id],
      afterEventId: world.events.at(-1)?.id,
    });
    expect(world.faults()).toEqual([]);
  });

  it('says what is left, and tells the engine all the same', () => {
    const world = waitingWorld('tool_1', 'tool_2', 'tool_3');
    world.send(customResult('tool_2'));
    expect(world.events.at(-1)).toMatchObject({
      type: 'session.status_idle',
      stop_reason: { type: 'requires_action', event_ids: ['tool_1', 'tool_3'] },
    });
    expect(world.dispatches.at(-1)).toMatchObject({ type: 'run.input', inputIds: [world.events.at(-2)?.id] });
    world.send(customResult('tool_1'), customResult('tool_3'), systemMessage());
    expect(world.typesOfEvents.slice(-4)).toEqual([
      'user.custom_tool_result',
      'user.custom_tool_result',
      'system.message',
      'session.status_running',
    ]);
    expect(world.dispatches.at(-1)?.inputIds).toEqual(world.events.slice(-4, -1).map((event) => event.id));
    expect(world.faults()).toEqual([]);
  });

  it.each([
    ['an id that is no event', [customResult('nothing')]],
    ['the wrong kind', [confirmation('tool_1')]],
    ['the same id twice in a batch', [customResult('tool_1'), customResult('tool_1')]],
    ['a right answer with a wrong one', [customResult('tool_1'), customResult('nothing')]],
  ])('refuses %s, and stores nothing', (_name, events) => {
    const world = waitingWorld('tool_1', 'tool_2');
    const before = world.session;
    expect(world.send(...events)).toMatchObject({ kind: 'refused', refusal: { code: 'invalid_request' } });
    expect(world.session).toBe(before);
  });

  it('refuses what is answered already, and what waits for nothing', () => {
    const world = waitingWorld('tool_1', 'tool_2');
    world.send(customResult('tool_1'));
    const again = { kind: 'refused', refusal: { code: 'invalid_request', where: 'events[0].custom_tool_use_id' } };
    expect(world.send(customResult('tool_1'))).toMatchObject(again);
    world.send(interrupt());
    expect(world.send(customResult('tool_2'))).toMatchObject(again);
    expect(new SessionWorld().send(confirmation('tool_1'))).toMatchObject({ kind: 'refused' });
  });

  it('takes user.tool_result in self-hosted environments only', () => {
    const ofEnvironment = (environmentType: 'cloud' | 'self_hosted'): SessionWorld => {
      const world = new SessionWorld({ environmentType, initialEvents: [message()] });
      world.report(uses('tool_1', 'agent.tool_use'), waitsFor('tool_1'));
      return world;
    };
    expect(ofEnvironment('cloud').send(toolResult('tool_1'))).toMatchObject({ kind: 'refused' });
    expect(ofEnvironment('self_hosted').send(toolResult('tool_1'))).toMatchObject({ kind: 'accepted' });
  });

  it('lets a confirmed tool run outside, and be asked for its result', () => {
    const world = new SessionWorld({ environmentType: 'self_hosted', initialEvents: [message()] });
    world.report(uses('tool_1', 'agent.tool_use', { evaluated_permission: 'ask' }), waitsFor('tool_1'));
    world.send(confirmation('tool_1'));
    expect(world.send(confirmation('tool_1'))).toMatchObject({ kind: 'refused' });
    expect(world.send(toolResult('tool_1'))).toMatchObject({ kind: 'accepted' });
    world.report(waitsFor('tool_1'));
    expect(world.session.status).toBe('running');
    expect(world.dispatches.filter((dispatch) => dispatch.type === 'run.input')).toHaveLength(2);
    expect(world.faults()).toEqual([]);
  });

  it('takes no answer to a tool use that was denied', () => {
    const world = new SessionWorld({ environmentType: 'self_hosted', initialEvents: [message()] });
    world.report(uses('tool_1', 'agent.tool_use', { evaluated_permission: 'deny' }), uses('tool_2', 'agent.tool_use'));
    expect(world.send(toolResult('tool_1'))).toMatchObject({ kind: 'refused' });
    expect(world.send(toolResult('tool_2'))).toMatchObject({ kind: 'accepted' });
  });

  it('takes the answer that a run waits for though its engine has a result', () => {
    const world = working(uses('tool_1', 'agent.tool_use'), waitsFor('tool_1'));
    world.report({ type: 'agent.tool_result', tool_use_id: 'tool_1' });
    expect(world.send(confirmation('tool_1'))).toMatchObject({ kind: 'accepted' });
    expect(world.session.status).toBe('running');
  });

  it('lets no tool be confirmed twice, though another run waits for its result', () => {
    const world = new SessionWorld({ environmentType: 'self_hosted', initialEvents: [message()] });
    world.report(uses('tool_1', 'agent.tool_use', { evaluated_permission: 'ask' }), waitsFor('tool_1'));
    world.send(confirmation('tool_1'), interrupt(), message());
    expect(world.send(toolResult('tool_1'))).toMatchObject({ kind: 'refused' });
    world.report(waitsFor('tool_1'));
    expect(world.send(confirmation('tool_1'))).toMatchObject({ kind: 'refused' });
    expect(world.send(toolResult('tool_1'))).toMatchObject({ kind: 'accepted' });
    expect(world.faults()).toEqual([]);
  });

  it('holds an answer that comes before the run says that it waits', () => {
    const world = working(uses('tool_1'), uses('tool_2'));
    world.send(customResult('tool_1'), systemMessage());
    expect(world.typesOfEvents.slice(-2)).toEqual(['user.custom_tool_result', 'system.message']);
    expect(world.dispatches).toHaveLength(1);
    expect(world.send(customResult('tool_1'))).toMatchObject({ kind: 'refused' });
    const inputIds = world.events.slice(-2).map((event) => event.id);
    world.report(waitsFor('tool_1', 'tool_2'));
    expect(world.events.at(-1)).toMatchObject({ stop_reason: { type: 'requires_action', event_ids: ['tool_2'] } });
    expect(world.dispatches.at(-1)).toMatchObject({ type: 'run.input', inputIds });
    world.send(customResult('tool_2'));
    expect(world.session.status).toBe('running');
    expect(world.faults()).toEqual([]);
  });
});
