import {
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
  waitsFor,
} from '../../test/session-world';
import type { Decision } from '../decision';
import { decideArchive, decideDelete } from './end-of-session';
import type { SessionEventInput } from './inputs';
import { decideReport } from './report';
import { decideAddResource } from './resources';
import { decideRunLost } from './run-lost';
import { decideUpdate } from './update';

const STATES = ['idle', 'running', 'requires_action', 'rescheduling', 'terminated'] as const;

type State = (typeof STATES)[number];

/** The state after the event; a number when it is refused with that status; `next` for the next run. */
type Outcome = State | 'next' | 'deleted' | 400 | 409;

const RUN = 'srun_of_nobody';

/** A session in that state; its run, if it has one, has reported `asked` and `told`, and waits for `asked` at most. */
function sessionIn(state: State): SessionWorld {
  const world = new SessionWorld();
  if (state === 'idle') return world;
  world.send(message());
  world.report(uses('asked'), uses('told'));
  if (state === 'requires_action') world.report(waitsFor('asked'));
  if (state === 'rescheduling') world.report(status('rescheduled'));
  if (state === 'terminated') world.report(status('terminated'));
  return world;
}

const send =
  (...events: readonly SessionEventInput[]) =>
  (world: SessionWorld) =>
    world.send(...events);
const report =
  (...events: readonly SessionEventInput[]) =>
  (world: SessionWorld) =>
    world.reportOf(world.session.run?.id ?? RUN, events);

/** The rows of the table in docs/protocol/sessions.md, for the states in the order above. */
const TABLE: readonly (readonly [string, (world: SessionWorld) => Decision, readonly Outcome[]])[] = [
  ['send user.message', send(message()), ['running', 'running', 'requires_action', 'rescheduling', 409]],
  ['send user.define_outcome', send(outcome()), ['running', 'running', 'requires_action', 'rescheduling', 409]],
  ['send an answer that is waited for', send(customResult('asked')), [400, 'running', 'running', 'rescheduling', 409]],
  [
    'send an answer to what is reported',
    send(customResult('told')),
    [400, 'running', 'requires_action', 'rescheduling', 409],
  ],
  ['send an answer of the wrong kind', send(confirmation('asked')), [400, 400, 400, 400, 409]],
  ['send an answer to nothing', send(customResult('nothing')), [400, 400, 400, 400, 409]],
  ['send user.interrupt', send(interrupt()), ['idle', 'idle', 'idle', 'idle', 409]],
  ['send user.interrupt, then a message', send(interrupt(), message()), ['running', 'next', 'next', 'next', 409]],
  ['report agent.*', report(says()), [409, 'running', 'requires_action', 'running', 409]],
  [
    'report span.*',
    report({ type: 'span.model_request_start' }),
    [409, 'running', 'requires_action', 'rescheduling', 409],
  ],
  ['report session.error', report(fails('retrying')), [409, 'running', 'requires_action', 'rescheduling', 409]],
  [
    'report requires_action',
    report(waitsFor('told')),
    [409, 'requires_action', 'requires_action', 'requires_action', 409],
  ],
  ['report end_turn', report(idle('end_turn')), [409, 'idle', 'idle', 'idle', 409]],
  ['report retries_exhausted', report(idle('retries_exhausted')), [409, 'idle', 'idle', 'idle', 409]],
  ['report rescheduled', report(status('rescheduled')), [409, 'rescheduling', 'rescheduling', 'rescheduling', 409]],
  ['report running', report(status('running')), [409, 'running', 'running', 'running', 409]],
  ['report terminated', report(status('terminated')), [409, 'terminated', 'terminated', 'terminated', 409]],
  ['report of another run', (world) => world.reportOf(RUN, [says()]), [409, 409, 409, 409, 409]],
  [
    'give the run up',
    (world) =>
      world.run((state, ctx) =>
        decideRunLost(state, { runId: state.run?.id ?? RUN, message: 'gone', isEngineToStop: true }, ctx),
      ),
    [409, 'idle', 'idle', 'idle', 409],
  ],
  [
    'update the title',
    (world) => world.run((state, ctx) => decideUpdate(state, { title: 'new' }, ctx)),
    ['idle', 'running', 'requires_action', 'rescheduling', 'terminated'],
  ],
  [
    'update the tools',
    (world) => world.run((state, ctx) => decideUpdate(state, { agent: { tools: [{}] } }, ctx)),
    ['idle', 409, 'requires_action', 409, 409],
  ],
  [
    'update the budget',
    (world) => world.run((state, ctx) => decideUpdate(state, { budget: null }, ctx)),
    ['idle', 'running', 'requires_action', 'rescheduling', 409],
  ],
  [
    'add a resource',
    (world) => world.run((state, ctx) => decideAddResource(state, { id: 'r', type: 'file' }, ctx)),
    ['idle', 'running', 'requires_action', 'rescheduling', 409],
  ],
  ['archive', (world) => world.run(decideArchive), ['idle', 'running', 'idle', 'rescheduling', 'terminated']],
  ['delete', (world) => world.run(decideDelete), ['deleted', 409, 'deleted', 409, 'deleted']],
];

const CASES = TABLE.flatMap(([name, act, outcomes]) =>
  STATES.map((state, index) => [name, state, outcomes[index], act] as const),
);

describe('the table of states and events', () => {
  it.each(CASES)('%s when %s: %s', (_name, state, expected, act) => {
    const world = sessionIn(state);
    const before = world.session;
    const decision = act(world);
    expect(outcomeOf(world, decision, before.run?.id)).toBe(expected);
    expect(world.faults()).toEqual([]);
    if (decision.kind === 'refused') expect(world.session).toBe(before);
  });

  it('refuses all that an archived session is sent, in every state', () => {
    for (const state of STATES) {
      for (const [name, act] of TABLE.filter(([rowName]) => /^(send|update|add)/.test(rowName))) {
        const world = sessionIn(state);
        world.run(decideArchive);
        const decision = act(world);
        expect([name, decision.kind === 'refused' && decision.refusal.code]).toEqual([name, 'conflict']);
      }
    }
  });

  it('keeps the engine from a run that is over', () => {
    const world = sessionIn('running');
    const run = world.runId;
    world.send(interrupt(), message());
    const late = world.run((state, ctx) => decideReport(state, { runId: run, events: [idle('end_turn')] }, ctx));
    expect(outcomeOf(world, late, run)).toBe(409);
    expect(world.session.status).toBe('running');
  });
});

function outcomeOf(world: SessionWorld, decision: Decision, runBefore: string | undefined): Outcome {
  if (decision.kind === 'refused') return decision.refusal.code === 'conflict' ? 409 : 400;
  const { state } = world;
  if (state === undefined) return 'deleted';
  if (state.run !== null && runBefore !== undefined && state.run.id !== runBefore) return 'next';
  return state.run !== null && state.status === 'idle' ? 'requires_action' : state.status;
}
