import type { Answer } from '@sluice/engine/conformance';
import { removeOldest } from '@sluice/event-log/conformance';
import { startTemporaryPostgres } from '@sluice/local-postgres';
import { TestResponder } from './test-responder';
import { startWorkspace, until, type WorkspaceService } from './workspace-service';

type Call = (headers?: Record<string, string>) => Promise<Answer>;

/** A command and, made before it, what it is about. */
interface Repeatable {
  readonly call: Call;
  /** Another change of the same thing, or of what it is part of. */
  readonly next: Call;
}

const agent = { type: 'agent', member_id: 'AMP' };

describe.each(['memory', 'embedded'] as const)('after retention, on the %s engine', (engine) => {
  let postgres: Awaited<ReturnType<typeof startTemporaryPostgres>> | undefined;
  let service: WorkspaceService;
  const responder = new TestResponder();

  beforeAll(async () => {
    postgres = engine === 'embedded' ? await startTemporaryPostgres() : undefined;
    const env = {
      SLUICE_ENGINE: engine,
      ...(postgres && { SLUICE_DATABASE_URL: postgres.databaseUrl }),
      SLUICE_WORKSPACE_PROJECTION_WAIT: '3s',
      SLUICE_CRON_POLL_INTERVAL: '10s',
    };
    service = await startWorkspace({ responder, env });
  });
  afterEach(() => service.projection.resume());
  afterAll(async () => {
    await service.stop();
    await postgres?.stop();
  });

  const request =
    (method: string, path: string, json?: unknown): Call =>
    (headers = {}) =>
      service.call(method, path, json, { headers });
  const made = async (path: string, json: unknown = {}) => {
    const { status, body } = await request('POST', path, json)();
    expect([200, 201]).toContain(status);
    return body;
  };
  const get = async (path: string) => (await service.call('GET', path)).body;
  const removeAll = async () =>
    removeOldest(await service.host.engine.eventRetention(), Infinity, { family: 'workspace' });
  const isIdle = (session: string) =>
    until(async () => (await service.documents.find(1, 'run', session)) === undefined || undefined, 'the run ends');
  /** Each run has a due time by which it has to have ended. */
  const nothingRuns = () =>
    until(
      async () => (await service.documents.countWaiting({ workspaceId: 1, kind: 'run', atMost: 1 })) === 0 || undefined,
      'all runs end',
    );

  const taskOf = async () => (await made('/api/tasks', { title: 't' })).id as string;
  const sessionOf = async () => (await made('/api/sessions')).id as string;
  const chatOf = async () => (await made('/api/group-chats', { name: 'c', members: [agent] })).group_chat.id as string;
  const jobOf = async () => (await made('/api/cron', { name: 'j', message: 'm', every: 100_000 })).id as string;

  const commands: Record<string, () => Promise<Repeatable>> = {
    'a task that is made': async () => {
      return {
        call: request('POST', '/api/tasks', { title: 'once' }),
        next: request('POST', '/api/tasks', { title: 'x' }),
      };
    },
    'a task that is changed': async () => {
      const path = `/api/tasks/${await taskOf()}`;
      return { call: request('PATCH', path, { status: 'done' }), next: request('PATCH', path, { title: 'next' }) };
    },
    'a task that is deleted': async () => {
      return {
        call: request('DELETE', `/api/tasks/${await taskOf()}`),
        next: request('POST', '/api/tasks', { title: 'x' }),
      };
    },
    'a session with an own id': async () => {
      const id = `session-own-${engine}`;
      return {
        call: request('POST', '/api/sessions', { id }),
        next: request('PATCH', `/api/sessions/${id}`, { title: 'n' }),
      };
    },
    'a session that is changed': async () => {
      const path = `/api/sessions/${await sessionOf()}`;
      return { call: request('PATCH', path, { title: 'once' }), next: request('PATCH', path, { title: 'next' }) };
    },
    'what is said in a session': async () => {
      const path = `/api/sessions/${await sessionOf()}`;
      return {
        call: request('POST', `${path}/message`, { content: 'once' }),
        next: request('PATCH', path, { title: 'x' }),
      };
    },
    'an agent that is spawned': async () => {
      const call = request('POST', '/api/agents/AMP/spawn', { prompt: 'once' });
      return { call, next: request('POST', '/api/agents/AMP/spawn', { prompt: 'next' }) };
    },
    'an agent that is spawned into a session': async () => {
      const session_id = await sessionOf();
      const call = request('POST', '/api/agents/AMP/spawn', { prompt: 'once', session_id });
      return { call, next: request('PATCH', `/api/sessions/${session_id}`, { title: 'next' }) };
    },
    'an agent that is stopped': async () => {
      const { session_id } = await made('/api/agents/AMP/spawn', { prompt: 'wait' });
      const call = request('POST', '/api/agents/AMP/stop', { session_id });
      return { call, next: request('PATCH', `/api/sessions/${session_id}`, { title: 'next' }) };
    },
    'a group chat that is changed': async () => {
      const path = `/api/group-chats/${await chatOf()}`;
      return { call: request('PATCH', path, { name: 'once' }), next: request('PATCH', path, { name: 'next' }) };
    },
    'a member that joins': async () => {
      const path = `/api/group-chats/${await chatOf()}`;
      const member = { type: 'human', member_id: 'ada' };
      return { call: request('POST', `${path}/members`, member), next: request('DELETE', `${path}/members/ada`) };
    },
    'a group message': async () => {
      const path = `/api/group-chats/${await chatOf()}`;
      const { id } = await made(`${path}/sessions`);
      const call = request('POST', `${path}/sessions/${id}/messages`, { content: 'once' });
      return { call, next: request('PATCH', path, { name: 'next' }) };
    },
    'a job that is changed': async () => {
      const path = `/api/cron/${await jobOf()}`;
      return { call: request('PATCH', path, { message: 'once' }), next: request('PATCH', path, { name: 'next' }) };
    },
    'a job that is run': async () => {
      const path = `/api/cron/${await jobOf()}`;
      return { call: request('POST', `${path}/run`), next: request('PATCH', path, { name: 'next' }) };
    },
  };

  it.each(Object.keys(commands))('does %s once, says that it is not known any more, and goes on (G2)', async (name) => {
    const { call, next } = (await commands[name]?.()) ?? {};
    const key = { 'idempotency-key': name };
    expect([200, 201]).toContain((await call?.(key))?.status);
    expect((await call?.(key))?.status).toBeLessThan(300);
    await nothingRuns();
    await removeAll();
    const written = new Set(service.events().map(({ id }) => id)).size;
    const again = await call?.(key);
    expect([again?.status, again?.body.code, again?.body.where]).toEqual([
      409,
      'idempotency_conflict',
      'headers.idempotency-key',
    ]);
    expect(new Set(service.events().map(({ id }) => id)).size).toBe(written);
    expect([200, 201]).toContain((await next?.())?.status);
  });

  it('takes a change after one that could not be read before it was removed', async () => {
    const path = `/api/tasks/${await taskOf()}`;
    service.projection.pause();
    expect((await request('PATCH', path, { status: 'done' })()).status).toBe(202);
    service.projection.resume();
    await until(async () => (await get(path)).status === 'done' || undefined, 'the change can be read');
    await removeAll();
    const { status, body } = await request('PATCH', path, { title: 'next' })();
    expect([status, body.status, body.title]).toEqual([200, 'done', 'next']);
  });

  it.each(['deleted', 'never there'])('spawns again into the name of a session that was %s (G2)', async (what) => {
    const session_id = `session-${what.replace(' ', '-')}-${engine}`;
    const spawn = (prompt: string) => request('POST', '/api/agents/AMP/spawn', { prompt, session_id })();
    for (const prompt of ['first', 'second', 'third']) {
      const { status } = await spawn(`${prompt} ${session_id}`);
      expect(status).toBe(200);
      await isIdle(session_id);
      expect(responder.asked.filter((asked) => asked.prompt === `${prompt} ${session_id}`)).toHaveLength(1);
      if (what === 'deleted') expect((await request('DELETE', `/api/sessions/${session_id}`)()).status).toBe(200);
      await removeAll();
    }
  });
});
