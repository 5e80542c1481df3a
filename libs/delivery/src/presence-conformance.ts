import { PRESENCE_LIMITS, type PresenceBoard, type PresenceMembership, type PresentSubscriber } from './presence-board';

export interface PresenceBoardHarness {
  /** A replica; all of one test see each other, and nobody of another test. */
  open(): Promise<PresenceBoard>;
  /** Lets go of everything that was opened. */
  destroy(): Promise<void>;
}

const PLACE = { workspaceId: 1, group: 'room' };

/** Longest wait for what must come about. */
const DEADLINE_MS = 60_000;

/** Looks again at what somebody waits for; called whenever a member was told something. */
let look: () => void = () => undefined;

/** Resolves as soon as the condition holds, which what members are told makes true; rejects when it never does. */
async function until(condition: () => boolean, what: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`${what}: did not come about`)), DEADLINE_MS);
      look = () => {
        if (condition()) resolve();
      };
      look();
    });
  } finally {
    clearTimeout(timer);
    look = () => undefined;
  }
}

/** One that has joined, and what it was told. */
class Member {
  readonly told: (readonly PresentSubscriber[])[] = [];
  membership: PresenceMembership | undefined;

  async join(board: PresenceBoard, name: string, place = PLACE): Promise<this> {
    this.membership = await board.join(place, name, (present) => {
      this.told.push(present);
      look();
    });
    return this;
  }

  /** The names that it sees. */
  get sees(): string {
    return (this.told.at(-1) ?? []).map(({ name }) => name).join(' ');
  }
}

/** What every PresenceBoard must do. Run it with a harness around each implementation. */
export function describePresenceBoard(name: string, createHarness: () => Promise<PresenceBoardHarness>): void {
  describe(`PresenceBoard: ${name}`, () => {
    let harness: PresenceBoardHarness;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(() => harness.destroy());

    it('shows all who are present to each of them, over all replicas', async () => {
      const [one, other] = [await harness.open(), await harness.open()];
      const ada = await new Member().join(one, 'ada');
      await until(() => ada.sees === 'ada', 'ada sees herself');
      const bob = await new Member().join(other, 'bob');
      await until(() => ada.sees === 'ada bob' && bob.sees === 'ada bob', 'both see both');
      const eve = await new Member().join(one, 'eve');
      await until(() => [ada, bob, eve].every(({ sees }) => sees === 'ada bob eve'), 'all see all');
      bob.membership?.leave();
      await until(() => [ada, eve].every(({ sees }) => sees === 'ada eve'), 'bob is gone');
      const before = bob.told.length;
      eve.membership?.leave();
      await until(() => ada.sees === 'ada', 'eve is gone');
      expect(bob.told).toHaveLength(before);
    });

    it('shows the longest present first, of those who come at the same instant too', async () => {
      const [one, other] = [await harness.open(), await harness.open()];
      const names = Array.from({ length: 50 }, (_, n) => `n${n}`);
      const [first] = await Promise.all(names.map((each) => new Member().join(one, each)));
      const last = await new Member().join(other, 'last');
      const inOrder = [...names, 'last'].join(' ');
      await until(() => first?.told.at(-1)?.length === 51 && last.told.at(-1)?.length === 51, 'all see all');
      expect(first?.sees).toBe(inOrder);
      expect(last.sees).toBe(inOrder);
    });

    it('says who is who', async () => {
      const beforeMs = Date.now();
      const [one, other] = [await harness.open(), await harness.open()];
      const first = await new Member().join(one, 'twin');
      const second = await new Member().join(other, 'twin');
      await until(() => first.sees === 'twin twin' && second.sees === 'twin twin', 'both see both');
      expect(first.told.at(-1)).toEqual(second.told.at(-1));
      const ids = first.told.at(-1)?.map(({ memberId }) => memberId);
      expect(new Set(ids)).toEqual(new Set([first.membership?.memberId, second.membership?.memberId]));
      for (const { since } of first.told.at(-1) ?? []) {
        expect(since).toBeGreaterThanOrEqual(beforeMs);
        expect(since).toBeLessThanOrEqual(Date.now());
      }
    });

    it('keeps groups and workspaces apart, whatever characters they have (G8)', async () => {
      const [one, other] = [await harness.open(), await harness.open()];
      const groups = ['a', 'A', 'a.b', 'a/b', '*', '>', 'ø \u{1f41a}'];
      const members = [];
      for (const [index, group] of groups.entries()) {
        members.push(await new Member().join(one, `n${index}`, { workspaceId: 1, group }));
      }
      await new Member().join(other, 'stranger', { workspaceId: 2, group: 'a' });
      await new Member().join(other, 'stranger', { workspaceId: 11, group: 'a' });
      const last = await new Member().join(other, 'last', { workspaceId: 1, group: groups.at(-1) ?? '' });
      await until(() => last.sees === `n${groups.length - 1} last`, 'the last ones see each other');
      for (const [index, { sees }] of members.slice(0, -1).entries()) expect(sees).toBe(`n${index}`);
    });

    it('passes names on as they are', async () => {
      const [one, other] = [await harness.open(), await harness.open()];
      const names = ['a"b\\c', 'line\nend\u2028', '\u0000', '\u{1f41a}', 'x'.repeat(PRESENCE_LIMITS.nameChars)];
      const seer = await new Member().join(one, 'seer');
      for (const each of names) await new Member().join(other, each);
      await until(() => seer.told.at(-1)?.length === names.length + 1, 'all are seen');
      expect(new Set(seer.told.at(-1)?.map((member) => member.name))).toEqual(new Set(['seer', ...names]));
    });

    it('refuses names that are empty or too long, and leaves nothing of them', async () => {
      const board = await harness.open();
      const tooLong = 'x'.repeat(PRESENCE_LIMITS.nameChars + 1);
      for (const each of ['', tooLong]) {
        const invalid = { code: 'invalid_request' };
        await expect(new Member().join(board, each)).rejects.toMatchObject(invalid);
        await expect(new Member().join(board, 'n', { ...PLACE, group: each })).rejects.toMatchObject(invalid);
      }
      const alone = await new Member().join(board, 'alone');
      await until(() => alone.sees === 'alone', 'nobody else is there');
    });

    it('tells many changes in few calls', async () => {
      const [one, other] = [await harness.open(), await harness.open()];
      const seer = await new Member().join(one, 'seer');
      for (let n = 0; n < 200; n++) await new Member().join(other, `n${n}`);
      await until(() => seer.told.at(-1)?.length === 201, 'all are seen');
      expect(seer.told.length).toBeLessThan(60);
    });

    it('takes a bounded number of members', async () => {
      const board = await harness.open();
      for (let n = 0; n < PRESENCE_LIMITS.groupMembers; n++) await board.join(PLACE, 'n', () => undefined);
      await expect(board.join(PLACE, 'one more', () => undefined)).rejects.toMatchObject({ code: 'overloaded' });
      const elsewhere = await new Member().join(board, 'elsewhere', { ...PLACE, group: 'other' });
      await until(() => elsewhere.sees === 'elsewhere', 'other groups have room');
    });

    it('takes everybody away when it is closed, and nobody any more', async () => {
      const [one, other] = [await harness.open(), await harness.open()];
      const isShared = one !== other;
      const stays = await new Member().join(one, 'stays');
      const goes = await new Member().join(other, 'goes');
      await until(() => stays.sees === 'stays goes', 'both are there');
      await other.close();
      await other.close();
      if (isShared) await until(() => stays.sees === 'stays', 'it is gone');
      await expect(other.join(PLACE, 'late', () => undefined)).rejects.toMatchObject({ code: 'shutting_down' });
      goes.membership?.leave();
    });
  });
}
