import type { SessionEventInput } from '@sluice/agent-sessions';
import type { SessionDelta } from '@sluice/event-schema';
import type { EngineTask } from './engine';
import { ModelFailed, type ModelAnswer } from './model-answer';
import type { ModelRequest } from './model-endpoint';
import { ModelEngine } from './model-engine';

const RUN = 'srun_1';

type Event = SessionEventInput & { readonly id: string };

/** A run of the engine on a history that its own reports extend. */
async function run(answers: readonly (ModelAnswer | ModelFailed)[], before: readonly Event[] = [], maxRequests = 10) {
  const events: Event[] = [{ type: 'user.message', id: 'm', content: [{ type: 'text', text: 'Hello' }] }, ...before];
  const left = [...answers];
  let asked = 0;
  const requests: ModelRequest[] = [];
  const shown: SessionDelta[] = [];
  const engine = new ModelEngine(
    {
      store: { load: () => Promise.resolve(undefined) },
      files: { expand: (_workspace, given) => Promise.resolve(given) },
      events: {
        list: ({ order, after = order === 'ascending' ? 0 : Infinity }) => {
          const records = events.map((payload, index) => ({
            position: index + 1,
            id: payload.id,
            type: payload.type,
            processedAtMs: 0,
            payload,
          }));
          const listed = order === 'ascending' ? records : records.reverse();
          return Promise.resolve({
            events: listed.filter(({ position }) => (order === 'ascending' ? position > after : position < after)),
          });
        },
      },
      deltas: { publish: (_scope, deltas) => void shown.push(...deltas) },
      endpoint: {
        ask: (request, _signal, listener) => {
          asked += 1;
          requests.push(request);
          const answer = left.length > 1 ? left.shift() : left[0];
          if (!(answer instanceof ModelFailed)) {
            if (answer?.content.some(({ type }) => type === 'thinking')) listener.onThinking();
            answer?.content.forEach(({ text }, block) => typeof text === 'string' && listener.onText(block, text));
          }
          return answer instanceof ModelFailed ? Promise.reject(answer) : Promise.resolve(answer as ModelAnswer);
        },
      },
    },
    { maxTokens: 1, retryDelaysMs: [1, 2], maxRetryDelayMs: 2, maxRequests },
  );
  const task: EngineTask = {
    deliveryId: 'msg_1',
    workspaceId: 1,
    engine: 'model',
    call: {
      type: 'run.start',
      session_id: 'sesn_1',
      run_id: RUN,
      input_events: [{ id: 'm' }],
      agent: { model: { id: 'a' }, tools: [] },
      session: {},
    },
    failures: 0,
    failingForMs: 0,
    signal: new AbortController().signal,
    detach: () => undefined,
    report: (_name, reported) => {
      const stored = reported.map((event, index) => ({ id: `e${events.length + index}`, ...event }));
      events.push(...stored);
      return Promise.resolve(stored.map((event) => ({ ...event, processed_at: '' })));
    },
  };
  await engine.handle(task);
  return { types: events.slice(1 + before.length).map(({ type }) => type), events, asked, requests, shown };
}

const says = (text: string): ModelAnswer => ({ content: [{ type: 'text', text }], stop_reason: 'end_turn' });
const wants = (name: string): ModelAnswer => ({
  content: [{ type: 'tool_use', id: 't', name, input: {} }],
  stop_reason: 'tool_use',
});
const overloaded = new ModelFailed('model_overloaded_error', 'busy', true, 600_000);
const TRY = ['span.model_request_start', 'span.model_request_end', 'session.error'];

describe('ModelEngine', () => {
  it('gives up after its last retry, and says so', async () => {
    const { types, events, asked } = await run([overloaded]);
    expect(asked).toBe(3);
    const retry = [...TRY, 'session.status_rescheduled', 'session.status_running'];
    expect(types).toEqual([...retry, ...retry, ...TRY, 'session.status_idle']);
    const statuses = events.flatMap(
      ({ error }) => (error as { retry_status?: { type: string } })?.retry_status?.type ?? [],
    );
    expect(statuses).toEqual(['retrying', 'retrying', 'exhausted']);
    expect(events.at(-1)).toMatchObject({ stop_reason: { type: 'retries_exhausted' } });
  });

  it('counts retries anew after an answer', async () => {
    const { types } = await run([overloaded, overloaded, wants('none'), overloaded, overloaded, says('done')]);
    expect(types.at(-1)).toBe('session.status_idle');
    expect(types.filter((type) => type === 'session.status_rescheduled')).toHaveLength(4);
  });

  it('asks no more often than it may', async () => {
    const { asked, events } = await run([wants('none')], [], 3);
    expect(asked).toBe(3);
    expect(events.at(-2)).toMatchObject({
      error: { type: 'tool_use_limit_reached_error', retry_status: { type: 'exhausted' } },
    });
  });

  it('goes on with a request that a process before it began, and names it as that did', async () => {
    const begun = [
      { type: 'session.status_running', id: 'r' },
      { type: 'span.model_request_start', id: `${RUN}_0` },
    ];
    const { types, events } = await run([says('done')], begun);
    expect(types).toEqual(['agent.message', 'span.model_request_end', 'session.status_idle']);
    expect(events.at(-2)).toMatchObject({ id: `${RUN}_0_end`, model_request_start_id: `${RUN}_0` });
  });

  it('counts requests on from one of whose events some are not kept any more', async () => {
    const kept = [
      { type: 'span.model_request_end', id: `${RUN}_4_end`, is_error: false },
      { type: 'agent.tool_result', id: `${RUN}_4_t0_r`, tool_use_id: `${RUN}_4_t0`, content: [] },
    ];
    const { events } = await run([says('done')], kept);
    expect(events.slice(3).map(({ id }) => id)).toContain(`${RUN}_5_end`);
  });

  it('asks of whole runs alone where the beginning of a history is not kept', async () => {
    const content = [{ type: 'text', text: 'the end of an answer' }];
    const ended = [
      { type: 'agent.message', id: 'a', content },
      { type: 'session.status_idle', id: 'i', stop_reason: { type: 'end_turn' } },
      { type: 'user.message', id: 'n', content: [{ type: 'text', text: 'Next' }] },
      { type: 'session.status_running', id: 'r' },
    ];
    const { requests } = await run([says('done')], ended);
    // What was sent while the first one went on begins the next one, too.
    const text = (value: string) => ({ type: 'text', text: value });
    expect(requests.map(({ messages }) => messages)).toEqual([
      [{ role: 'user', content: [text('Hello'), text('Next')] }],
    ]);
  });

  it('shows an answer while it comes, under the ids and in the entries that its events have', async () => {
    const answer: ModelAnswer = {
      content: [
        { type: 'thinking', thinking: 'Hm' },
        { type: 'text', text: 'one' },
        { type: 'tool_use', id: 't', name: 'none', input: {} },
        { type: 'text', text: 'two' },
      ],
      stop_reason: 'tool_use',
    };
    const { events, shown } = await run([answer, says('done')]);
    const [thinking, message] = events.filter(({ type }) => type === 'agent.thinking' || type === 'agent.message');
    expect(message?.['content']).toEqual([
      { type: 'text', text: 'one' },
      { type: 'text', text: 'two' },
    ]);
    const delta = (index: number, text: string) => ({
      type: 'event_delta',
      event_id: message?.id,
      delta: { type: 'content_delta', index, content: { type: 'text', text } },
    });
    expect(shown.slice(0, 4)).toEqual([
      { type: 'event_start', event: { type: 'agent.thinking', id: thinking?.id } },
      { type: 'event_start', event: { type: 'agent.message', id: message?.id } },
      delta(0, 'one'),
      delta(1, 'two'),
    ]);
    expect(shown[4]).toEqual({ type: 'event_start', event: { type: 'agent.message', id: `${RUN}_1_m` } });
  });

  it('does nothing while a tool use waits for its result', async () => {
    const waiting = [
      { type: 'session.status_running', id: 'r' },
      { type: 'span.model_request_start', id: `${RUN}_0` },
      { type: 'span.model_request_end', id: `${RUN}_0_end`, is_error: false },
      { type: 'agent.custom_tool_use', id: `${RUN}_0_t0`, name: 'a', input: {} },
      { type: 'session.status_idle', id: 'i', stop_reason: { type: 'requires_action', event_ids: [`${RUN}_0_t0`] } },
    ];
    expect(await run([says('too early')], waiting)).toMatchObject({ types: [], asked: 0 });
  });
});
