import { send, type Json } from '@sluice/engine/conformance';
import { fails, ModelServer, says, uses } from './support/model-server';
import { message, startSessions, until, type AgentOptions, type SessionsApp } from './support/sessions-app';

let model: ModelServer;
let app: SessionsApp;

beforeAll(async () => {
  model = await ModelServer.start();
  app = await startSessions({ SLUICE_SESSION_MODEL_URL: model.url, SLUICE_SESSION_MODEL_KEY: 'model-key' });
});
afterAll(async () => {
  await app.stop();
  await model.stop();
});
beforeEach(() => {
  model.asked.length = 0;
  model.held = undefined;
});

const tool = (name: string, policy?: string) => ({
  type: 'custom',
  name,
  description: `Does ${name}`,
  input_schema: { type: 'object', properties: { n: { type: 'number' } } },
  ...(policy !== undefined && { permission_policy: { type: policy } }),
});
const typesOf = (events: readonly Json[]) => events.map(({ type }) => type as string);
const isOver = (types: readonly string[]) => /idle|terminated/.test(types.at(-1) ?? '');
const result = (id: string, text: string) => ({
  type: 'user.custom_tool_result',
  custom_tool_use_id: id,
  content: [{ type: 'text', text }],
});

async function run(text: string, agent: AgentOptions = {}, environment?: 'cloud' | 'self_hosted') {
  const session = await app.session('model', agent, environment);
  await app.send(session, message(text));
  return { session, events: await app.whenTypes(session, isOver) };
}

describe('the model engine', () => {
  it('asks the model and says what it answers, with spans and usage', async () => {
    model.script = [says('Hello back')];
    const { session, events } = await run('Hello', { system: 'Be brief.' });
    expect(typesOf(events).slice(2)).toEqual([
      'span.model_request_start',
      'agent.message',
      'span.model_request_end',
      'session.status_idle',
    ]);
    expect(events[4]).toMatchObject({
      model_request_start_id: events[2].id,
      is_error: false,
      model_usage: { input_tokens: 10, output_tokens: 5, cache_creation_input_tokens: 0, cache_read_input_tokens: 2 },
    });
    expect(events[3].content).toEqual([{ type: 'text', text: 'Hello back' }]);
    const [{ headers, body }] = model.asked as [(typeof model.asked)[0]];
    expect(headers).toMatchObject({ 'x-api-key': 'model-key', 'anthropic-version': expect.any(String) });
    expect(body).toEqual({
      model: 'a-model',
      max_tokens: 8192,
      stream: true,
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
    });
    expect((await app.call('GET', `/v1/sessions/${session}`)).body.usage).toMatchObject({
      input_tokens: 10,
      output_tokens: 5,
    });
  });

  it('tells the next turn with all that was said before', async () => {
    model.script = [says('one'), says('two')];
    const { session } = await run('first');
    await app.send(session, message('second'));
    await app.whenTypes(session, (types) => types.filter((type) => type === 'session.status_idle').length === 2);
    expect(model.asked[1]?.body.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'first' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'one' }] },
      { role: 'user', content: [{ type: 'text', text: 'second' }] },
    ]);
  });

  it('waits for the results of custom tools, and goes on when it has them all', async () => {
    model.script = [uses(['add', { n: 1 }], ['mul', { n: 2 }]), says('done')];
    const { session, events } = await run('count', { tools: [tool('add'), tool('mul')] });
    const calls = events.filter(({ type }) => type === 'agent.custom_tool_use');
    expect(calls.map(({ name, input }) => [name, input])).toEqual([
      ['add', { n: 1 }],
      ['mul', { n: 2 }],
    ]);
    expect(events.at(-1).stop_reason).toEqual({ type: 'requires_action', event_ids: calls.map(({ id }) => id) });
    expect(model.asked[0]?.body.tools).toEqual([
      { name: 'add', description: 'Does add', input_schema: tool('add').input_schema },
      { name: 'mul', description: 'Does mul', input_schema: tool('mul').input_schema },
    ]);
    await app.send(session, result(calls[1].id, '4'));
    await app.send(session, { ...result(calls[0].id, 'failed'), is_error: true });
    await app.whenTypes(
      session,
      (types) => types.filter((type) => type === 'agent.message').length === 2 && isOver(types),
    );
    expect(model.asked).toHaveLength(2);
    const { messages } = model.asked[1]?.body as { messages: Json[] };
    expect(messages[1].content.map(({ type, id }: Json) => [type, id])).toEqual([
      ['text', undefined],
      ['tool_use', calls[0].id],
      ['tool_use', calls[1].id],
    ]);
    expect(messages[2].content).toEqual([
      { type: 'tool_result', tool_use_id: calls[1].id, content: [{ type: 'text', text: '4' }] },
      { type: 'tool_result', tool_use_id: calls[0].id, content: [{ type: 'text', text: 'failed' }], is_error: true },
    ]);
  });

  it('asks the user before a tool that needs it, and has it run only when it is allowed', async () => {
    model.script = [uses(['send', { n: 1 }], ['drop', { n: 2 }]), says('done')];
    const ask = 'always_ask';
    const { session, events } = await run('do it', { tools: [tool('send', ask), tool('drop', ask)] });
    const [sending, dropping] = events.filter(({ type }) => type === 'agent.tool_use') as [Json, Json];
    expect(sending).toMatchObject({ name: 'send', evaluated_permission: 'ask', evaluation: { type: 'always_ask' } });
    expect(events.at(-1).stop_reason.event_ids).toEqual([sending.id, dropping.id]);
    await app.send(
      session,
      { type: 'user.tool_confirmation', tool_use_id: sending.id, result: 'allow' },
      { type: 'user.tool_confirmation', tool_use_id: dropping.id, result: 'deny', deny_message: 'Keep it.' },
    );
    const asked = await app.whenTypes(session, (types) => types.includes('agent.custom_tool_use') && isOver(types));
    const running = asked.filter(({ type }) => type === 'agent.custom_tool_use');
    expect(running.map(({ name, input }) => [name, input])).toEqual([['send', { n: 1 }]]);
    await app.send(session, result(running[0].id, 'sent'));
    await app.whenTypes(session, (types) => types.filter((type) => type === 'agent.message').length === 2);
    const { messages } = model.asked[1]?.body as { messages: Json[] };
    expect(messages).toHaveLength(3);
    expect(messages[2].content).toEqual([
      {
        type: 'tool_result',
        tool_use_id: dropping.id,
        content: [{ type: 'text', text: 'The user denied this call. Keep it.' }],
        is_error: true,
      },
      { type: 'tool_result', tool_use_id: sending.id, content: [{ type: 'text', text: 'sent' }] },
    ]);
  });

  it('leaves an allowed tool to the user where the environment is the user’s own', async () => {
    model.script = [uses(['send', { n: 1 }]), says('done')];
    const { session, events } = await run('do it', { tools: [tool('send', 'always_ask')] }, 'self_hosted');
    const use = events.find(({ type }) => type === 'agent.tool_use');
    await app.send(session, { type: 'user.tool_confirmation', tool_use_id: use.id, result: 'allow' });
    await app.whenTypes(
      session,
      (types) => types.filter((type) => type === 'session.status_idle').length === 2 && isOver(types),
    );
    const content = [{ type: 'text', text: 'sent' }];
    const { status } = await app.send(session, { type: 'user.tool_result', tool_use_id: use.id, content });
    expect(status).toBe(200);
    const all = await app.whenTypes(session, (types) => types.filter((type) => type === 'agent.message').length === 2);
    expect(typesOf(all)).not.toContain('agent.custom_tool_use');
    expect(model.asked[1]?.body.messages.at(-1).content).toEqual([
      { type: 'tool_result', tool_use_id: use.id, content },
    ]);
  });

  it('tells a model that wants a tool which is not there, and offers none that nobody runs', async () => {
    model.script = [uses(['bash', {}]), says('then not')];
    const { events } = await run('do it', { tools: [{ type: 'agent_toolset_20260401' }] });
    expect(model.asked[0]?.body).not.toHaveProperty('tools');
    expect(typesOf(events)).toEqual([
      'user.message',
      'session.status_running',
      'span.model_request_start',
      'agent.message',
      'agent.tool_use',
      'span.model_request_end',
      'agent.tool_result',
      'span.model_request_start',
      'agent.message',
      'span.model_request_end',
      'session.status_idle',
    ]);
    expect(model.asked[1]?.body.messages.at(-1).content[0]).toMatchObject({ type: 'tool_result', is_error: true });
  });

  it('reports a retry, and that the session runs again', async () => {
    model.script = [fails(529, 'overloaded_error'), says('at last')];
    const { events } = await run('Hello');
    expect(typesOf(events).slice(2)).toEqual(
      ['span.model_request_start', 'span.model_request_end', 'session.error', 'session.status_rescheduled'].concat([
        'session.status_running',
        'span.model_request_start',
        'agent.message',
        'span.model_request_end',
        'session.status_idle',
      ]),
    );
    expect(events[4].error).toEqual({
      type: 'model_overloaded_error',
      message: 'The model answered with status 529',
      retry_status: { type: 'retrying' },
    });
  });

  it.each([
    [402, 'billing_error', 'billing_error'],
    [400, 'invalid_request_error', 'model_request_failed_error'],
    [401, 'authentication_error', 'model_request_failed_error'],
  ])('terminates the session when the model answers %i', async (status, said, type) => {
    model.script = [fails(status, said)];
    const { events } = await run('Hello');
    expect(events.at(-2)).toMatchObject({ error: { type, retry_status: { type: 'terminal' } } });
    expect(events.at(-1).type).toBe('session.status_terminated');
  });

  it('terminates the session when the answer cannot be read', async () => {
    model.script = [() => ({ body: 'no JSON' })];
    const { events } = await run('Hello');
    expect(events.at(-2)).toMatchObject({ error: { type: 'unknown_error', retry_status: { type: 'terminal' } } });
  });

  it('lets a user interrupt it while the model thinks', async () => {
    let release: () => void = () => undefined;
    model.script = [says('too late'), says('now')];
    model.held = new Promise((resolve) => (release = resolve));
    const session = await app.session('model');
    await app.send(session, message('first'));
    await until(() => model.asked.length === 1 || undefined);
    await app.send(session, { type: 'user.interrupt' });
    model.held = undefined;
    await app.send(session, message('second'));
    const events = await app.whenTypes(session, (types) => types.includes('agent.message'));
    release();
    expect(events.filter(({ type }) => type === 'agent.message').map(({ content }) => content[0].text)).toEqual([
      'now',
    ]);
    expect(model.asked[1]?.body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'first' },
          { type: 'text', text: 'second' },
        ],
      },
    ]);
  });

  it('is gone on with by another replica, which doubles nothing, when its process stops', async () => {
    const replica = await app.replica({ SLUICE_SESSION_MODEL_KEY: 'other-key' });
    let release: () => void = () => undefined;
    model.script = [says('heard')];
    const key = await app.key(1);
    // Whose it is, is chance: most likely of who took the message.
    let session = '';
    for (let isTheirs = false; !isTheirs;) {
      model.held = new Promise((resolve) => (release = resolve));
      session = await app.session('model');
      const before = model.asked.length;
      await send(replica.url, `/v1/sessions/${session}/events`, { key, json: { events: [message('Hello')] } });
      const asked = await until(() => model.asked[before]);
      isTheirs = asked.headers['x-api-key'] === 'other-key';
      if (!isTheirs) release();
    }
    model.held = undefined;
    await replica.stop();
    const events = await app.whenTypes(session, isOver);
    release();
    expect(typesOf(events).slice(2)).toEqual([
      'span.model_request_start',
      'agent.message',
      'span.model_request_end',
      'session.status_idle',
    ]);
  });
});
