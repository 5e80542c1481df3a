import { MAX_LOGGED_LINES, RunProcess, type RunProcessOptions } from './run-process';

const running: RunProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.end()));
});

/** A process of a script, and the lines of its standard error. */
function start(command: readonly string[], more: Partial<RunProcessOptions> = {}) {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const child = new RunProcess({
    command,
    environment: { PATH: '/usr/bin:/bin' },
    graceMs: 100,
    onLine: (line) => {
      lines.push(line);
      for (const wake of waiting) wake();
    },
    ...more,
  });
  running.push(child);
  const whenLines = async (count: number) => {
    while (lines.length < count) await new Promise<void>((resolve) => waiting.add(resolve));
    return lines;
  };
  return { child, lines, whenLines };
}
const script = (text: string) => start([process.execPath, '-e', text]);

describe('what a process writes to its standard error', () => {
  it('is told line by line', async () => {
    const { child, whenLines } = script(
      String.raw`process.stderr.write('one\ntwo\r\n\nthr'); process.stderr.write('ee ü\nend')`,
    );
    expect(await child.ended).toBe('ended with code 0');
    expect(await whenLines(5)).toEqual(['one', 'two', '', 'three ü', 'end']);
  });

  it('is told by its beginning and held no longer where a line does not end', async () => {
    const { whenLines } = script(`process.stderr.write('x'.repeat(5_000_000)); setInterval(() => {}, 1_000)`);
    expect(await whenLines(1)).toEqual(['x'.repeat(1_000)]);
  });

  it('goes on to be told after a line that was too long', async () => {
    const { whenLines } = script(String.raw`process.stderr.write('x'.repeat(100_000) + '\nnext\n')`);
    expect(await whenLines(2)).toEqual(['x'.repeat(1_000), 'next']);
  });

  it('is dropped beyond so many lines, and does not stop the process', async () => {
    const { child, lines } = script(String.raw`process.stderr.write('a\n'.repeat(1_000_000))`);
    expect(await child.ended).toBe('ended with code 0');
    expect(lines).toHaveLength(MAX_LOGGED_LINES);
  });
});

const NOBODY = 65_534;

/** Only root may run programs as somebody else. */
const isRoot = process.getuid?.() === 0;

it('runs as another user where one is set, who cannot read the environment of the server', async () => {
  const command = ['/bin/sh', '-c', 'id -u >&2; id -g >&2; id -G >&2; cat /proc/$PPID/environ > /dev/null'];
  const { child, whenLines } = start(command, { user: { uid: NOBODY, gid: NOBODY } });
  expect(await child.ended).toBe(isRoot ? 'ended with code 1' : 'could not be started');
  if (!isRoot) return;
  const lines = await whenLines(4);
  expect(lines.slice(0, 3)).toEqual([`${NOBODY}`, `${NOBODY}`, `${NOBODY}`]);
  expect(lines[3]).toContain('Permission denied');
});

it('ends the process of another user', async () => {
  const { child, whenLines } = start(['/bin/sh', '-c', 'trap "" TERM; echo up >&2; while :; do sleep 1; done'], {
    ...(isRoot && { user: { uid: NOBODY, gid: NOBODY } }),
  });
  await whenLines(1);
  await child.end();
  expect(await child.ended).toBe('ended by SIGKILL');
});
