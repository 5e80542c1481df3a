import {
  RUN_TIMEOUT_MS,
  SessionWorld,
  confirmation,
  customResult,
  fails,
  idle,
  interrupt,
  message,
  outcome,
  says,
  status,
  uses,
  waitingWorld,
  waitsFor,
  working,
} from '../../test/session-world';
import { MAX_PENDING_ACTIONS, MAX_REPORTED_EVENTS } from './limits';
import { decideReport } from './report';

const invalid = { kind: 'refused', refusal: { code: 'invalid_request' } };
const conflict = { kind: 'refused', refusal: { code: 'conflict' } };

describe('what an engine reports', () => {
  it('stores what the run says, in its order, with fields that are not known', () => {
    const world = working();
    world.report(
      { ...says(), extra: { kept: true }, processed_at: 'never', sluice: { run_id: 'x' } },
      idle('end_turn'),
    );
    expect(world.typesOfEvents.slice(-2)).toEqual(['agent.message', 'session.status_idle']);
    const said = world.events.at(-2);
    expect(said).toMatchObject({ extra: { kept: true }, processed_at: '2026-01-02T03:04:05.000Z' });
    expect(said).not.toHaveProperty('sluice');
    expect(world.events.at(-1)).toMatchObject({ stop_reason: { type: 'end_turn' }, stop_details: null });
    expect(world.session).toMatchObject({ status: 'idle', run: null });
    expect(world.faults()).toEqual([]);
  });

  it.each(['end_turn', 'retries_exhausted', 'budget_reached', 'refusal'])('ends the run with %s', (reason) => {
    const world = working();
    const run = world.runId;
    const details = reason === 'refusal' ? { type: 'refusal', category: null, explanation: null } : null;
    world.report({ ...idle(reason), stop_details: details });
    expect(world.events.at(-1)).toMatchObject({ stop_details: details });
    expect(world.session.run).toBeNull();
    expect(world.reportOf(run, [says()])).toMatchObject(conflict);
  });

  it('keeps the same run through a retry', () => {
    const world = working();
    const run = world.runId;
    world.report(fails('retrying'), status('rescheduled'));
    expect(world.session.status).toBe('rescheduling');
    world.report(status('running'), says());
    expect(world.session.status).toBe('running');
    world.report(fails('retrying'), status('rescheduled'));
    world.report(says(), idle('end_turn'));
    expect(world.typesOfEvents.slice(-3)).toEqual(['session.status_running', 'agent.message', 'session.status_idle']);
    expect(world.dispatches.map(({ runId }) => runId)).toEqual([run]);
    expect(world.faults()).toEqual([]);
  });

  it('ends a turn whose retries are exhausted, and goes on with the queue', () => {
    const world = working(fails('retrying'), status('rescheduled'));
    world.send(message('next'));
    world.report(fails('exhausted'), idle('retries_exhausted'));
    expect(world.typesOfEvents.slice(-3)).toEqual(['session.error', 'session.status_idle', 'session.status_running']);
    expect(world.faults()).toEqual([]);
  });

  it('terminates the session, and drops what waits', () => {
    const world = working();
    const run = world.runId;
    world.send(message('never'));
    world.report(fails('terminal'), status('terminated'));
    expect(world.session).toMatchObject({ status: 'terminated', run: null, queue: [] });
    expect(world.events.find((event) => event.processed_at === null)?.type).toBe('user.message');
    expect(world.reportOf(run, [says()])).toMatchObject(conflict);
    expect(world.faults()).toEqual([]);
  });

  it('takes output of a run that waits for the user, which goes on waiting', () => {
    const world = waitingWorld('tool_1');
    world.report({ type: 'span.model_request_start' }, says());
    expect(world.session).toMatchObject({ status: 'idle', pending: [{ eventId: 'tool_1' }] });
    world.report(status('running'));
    expect(world.session).toMatchObject({ status: 'running', pending: [] });
    expect(world.faults()).toEqual([]);
  });

  it('sums what was used, and keeps it with a run that goes on', () => {
    const world = working();
    const report = (usageDelta: object) =>
      world.run((state, ctx) => decideReport(state, { runId: world.runId, events: [says()], usageDelta }, ctx));
    report({ input_tokens: 3, cache_creation_input_tokens: 5 });
    report({ input_tokens: 4, output_tokens: 1, cache_creation: { ephemeral_1h_input_tokens: 2 } });
    expect(world.session.usage).toEqual({
      input_tokens: 7,
      output_tokens: 1,
      cache_creation: { ephemeral_1h_input_tokens: 2, ephemeral_5m_input_tokens: 5 },
    });
    expect(report({ input_tokens: -1 })).toMatchObject(invalid);
    expect(report({ cache_creation: { ephemeral_1h_input_tokens: 0.5 } })).toMatchObject(invalid);
    report({ output_tokens: Number.MAX_SAFE_INTEGER });
    expect(world.session.usage.output_tokens).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('notes what it says of an outcome', () => {
    const world = new SessionWorld({ initialEvents: [outcome(), outcome()] });
    const outcomeId = world.session.outcomes[0]?.outcome_id;
    const span = (name: string, fields: object) => ({
      type: `span.outcome_evaluation_${name}`,
      outcome_id: outcomeId,
      iteration: 0,
      ...fields,
    });
    world.report(span('start', {}));
    expect(world.session.outcomes).toMatchObject([{ result: 'evaluating', completed_at: null }, { result: 'pending' }]);
    world.report(span('end', { result: 'needs_revision', explanation: 'too long' }));
    expect(world.session.outcomes).toMatchObject([
      { result: 'running', explanation: 'too long', completed_at: null },
      { result: 'pending' },
    ]);
    world.report(span('end', { iteration: 1, result: 'satisfied', explanation: 'short' }));
    expect(world.session.outcomes).toMatchObject([
      { result: 'satisfied', iteration: 1, completed_at: '2026-01-02T03:04:05.000Z' },
      { result: 'pending' },
    ]);
  });

  it('gives a working run a full time with each report, and a waiting one all time', () => {
    const world = working();
    world.nowMs += 1000;
    world.report(says());
    expect(world.session.run?.deadlineMs).toBe(world.nowMs + RUN_TIMEOUT_MS);
    world.report(uses('tool_1'), waitsFor('tool_1'));
    expect(world.session.run?.deadlineMs).toBeUndefined();
    world.nowMs += 10 * RUN_TIMEOUT_MS;
    world.send(customResult('tool_1'));
    expect(world.session.run?.deadlineMs).toBe(world.nowMs + RUN_TIMEOUT_MS);
  });
});

describe('what an engine waits for', () => {
  it.each([
    ['nothing', waitsFor()],
    ['an id that is no event', waitsFor('tool_1', 'nothing')],
    ['an event that is no tool use', waitsFor('said')],
    ['the same event twice', waitsFor('tool_1', 'tool_1')],
  ])('refuses to wait for %s, and stores nothing', (_name, event) => {
    const world = working();
    const before = world.session;
    expect(world.report(uses('tool_1'), { ...says(), id: 'said' }, event)).toMatchObject(invalid);
    expect(world.session).toBe(before);
  });

  it('refuses to wait again for what is answered', () => {
    const world = waitingWorld('tool_1');
    world.send(customResult('tool_1'));
    expect(world.report(waitsFor('tool_1'))).toMatchObject(invalid);
    world.report(uses('tool_2', 'agent.tool_use', { evaluated_permission: 'ask' }), waitsFor('tool_2'));
    world.send(confirmation('tool_2', 'deny'));
    expect(world.report(waitsFor('tool_2'))).toMatchObject(invalid);
    world.report(uses('tool_3', 'agent.mcp_tool_use', { evaluated_permission: 'ask' }));
    world.report({ type: 'agent.mcp_tool_result', mcp_tool_use_id: 'tool_3' });
    expect(world.report(waitsFor('tool_3'))).toMatchObject(invalid);
  });

  it('takes a tool use that an interrupted run did not get an answer for', () => {
    const world = waitingWorld('tool_1');
    world.send(interrupt());
    world.send(message());
    expect(world.report(waitsFor('tool_1'))).toMatchObject({ kind: 'accepted' });
    expect(world.send(customResult('tool_1'))).toMatchObject({ kind: 'accepted' });
    expect(world.faults()).toEqual([]);
  });

  it('takes a confirmation of any tool use of the agent that is named, and replaces what it waited for', () => {
    const world = working(uses('tool_1', 'agent.tool_use'), uses('tool_2', 'agent.mcp_tool_use'), waitsFor('tool_1'));
    world.report(waitsFor('tool_2'));
    expect(world.session.pending).toEqual([{ eventId: 'tool_2', answeredBy: ['user.tool_confirmation'] }]);
    expect(world.send(confirmation('tool_2'))).toMatchObject({ kind: 'accepted' });
    expect(world.faults()).toEqual([]);
  });

  it('bounds what a run can wait for', () => {
    const ids = (from: number): string[] => Array.from({ length: MAX_PENDING_ACTIONS }, (_, n) => `tool_${from + n}`);
    const world = working(...ids(0).map((id) => uses(id)));
    expect(world.report(uses('tool_more'))).toMatchObject(invalid);
    expect(world.report(waitsFor(...ids(1)))).toMatchObject(invalid);
    expect(world.report(waitsFor(...ids(0)))).toMatchObject({ kind: 'accepted' });
  });
});

describe('what cannot be reported', () => {
  it.each([
    ['a message of the user', message()],
    ['the end of the session', { type: 'session.deleted' }],
    ['an update', { type: 'session.updated' }],
    ['a reason that is not known', idle('bored')],
    ['an idle session without a reason', { type: 'session.status_idle' }],
  ])('refuses %s', (_name, event) => {
    const world = working();
    expect(world.report(says(), event)).toMatchObject({ ...invalid, refusal: { code: 'invalid_request' } });
    expect(world.typesOfEvents.at(-1)).toBe('session.status_running');
  });

  it('refuses ids that are taken, by the session or within the report', () => {
    const world = working({ ...says(), id: 'said' });
    expect(world.report({ ...says(), id: 'said' })).toMatchObject({ ...invalid, refusal: { where: 'events[0].id' } });
    expect(world.report(uses('a'), uses('a'))).toMatchObject({ ...invalid, refusal: { where: 'events[1].id' } });
    expect(world.report({ ...says(), id: world.events[1]?.id })).toMatchObject(invalid);
  });

  it('refuses events after the end of the run, also when the queue started the next one', () => {
    const world = working();
    expect(world.report(idle('end_turn'), says())).toMatchObject({ ...invalid, refusal: { where: 'events[1]' } });
    world.send(message());
    expect(world.report(idle('end_turn'), says())).toMatchObject(invalid);
    expect(world.report(status('terminated'), says())).toMatchObject(invalid);
  });

  it('refuses an empty report, and one that is too large', () => {
    const world = working();
    expect(world.report()).toMatchObject(invalid);
    expect(world.report(...Array.from({ length: MAX_REPORTED_EVENTS + 1 }, says))).toMatchObject(invalid);
  });
});
