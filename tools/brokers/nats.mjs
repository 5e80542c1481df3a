import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installNats } from './install.mjs';
import { freePort } from './ports.mjs';

/**
 * A local nats-server with JetStream; see `brokers.mjs` for the shape that all three brokers share.
 * `moreLines` are added to its configuration.
 */
export async function prepareNats({ config, folder, log, moreLines = [] }) {
  const binary = await installNats({ ...config, log });
  const port = await freePort();
  const storeDir = join(folder, 'nats');
  const configFile = join(folder, 'nats.conf');
  await mkdir(storeDir, { recursive: true });
  await writeFile(
    configFile,
    [
      'server_name: sluice-local',
      `listen: "127.0.0.1:${port}"`,
      'jetstream {',
      `  store_dir: ${JSON.stringify(storeDir)}`,
      '  max_memory_store: 256MB',
      '  max_file_store: 8GB',
      '}',
      ...moreLines,
      '',
    ].join('\n'),
  );
  return {
    address: `nats://127.0.0.1:${port}`,
    storeDir,
    command: { file: binary, args: ['-c', configFile], stopSignal: 'SIGTERM' },
    wipe: async () => {
      await rm(storeDir, { recursive: true, force: true });
      await mkdir(storeDir, { recursive: true });
    },
  };
}
