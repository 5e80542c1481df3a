import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clockEffect, untilClocksAreOff } from '../tools/faults/clocks';
import type { FaultBench, FaultClass, Ground } from '../tools/faults/fault-class';

/** Where distributions put it; the variant for programs with threads. */
const LIBRARIES = ['x86_64-linux-gnu', 'aarch64-linux-gnu', '.'].map(
  (folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`,
);
const JUMPS = ['+3600', '-3600'] as const;
/** How soon a process sees a jump, in seconds. */
const SEEN_AFTER_SECONDS = '1';

const library = (): string | undefined => LIBRARIES.find((path) => existsSync(path));
const needs = () => (library() === undefined ? 'libfaketime' : undefined);

/** The wall clock of a process is moved by what its file says; what measures durations goes on as before. */
const environmentOf = (file: string): Record<string, string> => ({
  LD_PRELOAD: library() ?? '',
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_CACHE_DURATION: SEEN_AFTER_SECONDS,
  DONT_FAKE_MONOTONIC: '1',
  FAKETIME_DONT_RESET: '1',
});

let folder = '';
const setClock = (name: string, seconds: string): Promise<void> => writeFile(join(folder, name), `${seconds}\n`);

async function prepareFolder(dataDir: string): Promise<void> {
  folder = `${dataDir}-clocks`;
  await mkdir(folder);
}

/** Each app has a clock of its own: a launcher gives it to each. */
async function prepareCluster(dataDir: string): Promise<Ground> {
  await prepareFolder(dataDir);
  const launcher = join(folder, 'launch');
  const settings = Object.entries(environmentOf(`${folder}/$name`)).map(([name, value]) => `export ${name}="${value}"`);
  const script = ['#!/bin/sh', 'name=$1; shift', `echo +0 > "${folder}/$name"`, ...settings, 'exec "$@"', ''];
  await writeFile(launcher, script.join('\n'));
  await chmod(launcher, 0o755);
  return { settings: { SLUICE_CLUSTER_LAUNCHER: launcher }, clear: async () => undefined };
}

/** Moves the clocks, lets events flow at the wrong time, and moves them back: a jump each way. */
async function jump(
  { trial }: FaultBench<unknown>,
  label: string,
  clocks: Readonly<Record<string, string>>,
  seconds: string,
): Promise<void> {
  const names = Object.keys(clocks);
  const urls = Object.values(clocks);
  const move = async (by: string) => {
    for (const name of names) await setClock(name, by);
    return untilClocksAreOff(urls, Number(by));
  };
  await trial.round(label, async () => {
    const offsets = await move(seconds);
    await trial.flow();
    const back = await move('+0');
    return [clockEffect(offsets, Number(seconds)), clockEffect(back, 0)];
  });
}

/** Clocks that jump by an hour, forward and back, of one process and of all: order and exactly-once rest on none of them. */
export const clockJumps: FaultClass = {
  name: 'clock-jumps',
  what: 'the wall clock of each process of the apps jumps by an hour, forward and back, then that of all',
  cluster: {
    rounds: 2,
    needs,
    prepare: prepareCluster,
    run: async (bench) => {
      const processes = Object.entries(await bench.system.processes());
      const clocks = Object.fromEntries(processes.map(([name, { url }]) => [name, url]));
      for (let round = 1; round <= bench.rounds; round++) {
        for (const seconds of JUMPS) {
          for (const [name, url] of Object.entries(clocks)) {
            await jump(bench, `${name} ${seconds} ${round}`, { [name]: url }, seconds);
          }
          await jump(bench, `all ${seconds} ${round}`, clocks, seconds);
        }
      }
    },
  },
  embedded: {
    rounds: 5,
    needs,
    prepare: async (dataDir) => {
      await prepareFolder(dataDir);
      await setClock('all', '+0');
      return { settings: environmentOf(join(folder, 'all')), clear: async () => undefined };
    },
    run: async (bench) => {
      for (let round = 1; round <= bench.rounds; round++) {
        const clocks = { all: bench.system.dev().baseUrl };
        for (const seconds of JUMPS) await jump(bench, `${seconds} ${round}`, clocks, seconds);
      }
    },
  },
};
