import { until } from '@sluice/event-log/conformance';
import { ALL_DELTAS, follow, isDelta, shownText } from './support/followed-stream';
import { all, makeParts, refusalOf, startSessions, type SdkSessions } from './support/sdk-sessions';
import { END, message as said, sendReport, SessionEngine, type EngineCall } from './support/session-engine';

let app: SdkSessions;
let engine: SessionEngine;
let engineId: string;

beforeAll(async () => {
  engine = await SessionEngine.start();
  app = await startSessions({ SLUICE_ALLOW_PRIVATE_URLS: new URL(engine.url).origin });
  const { body } = await app.request('POST', '/runtime/v1/engines', { name: 'test', url: engine.url });
  engine.secrets.push(body.secret);
  engineId = body.id;
});
afterAll(async () => {
  await app.stop();
  await engine.stop();
  expect(engine.faults).toEqual([]);
});

async function sessionOf(): Promise<string> {
  const parts = await makeParts(app.client, { metadata: { engine: engineId } });
  return (await app.client.beta.sessions.create(parts)).id;
}

const say = (session: string, text: string) =>
  app.client.beta.sessions.events.send(session, {
    events: [{ type: 'user.message', content: [{ type: 'text', text }] }],
  });

describe('an engine that reports by callbacks', () => {
  const start = { type: 'event_start', event: { type: 'agent.message', id: 'answer' } };
  const piece = (text: string) => ({
    type: 'event_delta',
    event_id: 'answer',
    delta: { type: 'content_delta', index: 0, content: { type: 'text', text } },
  });
  const answer = { ...said('one two'), id: 'answer' };

  async function silentRun(): Promise<{ session: string; call: EngineCall }> {
    const session = await sessionOf();
    await say(session, 'silent');
    await until(() => engine.calls.some(({ session_id: id }) => id === session), 'it is told');
    return { session, call: engine.calls.find(({ session_id: id }) => id === session) as EngineCall };
  }
  const report = (call: EngineCall, events: readonly object[], id?: string) =>
    sendReport(call, { run_id: call.run_id, events }, id === undefined ? {} : { id });

  it('shows what it makes before it reports it, once for each delivery, and nothing of it is stored', async () => {
    const { session, call } = await silentRun();
    const stream = await follow(app.client, session, ALL_DELTAS);
    const before = await app.client.beta.sessions.retrieve(session);
    expect(await report(call, [start, piece('one ')], 'msg_1')).toEqual({ status: 200, body: { accepted: 2 } });
    expect(await report(call, [start, piece('one ')], 'msg_1')).toEqual({ status: 200, body: { accepted: 2 } });
    await stream.has(({ type }) => type === 'event_delta', 'it is shown');
    expect((await all(app.client.beta.sessions.events.list(session))).map(({ type }) => type)).toEqual([
      'user.message',
      'session.status_running',
    ]);
    expect((await app.client.beta.sessions.retrieve(session)).updated_at).toBe(before.updated_at);
    expect(await report(call, [piece('two'), answer, END])).toEqual({ status: 200, body: { accepted: 3 } });
    const events = await stream.turn();
    expect(events.map(({ type }) => type)).toEqual([
      'event_start',
      'event_delta',
      'event_delta',
      'agent.message',
      'session.status_idle',
    ]);
    expect(shownText(events, 'answer')).toBe('one two');
    expect(await all(app.client.beta.sessions.events.list(session))).toHaveLength(4);
  });

  it('shows nothing any more once its run is over, and is told to stop', async () => {
    const { session, call } = await silentRun();
    await report(call, [said('done'), END], 'msg_end');
    const stream = await follow(app.client, session, ALL_DELTAS);
    expect(await report(call, [start, piece('late')])).toMatchObject({ status: 409 });
    expect(await report(call, [start, answer])).toMatchObject({ status: 409 });
    // What was taken is taken, with deltas or without.
    expect(await report(call, [start, said('done'), END], 'msg_end')).toMatchObject({ status: 200 });
    await say(session, 'anything else');
    expect((await stream.turn()).some(isDelta)).toBe(false);
  });

  it('is refused for a session that is interrupted or deleted', async () => {
    const { session, call } = await silentRun();
    await app.client.beta.sessions.events.send(session, { events: [{ type: 'user.interrupt' }] });
    expect(await report(call, [start])).toMatchObject({ status: 409 });
    await app.client.beta.sessions.delete(session);
    expect(await report(call, [start])).toMatchObject({ status: 409 });
    const { status } = await refusalOf(app.client.beta.sessions.retrieve(session));
    expect(status).toBe(404);
  });

  it('is refused what is no delta, with all that is beside it', async () => {
    const { session, call } = await silentRun();
    const stream = await follow(app.client, session, ALL_DELTAS);
    for (const wrong of [
      { ...start, event: { type: 'agent.tool_use', id: 'a' } },
      piece('x'.repeat(16_385)),
      { ...piece('a'), event_id: undefined },
    ]) {
      expect(await report(call, [start, wrong, answer])).toMatchObject({ status: 400 });
    }
    expect(await sendReport(call, { run_id: 'srun_other', events: [start] })).toMatchObject({ status: 400 });
    expect(await sendReport(call, { run_id: call.run_id, events: [start] }, { secret: 'whsec_AAAA' })).toMatchObject({
      status: 401,
    });
    await report(call, [answer, END]);
    expect((await stream.turn()).map(({ type }) => type)).toEqual(['agent.message', 'session.status_idle']);
  });
});
