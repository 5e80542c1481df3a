import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment } from './config';
import { cuttableProxy, type CuttableProxy } from './cuttable-proxy';
import type { Json } from './scripted-server';
import { until } from './until';

const WORKSPACE_ROOT = join(__dirname, '..', '..', '..');
const START_TIMEOUT_MS = 100_000;
const WORKSPACE = '7';

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  out(): string;
  errors(): string;
}

const children = new Set<ChildProcess>();

function start(script: string, args: readonly string[], settings: Record<string, string>): Running {
  const child = spawn(process.execPath, [join(WORKSPACE_ROOT, script), ...args], {
    cwd: tmpdir(),
    env: childEnvironment(settings),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let [out, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => {
    children.delete(child);
    return code as number | null;
  });
  return { child, ended, out: () => out, errors: () => errors };
}

/** Runs the command line to its end. */
async function sluice(args: readonly string[], settings: Record<string, string>) {
  const running = start('tools/sluice.mjs', args, settings);
  return { exitCode: await running.ended, out: running.out(), errors: running.errors() };
}

const linesOf = (text: string): Json[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

describe('the command line and the one-process app', () => {
  let dataDir: string;
  let server: Running;
  let proxy: CuttableProxy;
  let dev: Record<string, string>;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'sluice-cli-e2e-'));
    dev = { SLUICE_DATA_DIR: dataDir };
    server = start('apps/all-in-one/dist/main.js', [], {
      ...dev,
      SLUICE_ENGINE: 'memory',
      SLUICE_HTTP_PORT: '0',
      SLUICE_PUBSUB_PORT: '0',
      SLUICE_GATEWAY_PORT: '0',
    });
    const file = join(dataDir, 'dev.json');
    await until(
      () => {
        if (server.child.exitCode !== null) throw new Error(`the app ended: ${server.errors()}`);
        return existsSync(file);
      },
      'the app starts',
      START_TIMEOUT_MS,
    );
    proxy = await cuttableProxy(JSON.parse(await readFile(file, 'utf8')).baseUrl);
  });

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await proxy.close();
    await server.ended;
    await rm(dataDir, { recursive: true, force: true });
  });

  it('makes a key and a token, stores events, and shows each once across a lost connection (G2)', async () => {
    const made = await sluice(['key', 'create', '--workspace', WORKSPACE, '--role', 'reader', '--name', 'e2e'], dev);
    expect(made).toMatchObject({ exitCode: 0, errors: '' });
    const [key] = linesOf(made.out);
    expect(key).toEqual({ keyId: expect.any(String), apiKey: expect.stringMatching(/^sk_/), workspaceId: 7 });

    const minted = await sluice(['token', 'mint', '--workspace', WORKSPACE, '--sandbox', 'box', '--ttl', '60'], dev);
    expect(minted).toMatchObject({ exitCode: 0, errors: '' });
    const [token] = linesOf(minted.out);
    expect(token).toEqual({ accessToken: expect.any(String), expiresAt: expect.any(Number) });

    const send = async (n: number, type = 'custom.note') => {
      const settings = { ...dev, SLUICE_ACCESS_TOKEN: token.accessToken };
      const sent = await sluice(['send', '--type', type, '--data', JSON.stringify({ n })], settings);
      expect(sent).toMatchObject({ exitCode: 0 });
      expect(linesOf(sent.out)).toMatchObject([{ eventId: expect.any(String), sandboxId: 'box', type }]);
    };
    const tail = start('tools/sluice.mjs', ['tail', '--json', '--cursor', 'earliest', '--types', 'custom.*'], {
      SLUICE_URL: proxy.url,
      SLUICE_API_KEY: key.apiKey,
    });
    const seen = () => linesOf(tail.out()).map(({ data }) => data.n);
    await send(1);
    await until(() => seen().length === 1, 'the first event is shown');
    proxy.cut();
    await send(2, 'other');
    await send(3);
    await until(() => seen().length === 2, 'the second event is shown');
    expect(seen()).toEqual([1, 3]);
    expect(proxy.count()).toBeGreaterThan(1);
    expect(tail.errors()).toContain('connecting again');
    tail.child.kill('SIGINT');
    expect(await tail.ended).toBe(0);

    await until(async () => {
      const lag = await sluice(['lag'], dev);
      expect(lag).toMatchObject({ exitCode: 0, errors: '' });
      return linesOf(lag.out)[0].events === 0;
    }, 'the read model has caught up');
    expect(await sluice(['parked', 'list'], dev)).toEqual({ exitCode: 0, out: '', errors: '' });
  });

  it('ends the use of a key that is revoked', async () => {
    const made = await sluice(['key', 'create', '--workspace', WORKSPACE], dev);
    const [{ keyId, apiKey }] = linesOf(made.out);
    const revoked = await sluice(['key', 'revoke', keyId], dev);
    expect(linesOf(revoked.out)).toEqual([{ keyId, revoked: true }]);
    const refused = await sluice(['--api-key', apiKey, 'tail'], dev);
    expect(refused).toEqual({ exitCode: 1, out: '', errors: expect.stringMatching(/^sluice: .*\(401 .*\)\n$/) });
    expect(refused.errors).not.toContain(apiKey);
  });
});

describe('check-config', () => {
  // Each app loads all that it is made of before it answers.

  it('is answered by every app', async () => {
    const good = await sluice(['check-config'], { SLUICE_ENGINE: 'memory' });
    expect({ exitCode: good.exitCode, errors: good.errors }).toEqual({ exitCode: 0, errors: '' });
    for (const app of ['all-in-one', 'ingest', 'projector', 'pubsub-tcp', 'query', 'sse-stream']) {
      expect(good.out.split('\n')).toContain(`${app}: ok`);
    }
  });

  it('names the bad setting and repeats no secret', async () => {
    const bad = { SLUICE_ENGINE: 'memory', SLUICE_TOKEN_SECRETS: 'hunter2' };
    for (const app of ['all-in-one', 'ingest']) {
      const { exitCode, out, errors } = await sluice(['check-config', app], bad);
      expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' });
      expect(errors).toContain(`${app}: SLUICE_TOKEN_SECRETS: `);
      expect(errors).not.toContain('hunter2');
    }
  });
});
