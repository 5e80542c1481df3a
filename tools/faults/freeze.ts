import { setTimeout as pause } from 'node:timers/promises';
import type { Effect } from './effect';
import { isStopped } from './processes';

const LOOK_INTERVAL_MS = 1_000;

/** Stops a process as it stands (SIGSTOP) for some seconds, then lets it go on; shows that it stood still all the time. */
export async function freeze(pid: number, frozenMs: number): Promise<readonly Effect[]> {
  const looks = Math.floor(frozenMs / LOOK_INTERVAL_MS);
  let stopped = 0;
  process.kill(pid, 'SIGSTOP');
  try {
    for (let look = 0; look < looks; look++) {
      await pause(LOOK_INTERVAL_MS);
      if (await isStopped(pid)) stopped++;
    }
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  return [{ what: 'seconds in state T', count: stopped, atLeast: looks }];
}
