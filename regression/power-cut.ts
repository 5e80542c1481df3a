import { dirname, join } from 'node:path';
import { CutDisk } from '../tools/faults/disks';
import { readPostgresPid } from '../tools/faults/embedded-database';
import type { FaultClass, Ground } from '../tools/faults/fault-class';
import type { Effect } from '../tools/faults/effect';
import { endProcess, replaceApps, replaceBroker } from '../tools/faults/processes';
import { missingTools } from '../tools/faults/tools';

const NATS_BYTES = 512 << 20;
const ALL_BYTES = 1024 << 20;
let disk: CutDisk | undefined;

async function mount(folder: string, bytes: number, image: string): Promise<Ground> {
  const mounted = await CutDisk.mount(image, folder, bytes);
  disk = mounted;
  return { clear: () => mounted.unmount() };
}

function theDisk(): CutDisk {
  if (!disk) throw new Error('there is no disk');
  return disk;
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
          const effects: Effect[] = [];
          const replaced = await replaceBroker(system, 'nats', async () => {
            effects.push(...(await theDisk().cutPower()));
            await system.takeDown('nats', 'SIGKILL');
            effects.push(...(await theDisk().restore()));
            await system.bringUp('nats');
          });
          return [...effects, ...replaced];
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
        const pid = await readPostgresPid(system.dataDir);
        await trial.round(`power ${round}`, async () => {
          const effects: Effect[] = [];
          const whileDown = async () => {
            await endProcess(pid);
            effects.push(...(await theDisk().restore()));
          };
          const replaced = await replaceApps(
            system,
            () => true,
            async () => {
              effects.push(...(await theDisk().cutPower()));
              await system.crash({ whileDown });
            },
          );
          return [...effects, ...replaced];
        });
      }
    },
  },
};
