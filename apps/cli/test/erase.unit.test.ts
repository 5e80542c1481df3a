import type { Environment } from '../src/config';
import { answer, scriptedServer, type Script, type ScriptedServer } from './scripted-server';
import { run } from './test-terminal';

describe('sluice erase', () => {
  let script: Script;
  let server: ScriptedServer;
  let env: Environment;
  beforeEach(async () => {
    server = await scriptedServer((request, response) => script(request, response));
    env = { SLUICE_URL: server.url, SLUICE_ADMIN_KEY: 'sk_operator' };
  });
  afterEach(() => server.close());

  const open = { erasureId: 4, step: 'cutting', requestedAt: 1 };
  const line = (value: unknown) => JSON.stringify(value);

  it('asks for the erasure of an entity, or of fields of it', async () => {
    script = (_, response) => answer(response, 202, { erasure: open });
    expect(await run(['erase', 'workspace/task/t', '--workspace', '7'], env)).toEqual({
      exitCode: 0,
      out: [line(open)],
      errors: [],
    });
    await run(['erase', 'sandbox/s', '--workspace', '0', '--field', '/a,b', '--field', '/c'], env);
    expect(server.seen).toMatchObject([
      {
        method: 'POST',
        target: '/v1/admin/erasures',
        body: { workspaceId: 7, family: 'workspace', entityId: 'task/t', fields: [] },
      },
      { body: { workspaceId: 0, family: 'sandbox', entityId: 's', fields: ['/a,b', '/c'] } },
    ]);
    expect(server.seen[0]?.headers['x-api-key']).toBe('sk_operator');
  });

  it('waits for its end and prints what changes, also where an answer is lost', async () => {
    const further = { ...open, step: 'events' };
    const done = { erasureId: 4, requestedAt: 1, finishedAt: 9 };
    const answers = [open, further, undefined, done];
    script = (_, response) => {
      const erasure = answers.shift();
      if (erasure) answer(response, 200, { erasure });
      else response.destroy();
    };
    const result = await run(['erase', 'sandbox/s', '--workspace', '1', '--wait'], env);
    expect(result).toEqual({ exitCode: 0, out: [open, further, done].map(line), errors: [] });
    expect(server.seen.at(-1)?.target).toBe('/v1/admin/erasures/4');
  });

  it('asks nothing without an entity and its workspace, and says what was refused', async () => {
    script = (_, response) =>
      answer(response, 404, { error: { code: 'not_found', message: 'There is no such entity' } });
    expect(await run(['erase', 'sandbox-1', '--workspace', '1'], env)).toMatchObject({ exitCode: 1, out: [] });
    expect(await run(['erase', 'sandbox/1'], env)).toMatchObject({ exitCode: 1, out: [] });
    expect(server.seen).toEqual([]);
    expect(await run(['erase', 'sandbox/1', '--workspace', '1'], env)).toMatchObject({
      exitCode: 1,
      errors: [expect.stringContaining('There is no such entity')],
    });
  });

  it('abandons one, and waits no more for one that somebody abandoned', async () => {
    const abandoned = { ...open, step: 'events', abandonedAt: 5, leftOver: 'The durable log has lost the text' };
    script = ({ method }, response) =>
      answer(response, method === 'POST' ? 202 : 200, { erasure: method === 'POST' ? open : abandoned });
    expect(await run(['erasures', 'abandon', '4'], env)).toEqual({ exitCode: 0, out: [line(abandoned)], errors: [] });
    expect(server.seen).toMatchObject([{ method: 'DELETE', target: '/v1/admin/erasures/4' }]);
    expect(await run(['erase', 'sandbox/s', '--workspace', '1', '--wait'], env)).toEqual({
      exitCode: 1,
      out: [open, abandoned].map(line),
      errors: [expect.stringContaining('abandoned')],
    });
    expect(await run(['erasures', 'abandon'], env)).toMatchObject({ exitCode: 2, out: [] });
  });

  it('tells how far erasures are', async () => {
    script = ({ target }, response) =>
      answer(
        response,
        200,
        target.endsWith('/4') ? { erasure: open } : { erasures: [open, { ...open, erasureId: 3 }] },
      );
    expect((await run(['erasures', '4'], env)).out).toEqual([line(open)]);
    expect((await run(['erasures'], env)).out).toEqual([line(open), line({ ...open, erasureId: 3 })]);
  });
});
