import { dirname, join } from 'node:path';
import type { BrokerName, System } from '../e2e/system';
import { countComplaints } from '../tools/faults/complaints';
import { SmallDisk } from '../tools/faults/disks';
import type { Effect } from '../tools/faults/effect';
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

function diskOf(name: string): SmallDisk {
  const disk = disks.get(name);
  if (!disk) throw new Error(`there is no disk "${name}"`);
  return disk;
}

/** Fills a disk for a while, then makes room again. */
async function whileFull(name: string, andThen: () => Promise<void>): Promise<readonly Effect[]> {
  const effects = await diskOf(name).stayFull(FULL_MS);
  await diskOf(name).free();
  await andThen();
  return effects;
}

/** The folder of files is full: an upload is refused and leaves nothing, and is taken when there is room again. */
async function uploadWhileFull(system: System, report: (fault: string) => void): Promise<readonly Effect[]> {
  const disk = diskOf('files');
  await disk.fill();
  const [code, status] = [await disk.refusal(), await upload(system)];
  await disk.free();
  const taken = await upload(system);
  if (taken !== 200) report(`an upload was answered with ${taken} when there was room again`);
  return [
    { what: 'writes refused with ENOSPC', count: code === 'ENOSPC' ? 1 : 0 },
    { what: 'uploads refused', count: status >= 500 ? 1 : 0 },
  ];
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
          const logFile = join(system.dataDir, 'cluster', `${broker}.log`);
          await trial.round(`${broker} ${round}`, () =>
            countComplaints(logFile, broker, () => whileFull(broker, restart)),
          );
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
        const logFile = join(dirname(system.dataDir), 'system.log');
        await trial.round(`all ${round}`, () =>
          countComplaints(logFile, 'the engine', () => whileFull('all', () => system.crash())),
        );
      }
    },
  },
};
