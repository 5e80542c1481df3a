import type { ClaimedDispatch, RunDispatch } from '@sluice/agent-sessions';
import { runOf, sessionOf } from '@sluice/agent-sessions/conformance';
import { sessionEnvelopeId, type RecordedEvent } from '@sluice/event-schema';
import { RunCalls } from './run-calls';

const WORKSPACE = 7;
const SESSION = 'sesn_1';
const NOW_MS = 60_000;
const RUN_TIMEOUT_MS = 10_000;

/** Calls of a session whose run has so much of its time left, where these events are recorded and those removed since. */
function callsOf(recorded: readonly string[], leftMs = RUN_TIMEOUT_MS, removed: readonly string[] = []) {
  const state = sessionOf({ run: runOf({ deadlineMs: NOW_MS + leftMs }) });
  const expected: string[] = [];
  const calls = new RunCalls({
    store: { load: () => Promise.resolve({ state, version: 1 }), lastState: () => Promise.resolve(state) },
    events: {
      byIds: (_workspaceId, _sessionId, ids) =>
        Promise.resolve(
          ids
            .filter((id) => recorded.includes(id))
            .map((id, position) => ({ position, id, type: 'user.message', processedAtMs: 0, payload: { id } })),
        ),
    },
    feed: {
      expect: (ids) => {
        expected.push(...ids);
        const knownOf = (all: readonly string[]) => {
          const known = all.map((id) => sessionEnvelopeId(WORKSPACE, SESSION, id));
          return ids.filter((id) => known.includes(id));
        };
        const events = new Map(knownOf(recorded).map((id) => [id, {} as RecordedEvent]));
        const found = { events, removed: new Set(knownOf(removed)) };
        return { within: () => Promise.resolve(found), cancel: () => undefined };
      },
    },
    files: { expand: (_workspaceId, events) => Promise.resolve(events) },
    clock: { now: () => NOW_MS },
    callbackUrl: () => 'http://engine.example',
    inputWaitMs: 1,
    runTimeoutMs: RUN_TIMEOUT_MS,
  });
  const of = (dispatch: Partial<RunDispatch> = {}) =>
    calls.of({
      dispatchId: 1,
      holder: 'one',
      attempt: 1,
      failures: 0,
      failingForMs: 0,
      createdAtMs: NOW_MS,
      workspaceId: WORKSPACE,
      sessionId: SESSION,
      dispatch: {
        type: 'run.start',
        engine: 'eng_1',
        runId: 'srun_1',
        inputIds: ['sevt_1'],
        afterEventId: 'sevt_2',
        ...dispatch,
      } as RunDispatch,
    } satisfies ClaimedDispatch);
  return { of, expected };
}

describe('RunCalls', () => {
  it('tells a run when its inputs and its beginning are recorded', async () => {
    const { of, expected } = callsOf(['sevt_1', 'sevt_2']);
    expect(await of()).toMatchObject({
      kind: 'tell',
      isLate: false,
      call: { type: 'run.start', run_id: 'srun_1', input_events: [{ id: 'sevt_1' }] },
    });
    expect(expected).toHaveLength(2);
  });

  it.each([
    ['its inputs are', { inputIds: ['sevt_1'] }],
    ['it has no inputs', { inputIds: [], type: 'run.interrupt' as const }],
  ])('tells nothing before the event that says it is recorded, though %s', async (_name, dispatch) => {
    const { of } = callsOf(['sevt_1']);
    expect(await of(dispatch)).toEqual({ kind: 'not_yet', isLate: false });
  });

  it('tells nothing before all inputs are recorded', async () => {
    const { of } = callsOf(['sevt_2']);
    expect(await of()).toEqual({ kind: 'not_yet', isLate: false });
  });

  it('says when a run has lost much of its time before it is told', async () => {
    const late = callsOf(['sevt_1', 'sevt_2'], RUN_TIMEOUT_MS / 2);
    expect(await late.of()).toMatchObject({ kind: 'tell', isLate: true });
    expect(await late.of({ type: 'run.interrupt' })).toMatchObject({ kind: 'tell', isLate: false });
    expect(await callsOf([], RUN_TIMEOUT_MS / 2).of()).toEqual({ kind: 'not_yet', isLate: true });
  });

  it('tells no run of what is not kept any more, and anything else all the same', async () => {
    const { of } = callsOf(['sevt_3'], RUN_TIMEOUT_MS, ['sevt_1', 'sevt_2']);
    expect(await of({ inputIds: ['sevt_1', 'sevt_3'] })).toEqual({ kind: 'not_kept' });
    expect(await of({ inputIds: ['sevt_3'] })).toMatchObject({
      kind: 'tell',
      call: { input_events: [{ id: 'sevt_3' }] },
    });
    expect(await of({ inputIds: [], type: 'run.interrupt' })).toMatchObject({ kind: 'tell' });
    expect(await of({ inputIds: ['sevt_1', 'sevt_4'] })).toEqual({ kind: 'not_yet', isLate: false });
  });

  it('tells nothing of a run that is over', async () => {
    expect(await callsOf([]).of({ runId: 'srun_0' })).toEqual({ kind: 'outdated' });
  });
});
