import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { checkConfig } from '../src/commands/check-config';
import { childEnvironment } from './config';
import {
  answer,
  beginStream,
  frame,
  recorded,
  scriptedServer,
  type Script,
  type ScriptedServer,
} from './scripted-server';
import { TestTerminal } from './test-terminal';

const WORKSPACE_ROOT = join(__dirname, '..', '..', '..');

/** The first run may have to build the command line. */

describe('node tools/sluice.mjs', () => {
  let script: Script;
  let server: ScriptedServer;
  beforeEach(async () => {
    server = await scriptedServer((request, response) => script(request, response));
  });
  afterEach(() => server.close());

  const start = (...args: string[]): ChildProcessByStdio<null, Readable, Readable> =>
    spawn(process.execPath, [join(WORKSPACE_ROOT, 'tools', 'sluice.mjs'), ...args], {
      cwd: WORKSPACE_ROOT,
      env: childEnvironment({ SLUICE_URL: server.url, SLUICE_API_KEY: 'sk_r', SLUICE_ADMIN_KEY: 'sk_a' }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  async function textOf(stream: Readable): Promise<string> {
    let text = '';
    for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString('utf8');
    return text;
  }

  it('prints JSON alone on standard output', async () => {
    script = (_, response) => answer(response, 201, { keyId: 'k', apiKey: 'sk_x', workspaceId: 1 });
    const child = start('key', 'create', '--workspace', '1');
    const [text, [code]] = await Promise.all([textOf(child.stdout), once(child, 'close')]);
    expect(text).toBe('{"keyId":"k","apiKey":"sk_x","workspaceId":1}\n');
    expect(code).toBe(0);
  });

  it('says what is wrong on standard error, and with its exit code', async () => {
    script = (_, response) => answer(response, 403, { error: 'not allowed', code: 'forbidden' });
    for (const [args, exitCode, words] of [
      [['lag'], 1, 'sluice: not allowed (403 forbidden)\n'],
      [['key', 'create'], 2, "sluice: required option '--workspace <number>' not specified\n"],
    ] as const) {
      const child = start(...args);
      const [out, errors, [code]] = await Promise.all([
        textOf(child.stdout),
        textOf(child.stderr),
        once(child, 'close'),
      ]);
      expect({ out, errors, code }).toEqual({ out: '', errors: words, code: exitCode });
    }
  });

  it('tail ends cleanly on SIGINT', async () => {
    script = (_, response) => {
      beginStream(response);
      response.write(frame('c1', 'custom', recorded(1)));
    };
    const child = start('tail');
    const errors = textOf(child.stderr);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    child.stdout.resume();
    const [code, signal] = await once(child, 'close');
    expect({ code, signal, errors: await errors }).toEqual({ code: 0, signal: null, errors: '' });
  });

  it('tail ends cleanly when nobody reads on', async () => {
    script = (_, response) => {
      beginStream(response);
      const event = frame('c1', 'custom', recorded(1, { data: { filler: 'x'.repeat(10_000) } }));
      const write = (): void => {
        while (!response.destroyed && response.write(event));
      };
      response.on('drain', write);
      write();
    };
    const child = start('tail');
    const errors = textOf(child.stderr);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code, signal] = await once(child, 'close');
    expect({ code, signal, errors: await errors }).toEqual({ code: 0, signal: null, errors: '' });
  });
});

describe('check-config', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sluice-apps-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const app = (name: string, main: string): void => {
    mkdirSync(join(folder, name, 'dist'), { recursive: true });
    writeFileSync(join(folder, name, 'dist', 'main.js'), main);
  };
  const good = "if (process.argv[2] === '--check-config') console.log('ok');";
  const bad = "console.error('Bad setting: SLUICE_X\\u001b[2J'); process.exitCode = 1;";

  it('asks the app itself', async () => {
    app('good', good);
    app('bad', bad);
    mkdirSync(join(folder, 'unbuilt'));
    const terminal = new TestTerminal();
    await checkConfig(terminal, folder, 'good');
    expect(terminal.out).toEqual(['good: ok']);
    await expect(checkConfig(terminal, folder, 'bad')).rejects.toThrow('1 of 1');
    expect(terminal.errors).toEqual(['bad: Bad setting: SLUICE_X\\u{1b}[2J']);
    await expect(checkConfig(terminal, folder, 'unbuilt')).rejects.toThrow('npm run build');
    await expect(checkConfig(terminal, folder, '../good')).rejects.toMatchObject({ exitCode: 2 });
  });

  it('asks all apps that are built, and does not mistake a silent one for a good one', async () => {
    app('good', good);
    app('silent', '');
    mkdirSync(join(folder, 'unbuilt'));
    const terminal = new TestTerminal();
    await expect(checkConfig(terminal, folder)).rejects.toThrow('1 of 2');
    expect(terminal.out).toEqual(['good: ok']);
    expect(terminal.errors).toEqual(['silent: does not answer to --check-config']);
  });
});
