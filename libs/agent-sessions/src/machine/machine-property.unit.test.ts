import fc from 'fast-check';
import { commands, type Command } from '../../test/session-commands';
import { SessionWorld, confirmation, customResult } from '../../test/session-world';
import type { Decision } from '../decision';
import type { SessionEventBody } from '../session-event';
import type { SessionState } from '../session-state';
import { isRunStart, trace, waitedFor } from './invariants/trace';
import { decideSend } from './send';

const RUNS = 150;

/** Does all of it, as long as the session is there. */
function play(world: SessionWorld, sequence: readonly Command[], after: (done: Done) => void): void {
  for (const command of sequence) {
    if (world.state === undefined) return;
    const before = world.state;
    const eventsBefore = world.events.length;
    const decision = command.run(world);
    after({ command, before, decision, eventsBefore });
  }
}

interface Done {
  readonly command: Command;
  readonly before: SessionState;
  readonly decision: Decision;
  readonly eventsBefore: number;
}

/** The events by which a session says what engines are told. */
const SAID_BY = {
  'run.start': ['session.status_running'],
  'run.input': ['session.status_running', 'session.status_idle'],
  'run.interrupt': ['session.status_idle'],
  'session.deleted': ['session.deleted'],
} as const;

const environment = fc.constantFrom('cloud' as const, 'self_hosted' as const);

describe('random commands on a session', () => {
  it('keeps every invariant of the events and of the state after each command', () => {
    fc.assert(
      fc.property(environment, commands, (environmentType, sequence) => {
        const world = new SessionWorld({ environmentType });
        play(world, sequence, ({ command }) => {
          const faults = world.faults();
          if (faults.length > 0) throw new Error(`${command.name}: ${faults.join('; ')}`);
        });
      }),
      { numRuns: RUNS },
    );
  });

  it('changes nothing by what is refused, and tells nothing that is not stored', () => {
    fc.assert(
      fc.property(environment, commands, (environmentType, sequence) => {
        const world = new SessionWorld({ environmentType });
        play(world, sequence, ({ before, decision, eventsBefore }) => {
          if (decision.kind === 'refused') {
            expect(world.state).toBe(before);
            expect(world.events).toHaveLength(eventsBefore);
            return;
          }
          const stored = new Set(world.events.map((event) => event.id));
          const told = decision.dispatches.flatMap((dispatch) => dispatch.inputIds);
          expect(told.filter((id) => !stored.has(id))).toEqual([]);
        });
      }),
      { numRuns: RUNS },
    );
  });

  it('tells nothing before the event that says it, which it stores besides', () => {
    fc.assert(
      fc.property(environment, commands, (environmentType, sequence) => {
        const world = new SessionWorld({ environmentType });
        play(world, sequence, ({ decision }) => {
          if (decision.kind === 'refused') return;
          const said = decision.dispatches.map(({ type, runId, afterEventId }) => {
            const event = decision.events.find(({ body }) => body.id === afterEventId);
            return [type, event?.body.type, event?.runId ?? null, runId];
          });
          for (const [type, eventType, ofRun, runId] of said) {
            expect(SAID_BY[type as keyof typeof SAID_BY]).toContain(eventType);
            expect(ofRun).toBe(runId);
          }
        });
      }),
      { numRuns: RUNS },
    );
  });

  it('gives each input to exactly one run, or keeps it until there is one', () => {
    fc.assert(
      fc.property(environment, commands, (environmentType, sequence) => {
        const world = new SessionWorld({ environmentType });
        const dropped: string[] = [];
        play(world, sequence, ({ before }) => {
          // What waits when a session is terminated, and answers that were held when their run ended, are told to nobody.
          const { state } = world;
          const isRunOver = state?.run?.id !== before.run?.id;
          if (state === undefined || state.status === 'terminated')
            dropped.push(...before.queue.map(({ eventId }) => eventId));
          if (isRunOver) dropped.push(...before.heldAnswers.flatMap(({ inputIds }) => inputIds));
        });
        const told = world.dispatches.flatMap((dispatch) => dispatch.inputIds);
        expect(new Set(told).size).toBe(told.length);
        const kept = [
          ...(world.state?.queue.map(({ eventId }) => eventId) ?? []),
          ...(world.state?.heldAnswers.flatMap(({ inputIds }) => inputIds) ?? []),
        ];
        const accounted = new Set([...told, ...kept, ...dropped]);
        const inputs = world.events.filter(({ type }) => /^(user|system)\./.test(type) && type !== 'user.interrupt');
        const lost = inputs.filter(({ id }) => !accounted.has(id) && !isAnswerHeldWithinOneSend(world, id));
        expect(lost).toEqual([]);
        expect(kept.filter((id) => told.includes(id))).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  it('tells each run that it starts once, then of answers, and at last that it is over', () => {
    fc.assert(
      fc.property(environment, commands, (environmentType, sequence) => {
        const world = new SessionWorld({ environmentType });
        play(world, sequence, () => undefined);
        const started = new Set<string>();
        const over = new Set<string>();
        for (const { type, runId } of world.dispatches) {
          if (runId === null) continue;
          expect(over.has(runId)).toBe(false);
          expect(started.has(runId)).toBe(type !== 'run.start');
          started.add(runId);
          if (type === 'run.interrupt') over.add(runId);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('takes an answer exactly when the active run reported the tool use for the user, or waits for it, and it has none', () => {
    fc.assert(
      fc.property(commands, (sequence) => {
        const world = new SessionWorld();
        play(world, sequence, () => undefined);
        if (world.state === undefined) return;
        // What an engine has a result of is another matter.
        const done = world.events
          .filter(({ type }) => type === 'agent.tool_result')
          .map((event) => event['tool_use_id']);
        const uses = world.events.filter(({ type, id }) => type.endsWith('tool_use') && !done.includes(id));
        for (const use of uses) {
          const isCustom = use.type === 'agent.custom_tool_use';
          const decision = decideSend(
            world.state,
            [isCustom ? customResult(use.id) : confirmation(use.id)],
            world.context([use.id]),
          );
          expect([use.id, decision.kind]).toEqual([use.id, isToBeAnswered(world, use) ? 'accepted' : 'refused']);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('refuses what comes of a run that is not the active one', () => {
    fc.assert(
      fc.property(environment, commands, (environmentType, sequence) => {
        const world = new SessionWorld({ environmentType });
        play(world, sequence, () => undefined);
        if (world.state === undefined) return;
        const { run } = world.state;
        const over = world.dispatches.flatMap(({ runId }) => (runId === null || runId === run?.id ? [] : [runId]));
        for (const runId of over) {
          const decision = world.reportOf(runId, [{ type: 'session.status_terminated' }]);
          expect(decision).toMatchObject({ kind: 'refused', refusal: { code: 'conflict' } });
        }
      }),
      { numRuns: RUNS },
    );
  });
});

/** What the events alone say of a tool use in the cloud: whether an answer to it is right now. */
function isToBeAnswered(world: SessionWorld, use: SessionEventBody): boolean {
  const { state, events } = world;
  if (state?.run == null || state.archivedAtMs !== null) return false;
  const isAnswered = events.some((event) => event['custom_tool_use_id'] === use.id || event['tool_use_id'] === use.id);
  const startIndex = trace(events).findLast(isRunStart)?.index ?? 0;
  const ofRun = events.slice(startIndex);
  const isForUser = use.type === 'agent.custom_tool_use' || use['evaluated_permission'] === 'ask';
  const isNamed = ofRun.some((event) => waitedFor(event)?.includes(use.id) === true);
  return !isAnswered && (isNamed || (isForUser && ofRun.includes(use)));
}

/** An answer and an interrupt in one send: the answer was held, and its run is over. */
function isAnswerHeldWithinOneSend(world: SessionWorld, id: string): boolean {
  const index = world.events.findIndex((event) => event.id === id);
  const time = world.events[index]?.processed_at;
  const following = world.events.slice(index + 1).find(({ type }) => type === 'user.interrupt');
  return following?.processed_at === time;
}
