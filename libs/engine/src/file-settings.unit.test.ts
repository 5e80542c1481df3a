import { defineSettings, parseSettings, readEnv } from '@sluice/service-runtime';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileSettings, toFilesConfig } from './file-settings';
import { openMemoryEngine } from './memory-engine';
import { openFileStore } from './open-file-store';

const DEFINITION = defineSettings(fileSettings);
const read = (env: Record<string, string>) => toFilesConfig(parseSettings(DEFINITION, readEnv(DEFINITION, env)));
const S3 = { SLUICE_FILES: 's3', SLUICE_S3_BUCKET: 'files' };
const KEYS = { SLUICE_S3_ACCESS_KEY_ID: 'id', SLUICE_S3_SECRET_ACCESS_KEY: 'hunter2' };

/** What a process would print for bad settings. */
function complaintAbout(env: Record<string, string>): string {
  try {
    read(env);
  } catch (error) {
    expect(error).toMatchObject({ code: 'configuration' });
    return (error as Error).message;
  }
  throw new Error('the settings were accepted');
}

describe('fileSettings', () => {
  it('know a folder, or none yet', () => {
    expect(read({})).toBeUndefined();
    expect(read({ SLUICE_FILES_DIR: '/var/files' })).toEqual({ store: 'disk', folder: '/var/files' });
  });

  it('know object storage of AWS, and of others by the path', () => {
    expect(read(S3)).toEqual({ store: 's3', region: 'us-east-1', bucket: 'files', isPathStyle: false });
    const own = { ...S3, ...KEYS, SLUICE_S3_ENDPOINT: 'http://storage:9000', SLUICE_S3_REGION: 'here' };
    expect(read(own)).toEqual({
      store: 's3',
      endpoint: 'http://storage:9000',
      region: 'here',
      bucket: 'files',
      credentials: { accessKeyId: 'id', secretAccessKey: 'hunter2' },
      isPathStyle: true,
    });
    expect(read({ ...own, SLUICE_S3_PATH_STYLE: 'false' })).toMatchObject({ isPathStyle: false });
  });

  it.each([
    ['SLUICE_FILES', { SLUICE_FILES: 'tape' }],
    ['SLUICE_S3_BUCKET', { SLUICE_FILES: 's3' }],
    ['SLUICE_S3_ENDPOINT', { ...S3, SLUICE_S3_ENDPOINT: 'storage:9000' }],
    ['SLUICE_S3_PATH_STYLE', { ...S3, SLUICE_S3_PATH_STYLE: 'perhaps' }],
    ['SLUICE_S3_ACCESS_KEY_ID', { ...S3, SLUICE_S3_SECRET_ACCESS_KEY: 'hunter2' }],
    ['SLUICE_S3_SECRET_ACCESS_KEY', { ...S3, SLUICE_S3_ACCESS_KEY_ID: 'hunter2' }],
  ])('name %s when it is bad or missing, and no secret', (name, env) => {
    const complaint = complaintAbout(env);
    expect(complaint).toContain(name);
    expect(complaint).not.toContain('hunter2');
  });
});

describe('openFileStore', () => {
  const database = { databaseUrl: 'postgresql://unused', poolSize: 2, migrate: false };

  it('names the setting that an app lacks which keeps files', async () => {
    const opening = openFileStore({ engine: 'embedded', database });
    await expect(opening).rejects.toMatchObject({ code: 'configuration' });
    await expect(opening).rejects.toThrow('SLUICE_FILES_DIR');
  });

  it('opens a folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-engine-files-'));
    const store = await openFileStore({ engine: 'embedded', database, files: { store: 'disk', folder } });
    await store.check();
    await store.close();
    await rm(folder, { recursive: true });
  });

  it('opens object storage before it can be reached', async () => {
    const endpoint = 'http://127.0.0.1:1';
    const s3 = { store: 's3' as const, endpoint, region: 'here', bucket: 'files', isPathStyle: true };
    const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
    const store = await openFileStore({ engine: 'embedded', database, files: { ...s3, credentials } });
    await expect(store.check()).rejects.toMatchObject({ code: 'file_store_unavailable' });
    await store.close();
  });
});

it('gives every caller of the memory engine the same files', async () => {
  const engine = openMemoryEngine();
  const [one, other] = [await engine.fileStore(), await engine.fileStore()];
  async function* content(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('abc');
  }
  await one.put({ key: '1/a', content: content(), maxBytes: 3 });
  expect(await other.get('1/a')).toMatchObject({ sizeBytes: 3 });
  await engine.close();
});
