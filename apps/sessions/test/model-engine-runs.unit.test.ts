import type { Json } from '@sluice/engine/conformance';
import { ModelServer, says, uses } from './support/model-server';
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

const tool = (name: string) => ({
  type: 'custom',
  name,
  description: `Does ${name}`,
  input_schema: { type: 'object', properties: { n: { type: 'number' } } },
});
const typesOf = (events: readonly Json[]) => events.map(({ type }) => type as string);
const isOver = (types: readonly string[]) => /idle|terminated/.test(types.at(-1) ?? '');
async function run(text: string, agent: AgentOptions = {}, environment?: 'cloud' | 'self_hosted') {
  const session = await app.session('model', agent, environment);
  await app.send(session, message(text));
  return { session, events: await app.whenTypes(session, isOver) };
}

describe('the model engine', () => {
  it('offers the tools of the agent where the user’s side runs them, as their policies say', async () => {
    model.script = [uses(['bash', { command: 'ls' }], ['write', { file_path: 'a', content: 'b' }]), says('done')];
    const ask = { type: 'always_ask' };
    const toolset = {
      type: 'agent_toolset_20260401',
      default_config: { enabled: true, permission_policy: { type: 'always_allow' } },
      configs: [
        { name: 'write', enabled: true, permission_policy: ask },
        { name: 'grep', enabled: false, permission_policy: ask },
      ],
    };
    const { session, events } = await run('do it', { tools: [toolset, tool('add')] }, 'self_hosted');
    const offered = model.asked[0]?.body.tools as readonly Json[];
    expect(offered.map(({ name }) => name).sort()).toEqual(['add', 'bash', 'edit', 'glob', 'read', 'write']);
    const bash = offered.find(({ name }) => name === 'bash');
    expect(bash).toMatchObject({ input_schema: { type: 'object', properties: { command: { type: 'string' } } } });
    const [running, asking] = events.filter(({ type }) => type === 'agent.tool_use') as [Json, Json];
    expect(running).toMatchObject({
      name: 'bash',
      evaluated_permission: 'allow',
      evaluation: { type: 'always_allow' },
    });
    expect(asking).toMatchObject({ name: 'write', evaluated_permission: 'ask', evaluation: { type: 'always_ask' } });
    expect(events.at(-1).stop_reason).toEqual({ type: 'requires_action', event_ids: [running.id, asking.id] });
    const content = [{ type: 'text', text: 'a' }];
    const toolResult = (id: string) => ({ type: 'user.tool_result', tool_use_id: id, content });
    await app.send(session, toolResult(running.id));
    await app.send(session, { type: 'user.tool_confirmation', tool_use_id: asking.id, result: 'allow' });
    expect((await app.send(session, toolResult(asking.id))).status).toBe(200);
    await app.whenTypes(session, (types) => types.filter((type) => type === 'agent.message').length === 2);
    expect(model.asked[1]?.body.messages.at(-1).content).toEqual([
      { type: 'tool_result', tool_use_id: running.id, content },
      { type: 'tool_result', tool_use_id: asking.id, content },
    ]);
  });

  it('is told of a run only when its beginning is recorded: an archived session goes on with what was queued', async () => {
    model.script = [uses(['add', { n: 1 }]), says('done')];
    const { session } = await run('first', { tools: [tool('add')] });
    await app.send(session, message('second'));
    const before = model.asked.length;
    app.projection.pause();
    const archived = app.call('POST', `/v1/sessions/${session}/archive`);
    const store = await app.host.engine.sessionStore();
    const run2 = await until(async () => {
      const state = (await store.load(1, session))?.state;
      return state?.archivedAtMs == null ? undefined : (state.run?.id ?? undefined);
    });
    // What an engine was told too early it would have done by then.
    const claimed = jest.spyOn(store, 'claimDispatches');
    await until(() => claimed.mock.results.length >= 5 || undefined, 'looks for what is to be told');
    app.projection.resume();
    expect((await archived).status).toBe(200);
    const events = await app.whenTypes(session, (types) => types.at(-1) === 'session.status_idle');
    claimed.mockRestore();
    expect(typesOf(events).slice(-5)).toEqual([
      'session.status_running',
      'span.model_request_start',
      'agent.message',
      'span.model_request_end',
      'session.status_idle',
    ]);
    expect(events.at(-3)).toMatchObject({ id: expect.stringContaining(run2), content: [{ text: 'done' }] });
    expect(model.asked[before]?.body.messages.at(-1).content.at(-1)).toEqual({ type: 'text', text: 'second' });
  });
});
