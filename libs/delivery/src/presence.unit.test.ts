import { PRESENCE_LIMITS, type PresenceRefusal } from './presence-board';
import { describePresenceBoard } from './presence-conformance';
import { PresenceGroups } from './presence-groups';
import { MemoryPresenceBoard } from './presence-memory';

describePresenceBoard('memory', async () => {
  const board = new MemoryPresenceBoard();
  return { open: async () => board, destroy: () => board.close() };
});

describe('PresenceGroups', () => {
  const OVERLOADED = expect.objectContaining({ code: 'overloaded' });
  let refusals: PresenceRefusal[];
  let groups: PresenceGroups;
  const join = (workspaceId: number, group: string) => groups.join({ workspaceId, group }, 'n', () => undefined);

  beforeEach(() => {
    refusals = [];
    groups = new PresenceGroups({ onRefused: (refusal) => refusals.push(refusal) });
  });
  afterEach(() => groups.close());

  it('gives one workspace a part of the groups, so that the others have theirs, and tells of who is refused', () => {
    const joined = Array.from({ length: PRESENCE_LIMITS.workspaceGroups }, (_, n) => join(1, `g${n}`));
    expect(() => join(1, 'one more')).toThrow(OVERLOADED);
    const second = join(1, 'g0');
    join(2, 'one more');
    for (const each of [joined[0], second]) if (each) expect(groups.leave(each)).toBe(true);
    join(1, 'one more');
    expect(() => join(1, 'g0')).toThrow(OVERLOADED);
    expect(refusals).toEqual(['workspace', 'workspace']);
  });

  it('bounds the groups of all workspaces together, and leaves nothing of who is refused', () => {
    for (let n = 0; n < PRESENCE_LIMITS.groups; n++) join(n % 100, `g${n}`);
    expect(() => join(1_000, 'g')).toThrow(OVERLOADED);
    expect([refusals, groups.size, groups.has('1000/g')]).toEqual([['replica'], PRESENCE_LIMITS.groups, false]);
    join(0, 'g0');
  });

  it('tells of who is refused by a full group', () => {
    const members = Array.from({ length: PRESENCE_LIMITS.groupMembers }, () => join(1, 'g'));
    expect(() => join(1, 'g')).toThrow(OVERLOADED);
    expect(refusals).toEqual(['group']);
    expect(groups.membersHere('1/g').map(({ memberId }) => memberId)).toEqual(members.map(({ memberId }) => memberId));
  });
});
