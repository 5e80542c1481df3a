import type { Environment } from '../src/config';
import { answer, scriptedServer, type ScriptedServer } from './scripted-server';
import { run } from './test-terminal';

describe('sluice retention', () => {
  const policy = { family: 'session', maxAgeSeconds: 86_400, changedAt: 1, removedEvents: 0 };
  let server: ScriptedServer;
  let env: Environment;
  beforeEach(async () => {
    server = await scriptedServer(({ method }, response) => {
      const answers = { GET: { policies: [policy, policy] }, PUT: { policy }, DELETE: { removed: true } };
      answer(response, 200, answers[method as keyof typeof answers]);
    });
    env = { SLUICE_URL: server.url, SLUICE_ADMIN_KEY: 'sk_operator' };
  });
  afterEach(() => server.close());

  const line = (value: unknown) => JSON.stringify(value);

  it('lists the policies', async () => {
    expect((await run(['retention', 'list'], env)).out).toEqual([line(policy), line(policy)]);
  });

  it('sets an age, or that events are kept for ever, by default or for a workspace', async () => {
    expect(await run(['retention', 'set', '--family', 'session', '--max-age', '1d'], env)).toEqual({
      exitCode: 0,
      out: [line(policy)],
      errors: [],
    });
    await run(['retention', 'set', '--family', 'sandbox', '--max-age', '36h', '--workspace', '7'], env);
    await run(['retention', 'set', '--family', 'registry', '--max-age', '2y'], env);
    await run(['retention', 'set', '--family', 'workspace', '--max-age', 'forever', '--workspace', '7'], env);
    expect(server.seen.map(({ method, target, body }) => [method, target, body])).toEqual([
      ['PUT', '/v1/admin/retention', { family: 'session', maxAgeSeconds: 86_400 }],
      ['PUT', '/v1/admin/retention', { workspaceId: 7, family: 'sandbox', maxAgeSeconds: 129_600 }],
      ['PUT', '/v1/admin/retention', { family: 'registry', maxAgeSeconds: 63_072_000 }],
      ['PUT', '/v1/admin/retention', { workspaceId: 7, family: 'workspace', maxAgeSeconds: null }],
    ]);
  });

  it.each(['30', '0d', '-1d', '1.5d', '5m', 'never', ''])('takes %j for no age, and asks nobody', async (age) => {
    const { exitCode } = await run(['retention', 'set', '--family', 'session', '--max-age', age], env);
    expect([exitCode, server.seen]).toEqual([2, []]);
  });

  it('removes a policy, of a workspace or the default', async () => {
    expect((await run(['retention', 'remove', '--family', 'session'], env)).out).toEqual(['{"removed":true}']);
    await run(['retention', 'remove', '--family', 'session', '--workspace', '7'], env);
    expect(server.seen.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'DELETE /v1/admin/retention?family=session',
      'DELETE /v1/admin/retention?family=session&workspaceId=7',
    ]);
  });
});
