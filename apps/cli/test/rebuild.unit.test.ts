import type { Environment } from '../src/config';
import { answer, scriptedServer, type Script, type ScriptedServer } from './scripted-server';
import { run } from './test-terminal';

describe('sluice rebuild', () => {
  let script: Script;
  let server: ScriptedServer;
  let env: Environment;
  beforeEach(async () => {
    server = await scriptedServer((request, response) => script(request, response));
    env = { SLUICE_URL: server.url, SLUICE_ADMIN_KEY: 'sk_operator' };
  });
  afterEach(() => server.close());

  const building = { rebuildId: 4, state: 'building', builtEvents: 0 };
  const line = (value: unknown) => JSON.stringify(value);

  it('asks for a rebuild that keeps positions, unless told otherwise', async () => {
    script = (_, response) => answer(response, 202, { rebuild: building });
    expect(await run(['rebuild'], env)).toEqual({ exitCode: 0, out: [line(building)], errors: [] });
    await run(['rebuild', '--renumber', '--drop-old'], env);
    expect(server.seen).toMatchObject([
      { method: 'POST', target: '/v1/admin/rebuild', body: { positions: 'keep', dropOld: false } },
      { method: 'POST', target: '/v1/admin/rebuild', body: { positions: 'renumber', dropOld: true } },
    ]);
    expect(server.seen[0]?.headers['x-api-key']).toBe('sk_operator');
  });

  it('waits for the switch and prints what changes, also where an answer is lost', async () => {
    const half = { ...building, builtEvents: 5 };
    const switched = { ...building, state: 'switched', finishedAt: 9 };
    const answers = [building, half, undefined, half, switched];
    script = (_, response) => {
      const rebuild = answers.shift();
      if (rebuild) answer(response, 200, { rebuild });
      else response.destroy();
    };
    const result = await run(['rebuild', '--wait'], env);
    expect(result).toEqual({ exitCode: 0, out: [building, half, switched].map(line), errors: [] });
  });

  it('fails when the rebuild that it waits for fails', async () => {
    const failed = { ...building, state: 'failed', finishedAt: 9, fault: 'a hole' };
    script = ({ method }, response) => answer(response, 200, { rebuild: method === 'POST' ? building : failed });
    const result = await run(['rebuild', '--wait'], env);
    expect(result).toMatchObject({ exitCode: 1, out: [line(building), line(failed)] });
  });

  it('tells how far it is, ends it, and drops the former model', async () => {
    script = ({ method, target }, response) => {
      if (target.endsWith('/old')) return answer(response, 200, { dropped: true });
      return answer(response, 200, { rebuild: method === 'GET' ? null : { ...building, state: 'aborting' } });
    };
    expect((await run(['rebuild', 'status'], env)).out).toEqual(['null']);
    expect((await run(['rebuild', 'abort'], env)).out).toEqual([line({ ...building, state: 'aborting' })]);
    expect((await run(['rebuild', 'drop-old'], env)).out).toEqual(['{"dropped":true}']);
    expect(server.seen.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'GET /v1/admin/rebuild',
      'DELETE /v1/admin/rebuild',
      'DELETE /v1/admin/rebuild/old',
    ]);
  });

  it('says in one line why it is refused', async () => {
    script = (_, response) =>
      answer(response, 409, { error: { code: 'conflict', message: 'A rebuild is under way already' } });
    const result = await run(['rebuild'], env);
    expect(result).toMatchObject({ exitCode: 1, out: [], errors: [expect.stringContaining('under way already')] });
  });
});
