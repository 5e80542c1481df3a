import { setTimeout as delay } from 'node:timers/promises';
import { during, memoryOf, openFilesOf } from './processes.mjs';

const WINDOW_MS = 20_000;

/** What each process takes while nothing happens. */
export async function measureIdle({ cluster, report }) {
  const { cpuUs, seconds } = await during(cluster, () => delay(WINDOW_MS));
  const memory = memoryOf(cluster);
  report(
    'idle',
    Object.keys(cpuUs).map((name) => ({
      process: name,
      MiB: memory[name] === undefined ? undefined : memory[name] / 2 ** 20,
      mCPU: cpuUs[name] / seconds / 1000,
      files: cluster.apps[name] && openFilesOf(cluster.apps[name].pid),
    })),
  );
  return Object.fromEntries(Object.entries(cpuUs).map(([name, us]) => [name, us / seconds]));
}
