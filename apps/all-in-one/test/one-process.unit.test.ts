import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBasics, readConfig } from '../src/config';
import type { DataFolder } from '../src/data-folder';
import { createOneProcess } from '../src/one-process';

let env: NodeJS.ProcessEnv;
let dataDir: string;
let closed: number;

beforeEach(async () => {
  closed = 0;
  // What it tells a newcomer.
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  dataDir = await mkdtemp(join(tmpdir(), 'sluice-one-process-'));
  env = {
    SLUICE_ENGINE: 'memory',
    SLUICE_DATA_DIR: dataDir,
    SLUICE_HTTP_PORT: '0',
    SLUICE_PUBSUB_PORT: '0',
    SLUICE_GATEWAY_PORT: '0',
    SLUICE_LOG_LEVEL: 'silent',
    SLUICE_OPERATOR_KEYS: `sk_${'o'.repeat(43)}`,
  };
});
afterEach(async () => {
  jest.restoreAllMocks();
  await rm(dataDir, { recursive: true, force: true });
});

const folder = (tokenSecret = 's'.repeat(32)): DataFolder => ({
  fallbacks: { SLUICE_TOKEN_SECRETS: tokenSecret },
  close: async () => void closed++,
});

const create = (on = folder()) => createOneProcess(readBasics(env), on, (fallbacks) => readConfig(fallbacks, env));

it('serves, and closes the data folder once when it is destroyed', async () => {
  const service = await create();
  const { url } = await service.start();
  expect((await fetch(`${url}/ready`)).status).toBe(200);
  expect(closed).toBe(0);
  await Promise.all([service.destroy(), service.destroy()]);
  expect(closed).toBe(1);
});

it('closes the data folder when its settings turn out bad', async () => {
  await expect(create(folder('short'))).rejects.toMatchObject({ code: 'configuration' });
  expect(closed).toBe(1);
});

it('closes the data folder when a part cannot be created', async () => {
  env['SLUICE_ENGINE'] = 'embedded';
  env['SLUICE_DATABASE_URL'] = 'postgresql://nobody:x@127.0.0.1:1/none';
  await expect(create()).rejects.toMatchObject({ code: expect.any(String) });
  expect(closed).toBe(1);
});

it('closes the data folder when it cannot listen', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  env['SLUICE_HTTP_PORT'] = String((other.address() as AddressInfo).port);
  const service = await create();
  await expect(service.start()).rejects.toMatchObject({ code: 'configuration' });
  expect(closed).toBe(1);
  other.close();
});

it('ends, and closes the data folder, when it cannot say where it is', async () => {
  env['SLUICE_DATA_DIR'] = join(dataDir, 'missing');
  const service = await create();
  await expect(service.start()).rejects.toMatchObject({ code: 'ENOENT' });
  expect(closed).toBe(1);
});
