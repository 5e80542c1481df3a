import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../src/config';
import { answer, scriptedServer, type Script, type ScriptedServer } from './scripted-server';
import { run, TestTerminal } from './test-terminal';

describe('the commands', () => {
  let script: Script;
  let server: ScriptedServer;
  let env: Environment;
  let folder: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
    server = await scriptedServer((request, response) => script(request, response));
    env = { SLUICE_URL: server.url, SLUICE_ADMIN_KEY: 'sk_admin', SLUICE_API_KEY: 'sk_reader' };
  });
  afterEach(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  const devFile = (content: object): Environment => {
    writeFileSync(join(folder, 'dev.json'), JSON.stringify(content));
    return { SLUICE_DATA_DIR: folder };
  };

  it('key create prints one line of JSON', async () => {
    script = (_, response) =>
      answer(response, 201, { keyId: 'k', apiKey: 'sk_x', workspaceId: 7, role: 'writer', name: 'n' });
    const result = await run(['key', 'create', '--workspace', '7', '--role', 'writer', '--name', 'CI'], env);
    expect(result).toEqual({ exitCode: 0, out: ['{"keyId":"k","apiKey":"sk_x","workspaceId":7}'], errors: [] });
    expect(server.seen).toMatchObject([
      { method: 'POST', target: '/v1/admin/keys', body: { workspaceId: 7, role: 'writer', name: 'CI' } },
    ]);
    expect(server.seen[0]?.headers['x-api-key']).toBe('sk_admin');
  });

  it('key create makes a reader unless told otherwise', async () => {
    script = (_, response) => answer(response, 201, { apiKey: 'sk_x' });
    await run(['key', 'create', '--workspace', '1'], env);
    expect(server.seen[0]?.body).toEqual({ workspaceId: 1, role: 'reader' });
  });

  it('key list and key revoke', async () => {
    script = ({ method }, response) =>
      answer(
        response,
        200,
        method === 'GET' ? { keys: [{ keyId: 'a' }, { keyId: 'b' }] } : { keyId: 'a', revoked: true },
      );
    expect((await run(['key', 'list', '--workspace', '2'], env)).out).toEqual(['{"keyId":"a"}', '{"keyId":"b"}']);
    expect((await run(['key', 'revoke', 'a-1'], env)).out).toEqual(['{"keyId":"a","revoked":true}']);
    expect(server.seen.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'GET /v1/admin/keys?workspaceId=2',
      'DELETE /v1/admin/keys/a-1',
    ]);
    expect((await run(['key', 'revoke', '..'], env)).exitCode).toBe(2);
  });

  it('token mint prints one line of JSON', async () => {
    script = (_, response) => answer(response, 201, { accessToken: 't', expiresAt: 5 });
    const result = await run(['token', 'mint', '--workspace', '1', '--sandbox', 'box', '--ttl', '60'], env);
    expect(result.out).toEqual(['{"accessToken":"t","expiresAt":5}']);
    expect(server.seen[0]).toMatchObject({
      target: '/v1/admin/tokens',
      body: { workspaceId: 1, sandboxId: 'box', ttlSeconds: 60 },
    });
  });

  describe('send', () => {
    const sent = (target = '/events') => server.seen.find((request) => request.target === target);
    const dev = () => ({ baseUrl: server.url, workspaceId: 1, apiKey: 'sk_dev', adminKey: 'sk_operator' });
    beforeEach(() => {
      script = (_, response) => answer(response, 201, { success: true, data: { eventId: 'e' } });
    });

    it('stores an event with an API key', async () => {
      const terminal = new TestTerminal(false, '{"from":"input"}');
      const result = await run(['send', '--sandbox', 'box', '--type', 'custom', '--data', '-'], env, terminal);
      expect(result).toEqual({ exitCode: 0, out: ['{"eventId":"e"}'], errors: [] });
      expect(sent()).toMatchObject({
        method: 'POST',
        headers: { 'x-api-key': 'sk_reader', 'idempotency-key': expect.any(String) },
        body: { type: 'custom', data: { from: 'input' }, sandboxId: 'box' },
      });
    });

    it('needs no sandbox with an access token, and with a key says that it does', async () => {
      expect((await run(['--access-token', 'jwt', 'send', '--type', 'custom'], env)).exitCode).toBe(0);
      expect(sent()?.headers['authorization']).toBe('Bearer jwt');
      expect(sent()?.headers['x-api-key']).toBeUndefined();
      expect(sent()?.body).toEqual({ type: 'custom', data: {} });
      const { exitCode, errors } = await run(['send', '--type', 'custom'], env);
      expect([exitCode, errors]).toEqual([2, [expect.stringContaining('--sandbox')]]);
    });

    it('prefers a key on the command line to the token of the environment', async () => {
      const from = { ...env, SLUICE_ACCESS_TOKEN: 'jwt' };
      await run(['--api-key', 'sk_flag', 'send', '--sandbox', 'b', '--type', 'custom'], from);
      expect(sent()?.headers['x-api-key']).toBe('sk_flag');
      expect(sent()?.headers['authorization']).toBeUndefined();
    });

    it.each([
      [[], 'sk_dev'],
      [['--workspace', '1'], 'sk_dev'],
      [['--workspace', '2'], 'sk_operator'],
    ])('%j takes the key of the development server that opens the workspace', async (args, key) => {
      await run(['send', '--sandbox', 'b', '--type', 'custom', ...args], devFile(dev()));
      expect(sent()?.headers['x-api-key']).toBe(key);
    });

    it('can be repeated with the same key', async () => {
      await run(['send', '--sandbox', 'b', '--type', 'custom', '--idempotency-key', 'mine'], env);
      expect(sent()?.headers['idempotency-key']).toBe('mine');
    });

    it('tells when the event cannot be read yet', async () => {
      script = (_, response) => answer(response, 202, { success: true, data: { eventId: 'e' } });
      const result = await run(['send', '--sandbox', 'b', '--type', 'custom'], env);
      expect(result).toMatchObject({ exitCode: 0, errors: [expect.stringContaining('not readable yet')] });
    });

    it('that was broken off is no success', async () => {
      const terminal = new TestTerminal();
      script = () => terminal.stop();
      const result = await run(['send', '--sandbox', 'b', '--type', 'custom'], env, terminal);
      expect(result).toEqual({ exitCode: 130, out: [], errors: [] });
    });
  });

  it('parked list reads every page', async () => {
    script = ({ target }, response) =>
      answer(
        response,
        200,
        target.includes('after=2')
          ? { parked: [{ parkedId: 3 }] }
          : { parked: [{ parkedId: 1 }, { parkedId: 2 }], nextAfter: 2 },
      );
    expect((await run(['parked', 'list', '--workspace', '4'], env)).out).toEqual(
      [1, 2, 3].map((n) => `{"parkedId":${n}}`),
    );
    expect(server.seen.map(({ target }) => target)).toEqual([
      '/v1/admin/parked?workspaceId=4&limit=100',
      '/v1/admin/parked?workspaceId=4&after=2&limit=100',
    ]);
  });

  it('parked replay goes on until all are done, and fails when some were refused', async () => {
    script = ({ body }, response) => {
      const result = { parkedId: body.after + 1, outcome: body.after === 0 ? 'replayed' : 'not_replayable' };
      answer(response, 200, {
        results: [result],
        refused: body.after === 0 ? 0 : 1,
        ...(body.after === 0 && { nextAfter: 9 }),
      });
    };
    const result = await run(['parked', 'replay', '--all'], env);
    expect(result.out).toEqual(['{"parkedId":1,"outcome":"replayed"}', '{"parkedId":10,"outcome":"not_replayable"}']);
    expect(result.exitCode).toBe(1);
    expect(result.errors).toEqual(['sluice: 1 of the records could not be replayed']);
    expect(server.seen.map(({ body }) => body)).toEqual([
      { all: true, after: 0 },
      { all: true, after: 9 },
    ]);
  });

  it('parked replay takes ids, but not both and not nothing', async () => {
    script = (_, response) => answer(response, 200, { results: [], refused: 0 });
    expect((await run(['parked', 'replay', '3', '4'], env)).exitCode).toBe(0);
    expect(server.seen[0]?.body).toEqual({ parkedIds: [3, 4] });
    for (const args of [[], ['3', '--all'], ['x'], ['0']]) {
      expect((await run(['parked', 'replay', ...args], env)).exitCode).toBe(2);
    }
    expect(server.seen).toHaveLength(1);
  });

  it('makes hostile text harmless without changing what it means', async () => {
    const parked = [{ parkedId: 1, detail: 'a\u001b[2J\u009b\u202e\u{e0001}' }];
    script = (_, response) => answer(response, 200, { parked });
    const { out } = await run(['parked', 'list'], env);
    expect(out).toEqual(['{"parkedId":1,"detail":"a\\u001b[2J\\u009b\\u202e\\udb40\\udc01"}']);
    expect(out.map((line) => JSON.parse(line))).toEqual(parked);
  });

  it('lag prints one line of JSON', async () => {
    script = (_, response) => answer(response, 200, { events: 3, lanes: [] });
    expect((await run(['lag'], env)).out).toEqual(['{"events":3,"lanes":[]}']);
  });

  it('prefers flags to the environment, and that to dev.json', async () => {
    script = (_, response) => answer(response, 200, { events: 0 });
    const dev = devFile({ baseUrl: server.url, adminKey: 'of the file' });
    const keyOf = async (args: string[], from: Environment) => {
      await run([...args, 'lag'], from);
      return server.seen.at(-1)?.headers['x-api-key'];
    };
    expect(await keyOf([], dev)).toBe('of the file');
    expect(await keyOf([], { ...dev, SLUICE_ADMIN_KEY: 'of the environment' })).toBe('of the environment');
    expect(await keyOf(['--admin-key', 'of the flag'], { ...dev, SLUICE_ADMIN_KEY: 'x' })).toBe('of the flag');
    expect(await keyOf(['--url', `${server.url}/`], dev)).toBe('of the file');
  });

  it('never sends the keys of dev.json to another server', async () => {
    const dev = devFile({ baseUrl: 'http://127.0.0.1:1', adminKey: 'of the file' });
    const { exitCode, errors } = await run(['lag'], { ...dev, SLUICE_URL: server.url });
    expect(exitCode).toBe(1);
    expect(errors).toEqual([expect.stringContaining('SLUICE_ADMIN_KEY')]);
    expect(server.seen).toEqual([]);
  });

  describe('a fault is one line on standard error', () => {
    const fault = async (args: string[], from: Environment = env) => {
      const { exitCode, out, errors } = await run(args, from);
      expect(out).toEqual([]);
      expect(errors).toHaveLength(1);
      expect(errors[0]).not.toContain('\n');
      return { exitCode, line: errors[0] };
    };

    it.each([
      [403, { success: false, error: 'not allowed', code: 'forbidden' }, 'sluice: not allowed (403 forbidden)'],
      [
        400,
        { error: 'is wrong', code: 'invalid_request', where: 'body.x' },
        'sluice: is wrong at body.x (400 invalid_request)',
      ],
      [500, 'text\u001b[2J', 'sluice: The server answered 500: "text\\u001b[2J"'],
      [400, { error: 'a\u001b[2Jb\nc' }, 'sluice: a\\u{1b}[2Jb\\u{a}c (400)'],
      [200, [1], /is it Sluice/],
    ])('when the server answers %d', async (status, body, line) => {
      script = (_, response) => answer(response, status, body);
      const result = await fault(['lag']);
      expect(result.exitCode).toBe(1);
      expect(result.line).toMatch(line);
    });

    it('when nobody answers', async () => {
      await server.close();
      expect(await fault(['lag'])).toEqual({
        exitCode: 1,
        line: expect.stringMatching(/does not answer: .*ECONNREFUSED/),
      });
      server = await scriptedServer(() => undefined);
    });

    it('when there is no server to talk to', async () => {
      const result = await fault(['lag'], {});
      expect(result).toEqual({ exitCode: 1, line: expect.stringMatching(/\/nowhere\/dev.json does not exist/) });
    });

    it('when dev.json is broken, or the URL is none', async () => {
      writeFileSync(join(folder, 'dev.json'), '{');
      expect((await fault(['lag'], { SLUICE_DATA_DIR: folder })).line).toContain('dev.json');
      expect((await fault(['lag'], { SLUICE_URL: 'ftp://x' })).line).toContain('ftp://x');
    });

    it('when a key cannot stand in a header, without repeating it', async () => {
      const result = await fault(['lag'], { ...env, SLUICE_ADMIN_KEY: 'secret\u0000' });
      expect(result.line).not.toContain('secret');
    });

    it('when data is no JSON', async () => {
      expect((await fault(['send', '--sandbox', 'b', '--type', 't', '--data', '{'])).exitCode).toBe(2);
    });
  });
});
