import { until } from '@sluice/event-log/conformance';
import { ALL_DELTAS, follow, isDelta, messageTexts, shownText, startedIds } from './support/followed-stream';
import { breaksOff, ModelServer, says, streams } from './support/model-server';
import { all, makeParts, startSessions, type SdkSessions } from './support/sdk-sessions';

let app: SdkSessions;
let model: ModelServer;

beforeAll(async () => {
  model = await ModelServer.start();
  app = await startSessions({ SLUICE_SESSION_MODEL_URL: model.url });
});
afterAll(async () => {
  await app.stop();
  await model.stop();
});

async function sessionOf(): Promise<string> {
  const parts = await makeParts(app.client, { metadata: { engine: 'model' } });
  return (await app.client.beta.sessions.create(parts)).id;
}

const say = (session: string, text: string) =>
  app.client.beta.sessions.events.send(session, {
    events: [{ type: 'user.message', content: [{ type: 'text', text }] }],
  });

describe('the model engine', () => {
  it('shows an answer while the model makes it, and records it whole', async () => {
    let release: () => void = () => undefined;
    model.script = [streams(['Hel', 'lo', new Promise<void>((resolve) => (release = resolve)), ' there'])];
    const session = await sessionOf();
    const stream = await follow(app.client, session, ALL_DELTAS);
    await say(session, 'Hello');
    await until(() => shownText(stream.events, startedIds(stream.events)[0] ?? '') === 'Hello', 'the first words come');
    expect(stream.types()).not.toContain('agent.message');
    expect((await all(app.client.beta.sessions.events.list(session))).at(-1)?.type).toBe('span.model_request_start');
    release();
    const events = await stream.turn();
    expect(
      events
        .filter((event) => !isDelta(event))
        .map(({ type }) => type)
        .slice(2),
    ).toEqual([
      'span.model_request_start',
      'agent.thinking',
      'agent.message',
      'span.model_request_end',
      'session.status_idle',
    ]);
    const [id, thinking] = [startedIds(events)[0] ?? '', startedIds(events, 'agent.thinking')[0]];
    expect(events.find(({ type }) => type === 'agent.thinking')).toMatchObject({ id: thinking });
    expect(events.find(({ type }) => type === 'agent.message')).toMatchObject({ id });
    expect([shownText(events, id)]).toEqual(messageTexts(events));
    expect(messageTexts(events)).toEqual(['Hello there']);
    expect(events.find(({ type }) => type === 'span.model_request_end')).toMatchObject({
      model_usage: { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 2 },
    });
  });

  it('takes tool uses of a stream as those of a whole answer', async () => {
    model.script = [streams(['Let me see.'], [['add', { n: 1 }]])];
    const tool = {
      type: 'custom' as const,
      name: 'add',
      description: 'Adds',
      input_schema: { type: 'object' as const },
    };
    const parts = await makeParts(app.client, { metadata: { engine: 'model' }, tools: [tool] });
    const { id: session } = await app.client.beta.sessions.create(parts);
    const stream = await follow(app.client, session);
    await say(session, 'Add');
    const events = await stream.turn();
    const use = events.find(({ type }) => type === 'agent.custom_tool_use');
    expect(use).toMatchObject({ name: 'add', input: { n: 1 } });
    expect(events.at(-1)).toMatchObject({
      stop_reason: { type: 'requires_action', event_ids: [(use as { id: string }).id] },
    });
  });

  it('takes an answer that comes whole, of which nothing is shown before', async () => {
    model.script = [says('whole')];
    const session = await sessionOf();
    const stream = await follow(app.client, session, ALL_DELTAS);
    await say(session, 'Hello');
    const events = await stream.turn();
    expect(events.some(isDelta)).toBe(false);
    expect(messageTexts(events)).toEqual(['whole']);
  });

  it.each([
    ['breaks off', undefined, 'model_request_failed_error'],
    ['says that it is overloaded', 'overloaded_error', 'model_overloaded_error'],
  ])('asks again when a stream %s, and shows that answer as another event', async (_, said, type) => {
    model.script = [breaksOff(['Half'], said), streams(['All of it'])];
    const session = await sessionOf();
    const stream = await follow(app.client, session, ['agent.message']);
    await say(session, 'Hello');
    const events = await stream.turn();
    const [first = '', second = ''] = startedIds(events);
    expect(first).not.toBe(second);
    expect([shownText(events, first), shownText(events, second)]).toEqual(['Half', 'All of it']);
    expect(events.find((event) => event.type === 'session.error')).toMatchObject({
      error: { type, retry_status: { type: 'retrying' } },
    });
    expect(events.filter((event) => event.type === 'agent.message').map(({ id }) => id)).toEqual([second]);
  });

  it('shows nothing more of a run that is interrupted, and leaves the model', async () => {
    model.script = [streams(['Half', new Promise<void>(() => undefined)])];
    const session = await sessionOf();
    const stream = await follow(app.client, session, ALL_DELTAS);
    await say(session, 'Hello');
    await stream.has(({ type }) => type === 'event_delta', 'it is shown');
    await app.client.beta.sessions.events.send(session, { events: [{ type: 'user.interrupt' }] });
    const events = await stream.turn();
    expect(events.some(({ type }) => type === 'agent.message')).toBe(false);
    expect(shownText(events, startedIds(events)[0] ?? '')).toBe('Half');
  });
});
