import { line, OperatorCli } from './operator-cli';
import { answer } from './scripted-server';

describe('sluice erase', () => {
  const cli = OperatorCli.ofEachTest();

  const open = { erasureId: 4, step: 'cutting', requestedAt: 1 };

  it('asks for the erasure of an entity, or of fields of it', async () => {
    cli.script = (_, response) => answer(response, 202, { erasure: open });
    expect(await cli.run('erase', 'workspace/task/t', '--workspace', '7')).toEqual({
      exitCode: 0,
      out: [line(open)],
      errors: [],
    });
    await cli.run('erase', 'sandbox/s', '--workspace', '0', '--field', '/a,b', '--field', '/c');
    expect(cli.seen).toMatchObject([
      {
        method: 'POST',
        target: '/v1/admin/erasures',
        body: { workspaceId: 7, family: 'workspace', entityId: 'task/t', fields: [] },
      },
      { body: { workspaceId: 0, family: 'sandbox', entityId: 's', fields: ['/a,b', '/c'] } },
    ]);
    expect(cli.seen[0]?.headers['x-api-key']).toBe('sk_operator');
  });

  it('waits for its end and prints what changes, also where an answer is lost', async () => {
    const further = { ...open, step: 'events' };
    const done = { erasureId: 4, requestedAt: 1, finishedAt: 9 };
    const answers = [open, further, undefined, done];
    cli.script = (_, response) => {
      const erasure = answers.shift();
      if (erasure) answer(response, 200, { erasure });
      else response.destroy();
    };
    const result = await cli.run('erase', 'sandbox/s', '--workspace', '1', '--wait');
    expect(result).toEqual({ exitCode: 0, out: [open, further, done].map(line), errors: [] });
    expect(cli.seen.at(-1)?.target).toBe('/v1/admin/erasures/4');
  });

  it('asks nothing without an entity and its workspace, and says what was refused', async () => {
    cli.script = (_, response) =>
      answer(response, 404, { error: { code: 'not_found', message: 'There is no such entity' } });
    expect(await cli.run('erase', 'sandbox-1', '--workspace', '1')).toMatchObject({ exitCode: 1, out: [] });
    expect(await cli.run('erase', 'sandbox/1')).toMatchObject({ exitCode: 1, out: [] });
    expect(cli.seen).toEqual([]);
    expect(await cli.run('erase', 'sandbox/1', '--workspace', '1')).toMatchObject({
      exitCode: 1,
      errors: [expect.stringContaining('There is no such entity')],
    });
  });

  it('abandons one, and waits no more for one that somebody abandoned', async () => {
    const abandoned = { ...open, step: 'events', abandonedAt: 5, leftOver: 'The durable log has lost the text' };
    cli.script = ({ method }, response) =>
      answer(response, method === 'POST' ? 202 : 200, { erasure: method === 'POST' ? open : abandoned });
    expect(await cli.run('erasures', 'abandon', '4')).toEqual({ exitCode: 0, out: [line(abandoned)], errors: [] });
    expect(cli.seen).toMatchObject([{ method: 'DELETE', target: '/v1/admin/erasures/4' }]);
    expect(await cli.run('erase', 'sandbox/s', '--workspace', '1', '--wait')).toEqual({
      exitCode: 1,
      out: [open, abandoned].map(line),
      errors: [expect.stringContaining('abandoned')],
    });
    expect(await cli.run('erasures', 'abandon')).toMatchObject({ exitCode: 2, out: [] });
  });

  it('tells how far erasures are', async () => {
    cli.script = ({ target }, response) =>
      answer(
        response,
        200,
        target.endsWith('/4') ? { erasure: open } : { erasures: [open, { ...open, erasureId: 3 }] },
      );
    expect((await cli.run('erasures', '4')).out).toEqual([line(open)]);
    expect((await cli.run('erasures')).out).toEqual([line(open), line({ ...open, erasureId: 3 })]);
  });
});
