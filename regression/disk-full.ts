import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { BrokerName, System } from '../e2e/system';
import { SmallDisk } from '../tools/faults/disks';
import type { FaultBench, FaultClass } from '../tools/faults/fault-class';
import { missingTools } from '../tools/faults/tools';

const FULL_MS = 5_000;
const UPLOAD_BYTES = 4_000_000;
/** Room for what each makes in a run, and not much more. */
const SIZES = { kafka: '400m', nats: '200m', postgres: '400m' } as const satisfies Record<BrokerName, string>;
const FILES_SIZE = '16m';
const ALL_SIZE = '600m';

const BROKERS: readonly BrokerName[] = ['kafka', 'nats', 'postgres'];
const disks = new Map<string, SmallDisk>();

/** Fills a disk for a while, then makes room again. */
async function whileFull(name: string, andThen: () => Promise<void>): Promise<void> {
  const disk = disks.get(name);
  if (!disk) throw new Error(`there is no disk "${name}"`);
  await disk.fill();
  await pause(FULL_MS);
  await disk.free();
  await andThen();
}

/** The folder of files is full: an upload is refused and leaves nothing, and is taken when there is room again. */
async function uploadWhileFull(system: System, report: (fault: string) => void): Promise<void> {
  const disk = disks.get('files');
  await disk?.fill();
  const refused = await upload(system);
  if (refused < 500) report(`an upload to a full disk was answered with ${refused}`);
  await disk?.free();
  const taken = await upload(system);
  if (taken !== 200) report(`an upload was answered with ${taken} when there was room again`);
}

async function upload(system: System): Promise<number> {
  const { baseUrl, apiKey } = system.dev();
  const form = new FormData();
  form.set('file', new Blob([Buffer.alloc(UPLOAD_BYTES, 'x')]), 'file.txt');
  const headers = { 'x-api-key': apiKey };
  const response = await fetch(`${baseUrl}/v1/files`, { method: 'POST', headers, body: form });
  const text = await response.text();
  if (!response.ok) return response.status;
  const { id } = JSON.parse(text) as { readonly id: string };
  await (await fetch(`${baseUrl}/v1/files/${id}`, { method: 'DELETE', headers })).arrayBuffer();
  return response.status;
}

async function mountAll(folders: Readonly<Record<string, readonly [string, string]>>) {
  for (const [name, [folder, size]] of Object.entries(folders)) disks.set(name, await SmallDisk.mount(folder, size));
  return {
    clear: async () => {
      for (const disk of [...disks.values()].reverse()) await disk.unmount();
      disks.clear();
    },
  };
}

const needs = () => missingTools('mount', 'umount');

/** A disk is full: what cannot be kept is not acknowledged, and with room again (and the broker started again) all goes on. */
export const diskFull: FaultClass = {
  name: 'disk-full',
  what: 'the disk of each broker, and of uploaded files, is full for 5 s',
  cluster: {
    rounds: 2,
    needs,
    prepare: (dataDir) =>
      mountAll({
        files: [join(dataDir, 'files'), FILES_SIZE],
        ...Object.fromEntries(BROKERS.map((name) => [name, [join(dataDir, 'cluster', name), SIZES[name]] as const])),
      }),
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) {
        for (const broker of BROKERS) {
          // A broker that ended for want of room is started again, as whatever runs it would do.
          const restart = () => system.restartBroker(broker, 'SIGKILL');
          await trial.round(`${broker} ${round}`, () => whileFull(broker, restart));
        }
        await trial.round(`files ${round}`, () => uploadWhileFull(system, (fault) => trial.report(fault)));
      }
    },
  },
  embedded: {
    rounds: 3,
    needs,
    prepare: (dataDir) => mountAll({ all: [dataDir, ALL_SIZE] }),
    run: async ({ system, trial, rounds }: FaultBench) => {
      if (system.engine !== 'embedded') return;
      for (let round = 1; round <= rounds; round++) {
        await trial.round(`all ${round}`, () => whileFull('all', () => system.crash()));
      }
    },
  },
};
