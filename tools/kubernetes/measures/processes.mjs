import { readdirSync, readFileSync } from 'node:fs';
import { residentBytesOf } from '../../bench/process-usage.mjs';

/** Linux counts processor time in hundredths of a second for every program, whatever the kernel's own tick is. */
const TICK_US = 10_000;
const PAGE_BYTES = 4096;
const FIELD = { parent: 1, user: 11, system: 12, childrenUser: 13, childrenSystem: 14 };

function statOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the program's name in brackets, which may hold anything.
  return stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
}

function childrenOf(parent) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return statOf(pid)[FIELD.parent] === parent;
      } catch {
        return false;
      }
    });
}

/** Microseconds of processor time of a process and its children, with those that have ended. */
function cpuUsOfTree(pid) {
  const own = statOf(pid);
  const ticks = (stat) => stat[FIELD.user] + stat[FIELD.system];
  const ended = own[FIELD.childrenUser] + own[FIELD.childrenSystem];
  const children = childrenOf(pid).reduce((total, child) => {
    try {
      return total + ticks(statOf(child));
    } catch {
      return total;
    }
  }, 0);
  return (ticks(own) + ended + children) * TICK_US;
}

/** @returns {Record<string, number>} processor time since their start in µs: the apps' processes and the brokers */
export function cpuUsOf({ apps, brokers }) {
  const trees = { kafka: brokers.kafkaPid, nats: brokers.natsPid, postgres: brokers.postgresPid };
  for (const { name, pid } of Object.values(apps)) if (pid !== undefined) trees[name] = pid;
  return Object.fromEntries(Object.entries(trees).map(([name, pid]) => [name, cpuUsOfTree(pid)]));
}

/**
 * What the processes took while something was done.
 *
 * @template T
 * @param {object} cluster @param {() => Promise<T>} work
 * @returns {Promise<{ cpuUs: Record<string, number>, seconds: number, result: T }>}
 */
export async function during(cluster, work) {
  const before = cpuUsOf(cluster);
  const beganAt = performance.now();
  const result = await work();
  const seconds = (performance.now() - beganAt) / 1000;
  const after = cpuUsOf(cluster);
  const cpuUs = Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - (before[name] ?? 0)]));
  return { cpuUs, seconds, result };
}

export const openFilesOf = (pid) => readdirSync(`/proc/${pid}/fd`).length;

/** Resident memory in bytes of each app, Kafka and NATS; the processes of PostgreSQL share theirs. */
export function memoryOf({ apps, brokers }) {
  const named = { kafka: brokers.kafkaPid, nats: brokers.natsPid };
  for (const { name, pid } of Object.values(apps)) if (pid !== undefined) named[name] = pid;
  return Object.fromEntries(Object.entries(named).map(([name, pid]) => [name, residentBytesOf(pid)]));
}

/** Memory that the kernel has for all sockets of this machine: buffers in use, and its own objects (slab). */
export function kernelBytes() {
  const buffers = /^TCP: .* mem (\d+)/m.exec(readFileSync('/proc/net/sockstat', 'latin1'));
  const slab = /^Slab:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'latin1'));
  return { bufferBytes: Number(buffers?.[1]) * PAGE_BYTES, slabBytes: Number(slab?.[1]) * 1024 };
}
