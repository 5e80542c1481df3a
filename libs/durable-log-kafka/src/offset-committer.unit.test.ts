import type { Lane } from '@sluice/event-log';
import { OffsetCommitter } from './offset-committer';

const [A, B] = [0 as Lane, 1 as Lane];

function setUp(intervalMs: number) {
  const commits: [Lane, number][][] = [];
  const committer = new OffsetCommitter(intervalMs, async (offsets) => void commits.push([...offsets]));
  return { commits, committer };
}

describe('OffsetCommitter', () => {
  it('commits the newest place of each lane, once', async () => {
    const { commits, committer } = setUp(60_000);
    committer.note(A, 5);
    committer.note(B, 1);
    committer.note(A, 7);
    await committer.flush();
    await committer.flush();
    expect(commits).toEqual([
      [
        [A, 7],
        [B, 1],
      ],
    ]);
  });

  it('commits by itself when the interval is over', async () => {
    const { commits, committer } = setUp(0);
    committer.note(A, 1);
    await committer.flush();
    expect(commits).toEqual([[[A, 1]]]);
  });

  it('forgets lanes that are lost', async () => {
    const { commits, committer } = setUp(60_000);
    committer.note(A, 5);
    committer.clear();
    await committer.flush();
    expect(commits).toEqual([]);
  });

  it('goes on after a commit that failed', async () => {
    let failures = 1;
    const commits: number[] = [];
    const committer = new OffsetCommitter(60_000, async (offsets) => {
      if (failures-- > 0) throw new Error('not now');
      commits.push(...offsets.values());
    });
    committer.note(A, 1);
    await expect(committer.flush()).rejects.toThrow('not now');
    committer.note(A, 2);
    await committer.flush();
    expect(commits).toEqual([2]);
  });
});
