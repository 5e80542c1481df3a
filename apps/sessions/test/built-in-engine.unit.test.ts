import { message, startSessions, type SessionsApp } from './support/sessions-app';

let app: SessionsApp;
beforeAll(async () => {
  app = await startSessions();
});
afterAll(() => app.stop());

describe('the built-in engine', () => {
  it('answers each message with one message and the end of the turn', async () => {
    const session = await app.session();
    expect((await app.send(session, message('Hello'))).status).toBe(200);
    const events = await app.whenTypes(session, (types) => types.includes('session.status_idle'));
    expect(events.map(({ type }) => type as string)).toEqual([
      'user.message',
      'session.status_running',
      'agent.message',
      'session.status_idle',
    ]);
    expect(events[2].content).toEqual([{ type: 'text', text: 'You said: Hello' }]);
    expect(events[3].stop_reason).toEqual({ type: 'end_turn' });
  });

  it('gives up the run of an agent that names an engine which is not there', async () => {
    const session = await app.session('nowhere');
    await app.send(session, message('Hello'));
    const events = await app.whenTypes(session, (types) => types.includes('session.status_idle'));
    expect(events.map(({ type }) => type as string).slice(2)).toEqual(['session.error', 'session.status_idle']);
    expect(events[2].error).toMatchObject({
      type: 'unknown_error',
      message: 'This server has no engine named nowhere',
      retry_status: { type: 'exhausted' },
    });
    expect(events[3].stop_reason).toEqual({ type: 'retries_exhausted' });
  });
});
