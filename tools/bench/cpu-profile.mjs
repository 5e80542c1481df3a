import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** The process waits for something to do, or for its end. `(program)` is native code, so it counts. */
const IDLE = new Set(['(idle)', '(root)']);
/** Processes with less to do than this part of the time are not worth a list. */
const MIN_BUSY_SHARE = 0.02;

/**
 * Where the time of a profile went, by the function that was running itself.
 *
 * @param {{ startTime: number, nodes: { id: number, callFrame: { functionName: string, url: string,
 *   lineNumber: number } }[], samples: number[], timeDeltas: number[] }} profile as `--cpu-prof` writes it: microseconds, on
 *   the clock of `nowMs`
 * @param {{ fromMs: number, toMs: number }} window the part that counts
 * @returns {{ totalMs: number, busyMs: number, functions: { name: string, place: string, selfMs: number }[] }} functions
 *   by falling time; `(garbage collector)` and `(program)` are among them, idle time is not
 */
export function selfTimes({ startTime, nodes, samples, timeDeltas }, { fromMs, toMs }) {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byPlace = new Map();
  let totalMs = 0;
  let busyMs = 0;
  let atMs = startTime / 1000;
  for (const [index, id] of samples.entries()) {
    const selfMs = timeDeltas[index] / 1000;
    atMs += selfMs;
    if (atMs < fromMs || atMs > toMs) continue;
    const { functionName, url, lineNumber } = frames.get(id);
    totalMs += selfMs;
    if (IDLE.has(functionName)) continue;
    busyMs += selfMs;
    const name = functionName || '(anonymous)';
    const place = url === '' ? '' : `${shortPlace(url)}:${lineNumber + 1}`;
    const entry = byPlace.get(`${name} ${place}`) ?? { name, place, selfMs: 0 };
    entry.selfMs += selfMs;
    byPlace.set(`${name} ${place}`, entry);
  }
  return { totalMs, busyMs, functions: [...byPlace.values()].sort((a, b) => b.selfMs - a.selfMs) };
}

/** The package and the file, without the folders above. */
function shortPlace(url) {
  const path = url.replace(/^file:\/\//, '');
  const inPackage = path.lastIndexOf('/node_modules/');
  if (inPackage !== -1) return path.slice(inPackage + '/node_modules/'.length);
  return /(?:apps|libs|tools)\/.*$/.exec(path)?.[0] ?? path;
}

/**
 * Prints the busiest functions of each process whose profile is in the folder, measure by measure.
 *
 * @param {string} folder
 * @param {{ windows: { name: string, fromMs: number, toMs: number }[], top?: number, print: (line: string) => void }} how
 */
export async function printProfiles(folder, { windows, top = 20, print }) {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile')).sort();
  for (const file of files) {
    const profile = JSON.parse(await readFile(join(folder, file), 'utf8'));
    for (const window of windows) {
      const { totalMs, busyMs, functions } = selfTimes(profile, window);
      if (busyMs < MIN_BUSY_SHARE * totalMs) continue;
      const share = ((busyMs / totalMs) * 100).toFixed(0);
      print(
        `\n${window.name}, ${basename(file, '.cpuprofile')}: busy ${share} % of ${(totalMs / 1000).toFixed(1)} s, of which`,
      );
      for (const { name, place, selfMs } of functions.slice(0, top)) {
        print(`  ${((selfMs / busyMs) * 100).toFixed(1).padStart(5)} %  ${name}  ${place}`);
      }
    }
  }
}
