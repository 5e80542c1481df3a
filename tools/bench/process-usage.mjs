import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const GC_TIMEOUT_MS = 20_000;
const GC_PAUSE_MS = 250;
/** Resident memory keeps still when it changes by no more than this part between two collections. */
const STILL_SHARE = 0.002;
const MAX_READINGS = 10;
const POLL_MS = 20;
/** Linux counts processor time in hundredths of a second for every program, whatever the kernel's own tick is. */
const TICK_MS = 10;
const USER_TIME_FIELD = 11;
const SYSTEM_TIME_FIELD = 12;

/**
 * Processor time that processes have taken since they began, in milliseconds; undefined where there is no `/proc`.
 *
 * @param {readonly number[]} pids
 * @returns {number | undefined}
 */
export function cpuMsOf(pids) {
  try {
    return pids.reduce((total, pid) => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The second field is the program's name in brackets, which may hold anything.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return total + (Number(fields[USER_TIME_FIELD]) + Number(fields[SYSTEM_TIME_FIELD])) * TICK_MS;
    }, 0);
  } catch {
    return undefined;
  }
}

/** Resident memory of a process in bytes, as the operating system sees it. */
export function residentBytesOf(pid) {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024;
}

/**
 * What a process holds when its garbage is collected: collected again and again until the resident memory keeps still,
 * for free pages go back to the system only by and by. The process must have been started with `gc-hook.mjs` and
 * `--expose-gc`.
 *
 * @param {number} pid
 * @param {string} gcFolder the one that the hook was given
 * @returns {Promise<{ residentBytes: number, heapBytes: number, externalBytes: number }>} resident: asked of the system;
 *   heap and external: what JavaScript itself says
 */
export async function memoryAfterGc(pid, gcFolder) {
  let before = Infinity;
  for (let reading = 1; ; reading += 1) {
    const { heapUsed, external } = await collectGarbage(pid, join(gcFolder, `${pid}.json`));
    await delay(GC_PAUSE_MS);
    const residentBytes = residentBytesOf(pid);
    const isStill = Math.abs(residentBytes - before) <= STILL_SHARE * residentBytes;
    if (isStill || reading === MAX_READINGS) return { residentBytes, heapBytes: heapUsed, externalBytes: external };
    before = residentBytes;
  }
}

async function collectGarbage(pid, file) {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  const deadline = Date.now() + GC_TIMEOUT_MS;
  for (;;) {
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      if (error.code !== 'ENOENT' || Date.now() > deadline) throw error;
    }
    await delay(POLL_MS);
  }
}
