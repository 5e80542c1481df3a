import { line, OperatorCli } from './operator-cli';
import { answer } from './scripted-server';

describe('sluice rebuild', () => {
  const cli = OperatorCli.ofEachTest();

  const building = { rebuildId: 4, state: 'building', builtEvents: 0 };

  it('asks for a rebuild that keeps positions, unless told otherwise', async () => {
    cli.script = (_, response) => answer(response, 202, { rebuild: building });
    expect(await cli.run('rebuild')).toEqual({ exitCode: 0, out: [line(building)], errors: [] });
    await cli.run('rebuild', '--renumber', '--drop-old');
    expect(cli.seen).toMatchObject([
      { method: 'POST', target: '/v1/admin/rebuild', body: { positions: 'keep', dropOld: false } },
      { method: 'POST', target: '/v1/admin/rebuild', body: { positions: 'renumber', dropOld: true } },
    ]);
    expect(cli.seen[0]?.headers['x-api-key']).toBe('sk_operator');
  });

  it('waits for the switch and prints what changes, also where an answer is lost', async () => {
    const half = { ...building, builtEvents: 5 };
    const switched = { ...building, state: 'switched', finishedAt: 9 };
    const answers = [building, half, undefined, half, switched];
    cli.script = (_, response) => {
      const rebuild = answers.shift();
      if (rebuild) answer(response, 200, { rebuild });
      else response.destroy();
    };
    const result = await cli.run('rebuild', '--wait');
    expect(result).toEqual({ exitCode: 0, out: [building, half, switched].map(line), errors: [] });
  });

  it('fails when the rebuild that it waits for fails', async () => {
    const failed = { ...building, state: 'failed', finishedAt: 9, fault: 'a hole' };
    cli.script = ({ method }, response) => answer(response, 200, { rebuild: method === 'POST' ? building : failed });
    const result = await cli.run('rebuild', '--wait');
    expect(result).toMatchObject({ exitCode: 1, out: [line(building), line(failed)] });
  });

  it('tells how far it is, ends it, and drops the former model', async () => {
    cli.script = ({ method, target }, response) => {
      if (target.endsWith('/old')) return answer(response, 200, { dropped: true });
      return answer(response, 200, { rebuild: method === 'GET' ? null : { ...building, state: 'aborting' } });
    };
    expect((await cli.run('rebuild', 'status')).out).toEqual(['null']);
    expect((await cli.run('rebuild', 'abort')).out).toEqual([line({ ...building, state: 'aborting' })]);
    expect((await cli.run('rebuild', 'drop-old')).out).toEqual(['{"dropped":true}']);
    expect(cli.seen.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'GET /v1/admin/rebuild',
      'DELETE /v1/admin/rebuild',
      'DELETE /v1/admin/rebuild/old',
    ]);
  });

  it('says in one line why it is refused', async () => {
    cli.script = (_, response) =>
      answer(response, 409, { error: { code: 'conflict', message: 'A rebuild is under way already' } });
    const result = await cli.run('rebuild');
    expect(result).toMatchObject({ exitCode: 1, out: [], errors: [expect.stringContaining('under way already')] });
  });
});
