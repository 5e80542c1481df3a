import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { SluiceError } from '@sluice/event-log';
import { checkConfig } from './index';

const FIXTURES = join(__dirname, '..', 'test', 'fixtures');

/** Runs the fixture app in a process of its own. */
function run(...args: string[]) {
  const node = ['--conditions=@sluice/source', '-r', join(FIXTURES, 'register.cjs'), join(FIXTURES, 'app.ts')];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

function check(readConfig: () => unknown) {
  const [lines, errors]: [string[], string[]] = [[], []];
  const exitCode = checkConfig(readConfig, {
    writeLine: (line) => void lines.push(line),
    writeError: (line) => void errors.push(line),
  });
  return { exitCode, lines, errors };
}

describe('checkConfig', () => {
  it('says ok of good settings', () => {
    expect(check(() => ({}))).toEqual({ exitCode: 0, lines: ['ok'], errors: [] });
  });

  it('names the bad setting in one line', () => {
    const result = check(() => {
      throw new SluiceError('configuration', 'Bad setting: SLUICE_X\n  must be a port');
    });
    expect(result).toEqual({ exitCode: 1, lines: [], errors: ['Bad setting: SLUICE_X must be a port'] });
  });

  it('leaves credentials out, whatever failed', () => {
    for (const error of [
      new SluiceError('configuration', 'SLUICE_DATABASE_URL postgresql://user:hunter2@host/db is no use'),
      new Error('connect postgresql://user:hunter2@host/db'),
    ]) {
      const result = check(() => {
        throw error;
      });
      expect(result.exitCode).toBe(1);
      expect(result.errors).toHaveLength(1);
      expect(result.errors[0]).not.toContain('hunter2');
    }
  });
});

describe('runApp in a process of its own', () => {
  it('creates nothing when it is asked to check', () => {
    expect(run('good', '--check-config')).toEqual({ status: 0, stdout: 'ok\n', stderr: '' });
    expect(run('bad', '--check-config')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'Bad setting: SLUICE_X must be good\n',
    });
  });

  it('creates the app with its configuration, or says why it cannot be read', () => {
    expect(run('good')).toEqual({
      status: 1,
      stdout: 'created with good\n',
      stderr: 'could not start: the fixture ends here\n',
    });
    expect(run('bad')).toEqual({ status: 1, stdout: '', stderr: 'Bad setting: SLUICE_X must be good\n' });
  });
});
