import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@sluice/event-log/conformance';
import type { BrokerName, ClusterSystem, EmbeddedSystem } from '../../e2e/system';
import type { Effect } from './effect';

/** Processes by name. */
export type Pids = Readonly<Record<string, number>>;

/** Longer than the greatest pause before an app that ended is started again (10 s). */
const GONE_TIMEOUT_MS = 20_000;
const POLL_MS = 100;

/**
 * The processes of the apps, or the one process. Waits for those that are on their way back.
 * @throws Error with the names of those that do not come back, for instance because their port was taken
 */
export async function appPids(
  system: Pick<ClusterSystem, 'engine' | 'processes'> | Pick<EmbeddedSystem, 'engine' | 'pid'>,
  timeoutMs = GONE_TIMEOUT_MS,
): Promise<Pids> {
  if (system.engine === 'embedded') return { 'all-in-one': system.pid };
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const processes = Object.entries(await system.processes());
    const away = processes.filter(([, { pid }]) => pid === undefined).map(([name]) => name);
    if (away.length === 0) return Object.fromEntries(processes.map(([name, { pid }]) => [name, pid ?? 0]));
    if (performance.now() >= deadline) throw new Error(`not running, see its log: ${away.join(', ')}`);
    await pause(POLL_MS);
  }
}

/** Whether a process is one of an app: from the second replica on its name has a number. */
export function isReplicaOf(app: string, name: string): boolean {
  return name.replace(/-\d$/, '') === app;
}

/** Does what ends processes of apps and brings others in their place; shows that it did, for each that is named. */
export function replaceApps(
  system: ClusterSystem | EmbeddedSystem,
  isMeant: (name: string) => boolean,
  work: () => Promise<unknown>,
): Promise<readonly Effect[]> {
  const pidsOf = async () => Object.entries(await appPids(system)).filter(([name]) => isMeant(name));
  return replace(async () => Object.fromEntries(await pidsOf()), work);
}

/** The same for a broker. */
export function replaceBroker(
  system: ClusterSystem,
  broker: BrokerName,
  work: () => Promise<unknown>,
): Promise<readonly Effect[]> {
  return replace(async () => ({ [broker]: (await system.brokers()).pids[broker] }), work);
}

async function replace(pidsOf: () => Promise<Pids>, work: () => Promise<unknown>): Promise<readonly Effect[]> {
  const before = await pidsOf();
  await work();
  return replacements(before, await pidsOf(), isAlive);
}

/** Whether each process of before is gone and another one is in its place. */
export function replacements(before: Pids, after: Pids, isThere: (pid: number) => boolean): readonly Effect[] {
  return Object.entries(before).map(([name, pid]) => {
    const isReplaced = after[name] !== undefined && after[name] !== pid && !isThere(pid);
    return { what: `${name} replaced`, count: isReplaced ? 1 : 0 };
  });
}

/** Ends a process that may have ended by itself; resolves when it is gone. */
export async function endProcess(pid: number): Promise<void> {
  signal(pid, 'SIGKILL');
  await until(() => !isAlive(pid), `process ${pid} is gone`, GONE_TIMEOUT_MS);
}

function isAlive(pid: number): boolean {
  return signal(pid, 0);
}

/** False where there is no such process any more. */
function signal(pid: number, what: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, what);
  } catch {
    return false;
  }
}

/** Whether a process is stopped (SIGSTOP), as the kernel sees it. */
export async function isStopped(pid: number): Promise<boolean> {
  return stateIn(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')) === 'T';
}

/** The letter of the state in a `/proc/PID/stat`; the name before it may contain anything. */
export function stateIn(stat: string): string | undefined {
  return /^\d+ \(.*\) (\S)/s.exec(stat)?.[1];
}
