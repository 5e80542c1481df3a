import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { shortfalls } from './effect';
import { freeze } from './freeze';
import { notLinux } from './tools';

/** Where the states of processes cannot be seen, nothing is shown. */
const isShown = notLinux() === undefined;
const FROZEN_MS = 2_000;
let child: ChildProcess;

beforeEach(async () => {
  child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1_000)']);
  await once(child, 'spawn');
});

afterEach(() => child.kill('SIGKILL'));

describe('freeze', () => {
  it('shows that the process stood still', async () => {
    expect(shortfalls(await freeze(child.pid ?? 0, FROZEN_MS))).toHaveLength(isShown ? 0 : 1);
  });

  it('shows that it did not, where it ended or was let go on meanwhile', async () => {
    const freezing = freeze(child.pid ?? 0, FROZEN_MS);
    child.kill('SIGCONT');
    expect(shortfalls(await freezing)).toHaveLength(1);
  });
});
