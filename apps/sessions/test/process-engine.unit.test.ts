import { join } from 'node:path';
import { send, type Json } from '@sluice/engine/conformance';
import { message, startSessions, until, type SessionsApp } from './support/sessions-app';

const COMMAND = JSON.stringify([process.execPath, join(__dirname, '../examples/engine-process.mjs')]);

/** Processes that do not end by themselves are not waited for. */
const startWith = (command: string) =>
  startSessions({ SLUICE_SESSION_PROCESS: command }, ({ engines, ...config }) => {
    const process = engines.process && { ...engines.process, graceMs: 200, lastReportMs: 200 };
    return { ...config, engines: { ...engines, ...(process && { process }) } };
  });

let app: SessionsApp;
beforeAll(async () => {
  app = await startWith(COMMAND);
});
afterAll(() => app.stop());

const isIdle = (types: readonly string[]) => types.at(-1) === 'session.status_idle';
const textOf = (events: readonly Json[]): string =>
  events.findLast(({ type }) => type === 'agent.message').content[0].text;
const isGone = (pid: number) => {
  try {
    process.kill(pid, 0);
    return undefined;
  } catch {
    return true;
  }
};

/** A session whose process says its id, and then does nothing more. */
async function hangingRun(url = app.url, text: 'hang' | 'wait' = 'wait'): Promise<{ session: string; pid: number }> {
  const session = await app.session('process');
  const json = { events: [message(text)] };
  await send(url, `/v1/sessions/${session}/events`, { key: await app.key(1), json });
  const events = await app.whenTypes(session, (types) => types.includes('agent.message'));
  return { session, pid: Number(textOf(events).slice('pid '.length)) };
}

describe('the process engine', () => {
  it('starts a process for each run, which reports by callbacks', async () => {
    const session = await app.session('process');
    for (const text of ['one', 'two']) {
      const before = (await app.events(session)).length;
      await app.send(session, message(text));
      const events = await app.whenTypes(session, (types) => types.length > before + 2 && isIdle(types));
      expect(events.at(-1).stop_reason).toEqual({ type: 'end_turn' });
      expect(textOf(events)).toBe(`heard: ${text}`);
    }
  });

  it('gives it what it has to know, and nothing else of our environment', async () => {
    const session = await app.session('process');
    await app.send(session, message('environment'));
    const told: Json = JSON.parse(textOf(await app.whenTypes(session, isIdle)));
    const { call, ...environment } = told;
    expect(call).toMatchObject({ type: 'run.start', session_id: session, run_id: environment.RUNTIME_RUN_ID });
    expect(environment.RUNTIME_SESSION_ID).toBe(session);
    expect(environment.RUNTIME_CALLBACK_URL).toBe(call.callback.url);
    const names = Object.keys(environment).filter((name) => !name.startsWith('RUNTIME_'));
    expect(names.filter((name) => !['PATH', 'HOME'].includes(name))).toEqual([]);
  });

  it('tells the same process what the user answers', async () => {
    const session = await app.session('process');
    await app.send(session, message('tool'));
    const asked = await app.whenTypes(session, isIdle);
    const { event_ids: ids } = asked.at(-1).stop_reason;
    const content = [{ type: 'text', text: 'four' }];
    await app.send(session, { type: 'user.custom_tool_result', custom_tool_use_id: ids[0], content });
    const events = await app.whenTypes(session, (types) => types.includes('agent.message') && isIdle(types));
    expect(textOf(events)).toBe('result: four');
    expect(events.at(-1).stop_reason).toEqual({ type: 'end_turn' });
  });

  it('gives up the run of a process that ends before its run', async () => {
    const session = await app.session('process');
    await app.send(session, message('crash'));
    const events = await app.whenTypes(session, isIdle);
    expect(events.at(-2).error).toMatchObject({
      type: 'unknown_error',
      message: 'The process of this run ended with code 7 before the run was over',
      retry_status: { type: 'exhausted' },
    });
    expect(events.at(-1).stop_reason).toEqual({ type: 'retries_exhausted' });
  });

  it('ends the process of a run that is interrupted, also one that does not want to', async () => {
    const { session, pid } = await hangingRun(app.url, 'hang');
    await app.send(session, { type: 'user.interrupt' });
    await until(() => isGone(pid), 'its end');
    await app.send(session, message('again'));
    const events = await app.whenTypes(
      session,
      (types) => types.filter((type) => type === 'agent.message').length === 2,
    );
    expect(textOf(events)).toBe('heard: again');
  });

  it('ends its processes when it stops; another replica gives their runs up', async () => {
    const run = await until(async () => {
      const replica = await app.replica();
      const found = await hangingRun(replica.url);
      await replica.stop();
      // Whose it is, is chance: most likely of who took the message.
      if (isGone(found.pid)) return found;
      await app.send(found.session, { type: 'user.interrupt' });
      return undefined;
    });
    const events = await app.whenTypes(run.session, isIdle);
    expect(events.at(-2).error.message).toBe('The process that worked on this run is gone');
    expect(events.at(-1).stop_reason.type).toBe('retries_exhausted');
  });

  it('gives up the run of a program that cannot be started', async () => {
    const broken = await startWith('["/nowhere/at-all"]');
    const session = await broken.session('process');
    await broken.send(session, message('Hello'));
    const events = await broken.whenTypes(session, isIdle);
    expect(events.at(-2).error.message).toBe('The process of this run could not be started before the run was over');
    await broken.stop();
  });
});
