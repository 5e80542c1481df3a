import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from './journal';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-journal-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('Journal', () => {
  it('has on the disk what it has taken, also of several at once', async () => {
    const file = join(folder, 'journal');
    const journal = await Journal.open(file);
    await Promise.all([0, 1, 2].map((n) => journal.acknowledge({ entity: 'a', n })));
    await journal.acknowledge({ entity: 'b', n: 0 });
    expect(journal.count).toBe(4);
    await journal.close();
    expect(await Journal.read(file)).toEqual(
      new Map([
        ['a', [0, 1, 2]],
        ['b', [0]],
      ]),
    );
  });

  it('reads the whole lines of a run that broke off', async () => {
    const file = join(folder, 'journal');
    await appendFile(file, 'a 0\na 1\na');
    expect(await Journal.read(file)).toEqual(new Map([['a', [0, 1]]]));
  });

  it('tells when an acknowledgement cannot be kept', async () => {
    const journal = await Journal.open(join(folder, 'journal'));
    await journal.close();
    await expect(journal.acknowledge({ entity: 'a', n: 0 })).rejects.toThrow();
    expect(journal.count).toBe(0);
  });
});
