import fc from 'fast-check';
import {
  decideArchive,
  decideDelete,
  decideReport,
  decideRunLost,
  decideRunOverdue,
  decideUpdate,
  referencedEventIds,
  type Decision,
  type SessionEventInput,
} from '../src';
import {
  RUN_TIMEOUT_MS,
  confirmation,
  customResult,
  fails,
  idle,
  interrupt,
  message,
  outcome,
  says,
  status,
  systemMessage,
  toolResult,
  uses,
  waitsFor,
  type SessionWorld,
} from './session-world';

/** Something that is done to a session. What it names is chosen from what the session has by then. */
export interface Command {
  readonly name: string;
  run(world: SessionWorld): Decision;
}

const TOOL_TYPES = ['agent.tool_use', 'agent.mcp_tool_use', 'agent.custom_tool_use'] as const;

type EventOf = (world: SessionWorld) => SessionEventInput;

const fixed = (make: () => SessionEventInput): fc.Arbitrary<EventOf> => fc.constant(() => make());
const ofTool = (make: (id: string) => SessionEventInput): fc.Arbitrary<EventOf> =>
  fc.nat(5).map((back) => (world) => make(toolIds(world).at(-1 - back) ?? 'nothing'));

const sent: fc.Arbitrary<EventOf> = fc.oneof(
  { weight: 4, arbitrary: fixed(message) },
  { weight: 1, arbitrary: fixed(outcome) },
  { weight: 1, arbitrary: fixed(systemMessage) },
  { weight: 2, arbitrary: fixed(interrupt) },
  { weight: 6, arbitrary: ofTool(customResult) },
  { weight: 3, arbitrary: ofTool((id) => confirmation(id)) },
  { weight: 2, arbitrary: ofTool((id) => confirmation(id, 'deny')) },
  { weight: 3, arbitrary: ofTool(toolResult) },
);

const reported: fc.Arbitrary<EventOf> = fc.oneof(
  { weight: 3, arbitrary: fixed(says) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...TOOL_TYPES), fc.constantFrom('ask', 'allow', 'deny', undefined), fc.nat(300))
      .map(
        ([type, permission, id]) =>
          () =>
            uses(`tool_${id}`, type, { evaluated_permission: permission }),
      ),
  },
  {
    weight: 8,
    arbitrary: fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 3 }).map((backs) => (world: SessionWorld) => {
      const ids = toolIds(world);
      const named = new Set(backs.map((back) => ids.at(-1 - back) ?? 'nothing'));
      // Without a tool use there is seldom something to wait for.
      return named.has('nothing') && backs.length < 3 ? says() : waitsFor(...named);
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('end_turn', 'retries_exhausted', 'budget_reached').map((type) => () => idle(type)),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('running' as const, 'rescheduled' as const).map((name) => () => status(name)),
  },
  { weight: 1, arbitrary: fixed(() => fails('retrying')) },
  { weight: 1, arbitrary: fixed(() => ({ type: 'span.model_request_start' })) },
  {
    weight: 2,
    arbitrary: ofTool((id) => ({ type: 'agent.tool_result', tool_use_id: id })),
  },
);

/** Answers of the right kind to what may be answered, sometimes with something else in the batch. */
const answer: fc.Arbitrary<Command> = fc
  .tuple(
    fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 }),
    fc.nat(1),
    fc.nat(4),
    fc.array(sent, { maxLength: 1 }),
  )
  .map(([picks, kind, result, more]) => ({
    name: 'answer',
    run: (world) => {
      const open = world.session.toolUses.filter((use) => use.answeredBy.length > 0);
      const answers = picks.flatMap((pick) => {
        const use = open[pick];
        if (use === undefined) return [];
        switch (use.answeredBy[kind] ?? use.answeredBy[0]) {
          case 'user.custom_tool_result':
            return [customResult(use.eventId)];
          case 'user.tool_result':
            return [toolResult(use.eventId)];
          default:
            return [confirmation(use.eventId, result === 0 ? 'deny' : 'allow')];
        }
      });
      return world.send(...(answers.length === 0 ? [message()] : answers), ...more.map((make) => make(world)));
    },
  }));

/** What users do most. */
const say: fc.Arbitrary<Command> = fc
  .constantFrom([message], [message, message], [message, systemMessage], [outcome])
  .map((makers) => ({
    name: 'say',
    run: (world) => world.send(...makers.map((make) => make())),
  }));

const send: fc.Arbitrary<Command> = fc.array(sent, { minLength: 0, maxLength: 4 }).map((makers) => ({
  name: 'send',
  run: (world) => world.send(...makers.map((make) => make(world))),
}));

const report: fc.Arbitrary<Command> = fc
  .tuple(fc.array(reported, { minLength: 1, maxLength: 4 }), fc.nat(9))
  .map(([makers, stale]) => ({
    name: 'report',
    run: (world) => {
      const runs = world.dispatches.flatMap((dispatch) => (dispatch.type === 'run.start' ? [dispatch.runId] : []));
      const runId = (stale === 0 ? runs[0] : world.session.run?.id) ?? runs.at(-1) ?? 'srun_0';
      const events: SessionEventInput[] = [];
      // A later event of a report may wait for a tool use of the same report.
      for (const make of makers) events.push(withNew(world, events, make));
      return world.run(
        (state, ctx) => decideReport(state, { runId, events, usageDelta: { input_tokens: 1 } }, ctx),
        referencedEventIds(events),
      );
    },
  }));

const others: fc.Arbitrary<Command> = fc.oneof(
  fc.constant<Command>({
    name: 'run lost',
    run: (world) =>
      world.run((state, ctx) =>
        decideRunLost(state, { runId: state.run?.id ?? 'srun_0', message: 'gone', isEngineToStop: true }, ctx),
      ),
  }),
  fc.constant<Command>({ name: 'run overdue', run: (world) => world.run(decideRunOverdue) }),
  fc.string({ maxLength: 3 }).map<Command>((title) => ({
    name: 'update',
    run: (world) => world.run((state, ctx) => decideUpdate(state, { title }, ctx)),
  })),
);

const ends: fc.Arbitrary<Command> = fc.constantFrom<Command>(
  { name: 'archive', run: (world) => world.run(decideArchive) },
  { name: 'delete', run: (world) => world.run(decideDelete) },
  { name: 'terminate', run: (world) => world.reportOf(world.session.run?.id ?? 'srun_0', [status('terminated')]) },
);

/** Clocks of replicas differ: time may go back. */
const clock: fc.Arbitrary<Command> = fc.integer({ min: -500, max: RUN_TIMEOUT_MS }).map((stepMs) => ({
  name: 'clock',
  run: (world) => {
    world.nowMs += stepMs;
    return world.run((state) => ({ kind: 'accepted', state, events: [], dispatches: [] }));
  },
}));

/** Commands of every kind, the usual ones more often. */
export const commands: fc.Arbitrary<readonly Command[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: say },
    { weight: 15, arbitrary: answer },
    { weight: 8, arbitrary: send },
    { weight: 30, arbitrary: report },
    { weight: 3, arbitrary: others },
    { weight: 1, arbitrary: ends },
    { weight: 4, arbitrary: clock },
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
);

function toolIds(world: SessionWorld): readonly string[] {
  return world.events.filter((event) => event.type.endsWith('tool_use')).map((event) => event.id);
}

function withNew(world: SessionWorld, earlier: readonly SessionEventInput[], make: EventOf): SessionEventInput {
  const event = make(world);
  const reason = event['stop_reason'] as { event_ids?: readonly string[] } | undefined;
  if (reason?.event_ids === undefined) return event;
  const fresh = earlier.flatMap(({ type, id }) => (type.endsWith('tool_use') ? [String(id)] : []));
  return fresh.length === 0 ? event : waitsFor(...fresh);
}
