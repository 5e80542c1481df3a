import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refusalOf } from './disks';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-disk-'));
});

afterAll(() => rm(folder, { recursive: true }));

describe('refusalOf', () => {
  it('tells why something cannot be written', async () => {
    expect(await refusalOf(folder)).toBe('EISDIR');
    expect(await refusalOf(join(folder, 'nowhere', 'probe'))).toBe('ENOENT');
  });

  it('tells nothing where it can', async () => {
    expect(await refusalOf(join(folder, 'probe'))).toBeUndefined();
  });
});
