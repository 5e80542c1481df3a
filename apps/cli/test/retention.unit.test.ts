import { line, OperatorCli } from './operator-cli';
import { answer } from './scripted-server';

describe('sluice retention', () => {
  const policy = { family: 'session', maxAgeSeconds: 86_400, changedAt: 1, removedEvents: 0 };
  const cli = OperatorCli.ofEachTest();
  beforeEach(() => {
    cli.script = ({ method }, response) => {
      const answers = { GET: { policies: [policy, policy] }, PUT: { policy }, DELETE: { removed: true } };
      answer(response, 200, answers[method as keyof typeof answers]);
    };
  });

  it('lists the policies', async () => {
    expect((await cli.run('retention', 'list')).out).toEqual([line(policy), line(policy)]);
  });

  it('sets an age, or that events are kept for ever, by default or for a workspace', async () => {
    expect(await cli.run('retention', 'set', '--family', 'session', '--max-age', '1d')).toEqual({
      exitCode: 0,
      out: [line(policy)],
      errors: [],
    });
    await cli.run('retention', 'set', '--family', 'sandbox', '--max-age', '36h', '--workspace', '7');
    await cli.run('retention', 'set', '--family', 'registry', '--max-age', '2y');
    await cli.run('retention', 'set', '--family', 'workspace', '--max-age', 'forever', '--workspace', '7');
    expect(cli.seen.map(({ method, target, body }) => [method, target, body])).toEqual([
      ['PUT', '/v1/admin/retention', { family: 'session', maxAgeSeconds: 86_400 }],
      ['PUT', '/v1/admin/retention', { workspaceId: 7, family: 'sandbox', maxAgeSeconds: 129_600 }],
      ['PUT', '/v1/admin/retention', { family: 'registry', maxAgeSeconds: 63_072_000 }],
      ['PUT', '/v1/admin/retention', { workspaceId: 7, family: 'workspace', maxAgeSeconds: null }],
    ]);
  });

  it.each(['30', '0d', '-1d', '1.5d', '5m', 'never', ''])('takes %j for no age, and asks nobody', async (age) => {
    const { exitCode } = await cli.run('retention', 'set', '--family', 'session', '--max-age', age);
    expect([exitCode, cli.seen]).toEqual([2, []]);
  });

  it('removes a policy, of a workspace or the default', async () => {
    expect((await cli.run('retention', 'remove', '--family', 'session')).out).toEqual(['{"removed":true}']);
    await cli.run('retention', 'remove', '--family', 'session', '--workspace', '7');
    expect(cli.seen.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'DELETE /v1/admin/retention?family=session',
      'DELETE /v1/admin/retention?family=session&workspaceId=7',
    ]);
  });
});
