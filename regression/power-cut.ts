import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { until } from '@sluice/event-log/conformance';
import { CutDisk } from '../tools/faults/disks';
import type { FaultClass, Ground } from '../tools/faults/fault-class';
import { missingTools } from '../tools/faults/tools';

const NATS_BYTES = 512 << 20;
const ALL_BYTES = 1024 << 20;
const GONE_TIMEOUT_MS = 20_000;
let disk: CutDisk | undefined;

async function mount(folder: string, bytes: number, image: string): Promise<Ground> {
  const mounted = await CutDisk.mount(image, folder, bytes);
  disk = mounted;
  return { clear: () => mounted.unmount() };
}

/** It may have ended by itself, for want of its disk. */
async function endProcess(pid: number): Promise<void> {
  if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  await until(() => !isAlive(pid), `process ${pid} is gone`, GONE_TIMEOUT_MS);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const needs = () => missingTools('mount', 'umount', 'mkfs.ext4', 'xfs_io');

/**
 * The power of a disk is cut: what was not synced is gone. Of the embedded engine that is everything it has, so nothing
 * acknowledged may be among it; JetStream acknowledges before it syncs, and may lose what it likes (G6).
 */
export const powerCut: FaultClass = {
  name: 'power-cut',
  what: 'the power is cut of the disk of NATS, or of the whole embedded engine',
  cluster: {
    rounds: 5,
    needs,
    prepare: (dataDir) => mount(join(dataDir, 'cluster', 'nats'), NATS_BYTES, join(dirname(dataDir), 'disk')),
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) {
        await trial.round(`nats ${round}`, async () => {
          await disk?.cutPower();
          await system.takeDown('nats', 'SIGKILL');
          await disk?.restore();
          await system.bringUp('nats');
        });
      }
    },
  },
  embedded: {
    rounds: 10,
    needs,
    prepare: (dataDir) => mount(dataDir, ALL_BYTES, join(dirname(dataDir), 'disk')),
    run: async ({ system, trial, rounds }) => {
      for (let round = 1; round <= rounds; round++) {
        const pid = Number((await readFile(join(system.dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
        const whileDown = async () => {
          await endProcess(pid);
          await disk?.restore();
        };
        await trial.round(`power ${round}`, async () => {
          await disk?.cutPower();
          await system.crash({ whileDown });
        });
      }
    },
  },
};
