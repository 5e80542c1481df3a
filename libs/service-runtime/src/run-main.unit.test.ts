import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { gate, keptLogger, until } from '../test/harness';
import { SluiceError } from '@sluice/event-log';
import { runMain, type MainHost, type Service } from './index';
import { CREATION_GRACE_MS, describeFailure } from './run-main';

const FIXTURES = join(__dirname, '..', 'test', 'fixtures');

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  stdout(): string;
  stderr(): string;
  /** The URL, when started. */
  url(): Promise<string>;
}

const children = new Set<ChildProcess>();
afterAll(() => children.forEach((child) => child.kill('SIGKILL')));

function run(behaviour: string, port = 0): Running {
  const args = ['--conditions=@sluice/source', '-r', join(FIXTURES, 'register.cjs'), join(FIXTURES, 'main.ts')];
  const child = spawn(process.execPath, [...args, behaviour, String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      children.delete(child);
      resolve(code);
    });
  });
  const foundUrl = () => /"url":"([^"]+)"/.exec(stdout)?.[1];
  const url = async () => {
    await until(() => foundUrl() !== undefined || child.exitCode !== null);
    return foundUrl() ?? `did not start: ${stderr}`;
  };
  return { child, exited, stdout: () => stdout, stderr: () => stderr, url };
}

describe('runMain in a process of its own', () => {
  /** Told to stop while it is being created. The grace for that passes beside the other tests. */
  let hanging: Running;
  beforeAll(async () => {
    hanging = run('hanging-creation');
    await until(() => hanging.stdout().includes('creating'));
    hanging.child.kill('SIGTERM');
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('drains and exits 0 on %s', async (signal) => {
    const running = run('good');
    expect((await fetch(`${await running.url()}/health`)).status).toBe(200);
    running.child.kill(signal);
    expect(await running.exited).toBe(0);
    expect(running.stdout()).toContain('"message":"stopped"');
    expect(running.stderr()).toBe('');
  });

  it('exits 1 at once on the second signal', async () => {
    const running = run('stuck');
    await running.url();
    running.child.kill('SIGTERM');
    await until(() => running.stdout().includes('"message":"draining"'));
    running.child.kill('SIGTERM');
    expect(await running.exited).toBe(1);
    expect(running.stdout()).not.toContain('"message":"stopped"');
  });

  it.each([
    ['throw', 'thrown aside'],
    ['reject', 'rejected aside'],
  ])('logs what nobody caught (%s) and exits 1', async (path, message) => {
    const running = run('good');
    const url = await running.url();
    await fetch(`${url}/${path}`).catch(() => undefined);
    expect(await running.exited).toBe(1);
    const fatal = running
      .stdout()
      .split('\n')
      .find((line) => line.includes('"message":"fatal"'));
    expect(fatal).toContain(message);
  });

  it.each([
    ['bad-settings', 'Bad setting: SLUICE_X is missing\n'],
    ['bad-start', 'could not start: first line with nats://[redacted]@host\n'],
  ])('tells a failed start (%s) in one line and exits 1', async (behaviour, line) => {
    const running = run(behaviour);
    expect(await running.exited).toBe(1);
    expect(running.stderr()).toBe(line);
  });

  it('tells a taken port in one line and exits 1', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const running = run('good', port);
    expect(await running.exited).toBe(1);
    expect(running.stderr()).toBe(`port ${port} is taken: set SLUICE_HTTP_PORT\n`);
    await new Promise((resolve) => other.close(resolve));
  });

  it('ends on SIGTERM although its creation hangs', async () => {
    expect(await hanging.exited).toBe(0);
    expect(hanging.stderr()).toBe('stopped while it was being created\n');
  });
});

describe('runMain told to stop early', () => {
  function fakeHost() {
    const listeners = new Map<string, (reason: unknown) => void>();
    const exits: number[] = [];
    const lines: string[] = [];
    const host: MainHost = {
      on: (event, listener) => void listeners.set(event, listener),
      exit: (code) => void exits.push(code),
      writeError: (line) => void lines.push(line),
    };
    return { host, exits, lines, signal: () => listeners.get('SIGTERM')?.(undefined) };
  }

  it('destroys a service that was still being created', async () => {
    const held = gate();
    const calls: string[] = [];
    const { host, exits, lines, signal } = fakeHost();
    const service: Service = {
      logger: keptLogger().logger,
      start: async () => {
        calls.push('start');
        return { url: '', aliasUrls: [] };
      },
      destroy: async () => void calls.push('destroy'),
    };
    const ran = runMain(async () => {
      await held.opened;
      return service;
    }, host);
    signal();
    expect(exits).toEqual([]);
    held.open();
    await ran;
    expect([calls, exits, lines]).toEqual([['destroy'], [0], []]);
  });

  describe('while the creation goes on', () => {
    beforeEach(() => void jest.useFakeTimers());
    afterEach(() => void jest.useRealTimers());

    it('exits 0 when it takes longer than the grace for it', () => {
      const { host, exits, lines, signal } = fakeHost();
      void runMain(() => new Promise<Service>(() => undefined), host);
      signal();
      jest.advanceTimersByTime(CREATION_GRACE_MS - 1);
      expect(exits).toEqual([]);
      jest.advanceTimersByTime(1);
      expect([exits, lines]).toEqual([[0], ['stopped while it was being created']]);
    });

    it('exits 1 at once on the second signal', () => {
      const { host, exits, signal } = fakeHost();
      void runMain(() => new Promise<Service>(() => undefined), host);
      signal();
      signal();
      expect(exits).toEqual([1]);
    });

    it('leaves the rest to the drain once it is created, and to the failure when it fails', async () => {
      for (const fails of [false, true]) {
        const { host, exits, lines, signal } = fakeHost();
        const [created, destroyed] = [gate(), gate()];
        const ran = runMain(async () => {
          await created.opened;
          if (fails) throw new Error('too late to matter');
          return {
            logger: keptLogger().logger,
            start: () => Promise.reject(new Error('never called')),
            destroy: () => destroyed.opened,
          };
        }, host);
        signal();
        created.open();
        await jest.advanceTimersByTimeAsync(CREATION_GRACE_MS);
        expect(exits).toEqual(fails ? [0] : []);
        destroyed.open();
        await ran;
        expect(exits).toEqual([0]);
        expect(lines).toEqual(fails ? ['could not start: too late to matter'] : []);
      }
    });
  });
});

describe('describeFailure', () => {
  const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });

  it.each<[string, unknown, string]>([
    [
      'bad configuration as it is',
      new SluiceError('configuration', 'SLUICE_X is bad', { cause: refused }),
      'SLUICE_X is bad',
    ],
    [
      'an error of ours with its cause',
      new SluiceError('log_unavailable', 'no log', { cause: new Error('refused\n  by kafka://u:pw@k:9092') }),
      'could not start: no log (refused by kafka://[redacted]@k:9092)',
    ],
    [
      'a cause without a message by its code',
      new SluiceError('read_model_unavailable', 'no database', { cause: refused }),
      'could not start: no database (ECONNREFUSED)',
    ],
    ['an error of ours alone', new SluiceError('internal', 'odd'), 'could not start: odd'],
    ['any other error', new Error('spawn x ENOENT'), 'could not start: spawn x ENOENT'],
    ['an error without a message', new TypeError(), 'could not start: TypeError'],
    ['what is no error', 7, 'could not start: 7'],
  ])('tells %s', (_, error, line) => {
    expect(describeFailure(error)).toBe(line);
  });
});
