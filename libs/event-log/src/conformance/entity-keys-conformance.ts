import { CheckpointLost } from '../checkpoint-lost';
import type { CheckpointMoves, Lane } from '../ports/durable-log';
import type { EntityKey, EntityKeys } from '../ports/entity-keys';
import type { LogEntity } from '../ports/log-erasure';

export interface EntityKeysHarness {
  /** The index as one process has it; every call within one test gives the same index, every test gets a fresh one. */
  open(): Promise<EntityKeys>;
  destroy(): Promise<void>;
}

const ENTITY: LogEntity = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-1' };
const JOURNAL = 0 as Lane;
const moved = (from: number, to: number): CheckpointMoves => new Map([[JOURNAL, { from, to }]]);

let lastByte = 0;

const newKey = (generation = 0, entity = ENTITY): EntityKey => ({
  keyId: crypto.randomUUID(),
  entity,
  generation,
  key: new Uint8Array(32).fill(++lastByte % 256),
});

const withoutKey = ({ keyId, entity, generation }: EntityKey) => ({ keyId, entity, generation });
const bytes = (key?: Uint8Array) => (key === undefined ? undefined : [...key]);

/** What every index of keys must do. */
export function describeEntityKeys(name: string, createHarness: () => Promise<EntityKeysHarness>): void {
  describe(`EntityKeys: ${name}`, () => {
    let harness: EntityKeysHarness;
    let keys: EntityKeys;
    beforeEach(async () => {
      harness = await createHarness();
      keys = await harness.open();
    });
    afterEach(() => harness.destroy());

    const current = async () => (await keys.current([ENTITY]))[0];

    it('gives back the key of each entity, and by its id', async () => {
      const others = [
        { ...ENTITY, workspaceId: 2 },
        { ...ENTITY, family: 'session' as const },
      ];
      const added = [ENTITY, ...others].map((entity) => newKey(0, entity));
      expect((await keys.add(added)).toSorted()).toEqual(added.map(({ keyId }) => keyId).toSorted());
      const found = await keys.current([...others, { ...ENTITY, entityId: 'none' }]);
      expect(found.map(({ keyId }) => keyId).sort()).toEqual(
        added
          .slice(1)
          .map(({ keyId }) => keyId)
          .sort(),
      );
      expect(found.every(({ isStored }) => !isStored)).toBe(true);
      const byId = await keys.find([...added.map(({ keyId }) => keyId), crypto.randomUUID()]);
      expect(new Map(byId.map(({ keyId, entity, key }) => [keyId, [entity, bytes(key)]]))).toEqual(
        new Map(added.map(({ keyId, entity, key }) => [keyId, [entity, bytes(key)]])),
      );
      expect([await keys.current([]), await keys.find([]), await keys.add([])]).toEqual([[], [], []]);
    });

    it('has one key of a generation, whoever adds one at the same moment', async () => {
      const processes = await Promise.all([1, 2, 3, 4].map(() => harness.open()));
      const added = processes.map(() => newKey());
      const told = (await Promise.all(processes.map((index, n) => index.add(added.slice(n, n + 1))))).flat();
      const found = (await Promise.all(processes.map((index) => index.current([ENTITY])))).flat();
      expect(new Set(found.map(({ keyId }) => keyId)).size).toBe(1);
      expect(told).toEqual([found[0]?.keyId]);
      expect(added.map(({ keyId }) => keyId)).toContain(told[0]);
    });

    it('adds the keys of many entities that others add as well, each once', async () => {
      const entities = Array.from({ length: 500 }, (_, n) => ({ ...ENTITY, entityId: `sandbox-${n}` }));
      const processes = await Promise.all([1, 2, 3, 4].map(() => harness.open()));
      // Connected by now, so that they meet.
      await Promise.all(processes.map((index) => index.current(entities)));
      const told = await Promise.all(
        processes.map((index, n) =>
          index.add((n % 2 === 0 ? entities : entities.toReversed()).map((entity) => newKey(0, entity))),
        ),
      );
      const found = await keys.current(entities);
      expect(told.flat().toSorted()).toEqual(found.map(({ keyId }) => keyId).toSorted());
      expect(found).toHaveLength(entities.length);
    });

    it('adds no key beside a later generation, also where one is left out before it', async () => {
      const [first, third] = [newKey(0), newKey(2)];
      await keys.takeOver([withoutKey(first), third], moved(0, 2));
      expect(await keys.add([newKey(0)])).toEqual([]);
      expect(await keys.add([newKey(1)])).toEqual([]);
      expect(await keys.add([newKey(2)])).toEqual([]);
      expect(await current()).toMatchObject({ keyId: third.keyId, generation: 2 });
      const fourth = newKey(3);
      expect(await keys.add([fourth])).toEqual([fourth.keyId]);
      expect(await current()).toMatchObject({ keyId: fourth.keyId });
    });

    it('remembers which keys the journal has, and tells of those that were destroyed before', async () => {
      const key = newKey();
      await keys.add([key]);
      expect(await keys.markStored([key.keyId])).toEqual([]);
      expect(await current()).toMatchObject({ keyId: key.keyId, isStored: true });
      await keys.destroy([key.keyId]);
      expect(await keys.markStored([key.keyId, crypto.randomUUID()])).toEqual([withoutKey(key)]);
    });

    it('seals by the newest generation, and numbers them without a hole', async () => {
      const [first, second, third] = [newKey(), newKey(), newKey()];
      expect(await keys.addGeneration(ENTITY, first)).toBe(0);
      expect(await keys.addGeneration(ENTITY, second)).toBe(1);
      for (const generation of [1, 0]) await keys.add([newKey(generation)]);
      expect(await current()).toMatchObject({ keyId: second.keyId, generation: 1, isStored: false });
      expect(
        await Promise.all([1, 2].map(() => harness.open().then((index) => index.addGeneration(ENTITY, newKey())))),
      ).toEqual(expect.arrayContaining([2, 3]));
      expect(await keys.addGeneration(ENTITY, third)).toBe(4);
    });

    it('tells how long a generation is known, by its own clock', async () => {
      await keys.addGeneration(ENTITY, newKey());
      const age = await keys.generationAgeMs(ENTITY, 0);
      expect(age).toBeGreaterThanOrEqual(0);
      expect(await keys.generationAgeMs(ENTITY, 0)).toBeGreaterThanOrEqual(age ?? Infinity);
      expect(await keys.generationAgeMs(ENTITY, 1)).toBeUndefined();
    });

    it('destroys keys, and knows afterwards that they were', async () => {
      const [old, next] = [newKey(), newKey()];
      await keys.add([old]);
      await keys.addGeneration(ENTITY, next);
      expect(await keys.before(ENTITY, 1)).toEqual([withoutKey(old)]);
      await keys.destroy([old.keyId]);
      await keys.destroy([old.keyId, crypto.randomUUID()]);
      expect(await keys.find([old.keyId])).toEqual([{ keyId: old.keyId, entity: ENTITY }]);
      expect(await keys.before(ENTITY, 1)).toEqual([withoutKey(old)]);
      expect(await current()).toMatchObject({ keyId: next.keyId });
      await keys.destroy([next.keyId]);
      expect(await current()).toMatchObject({ generation: 1 });
      expect((await current())?.key).toBeUndefined();
    });

    it('takes over what the journal has, with how far that is', async () => {
      const [kept, destroyed] = [newKey(0), newKey(1)];
      expect(await keys.loadCheckpoints([JOURNAL])).toEqual(new Map());
      expect(await keys.takeOver([kept, withoutKey(destroyed)], moved(0, 2))).toEqual([]);
      expect(await keys.loadCheckpoints([JOURNAL])).toEqual(new Map([[JOURNAL, 2]]));
      expect(await current()).toMatchObject({ generation: 1, isStored: true });
      expect((await current())?.key).toBeUndefined();
      expect((await keys.find([kept.keyId])).map(({ key }) => bytes(key))).toEqual([bytes(kept.key)]);
    });

    it('takes nothing over that comes after what it has: something of the journal was lost between (G1)', async () => {
      const [early, late] = [newKey(), newKey(1)];
      await expect(keys.takeOver([late], moved(1, 2))).rejects.toBeInstanceOf(CheckpointLost);
      await keys.takeOver([early], moved(0, 2));
      await expect(keys.takeOver([late, withoutKey(early)], moved(3, 5))).rejects.toBeInstanceOf(CheckpointLost);
      expect((await keys.find([early.keyId, late.keyId])).map(({ key }) => bytes(key))).toEqual([bytes(early.key)]);
      expect(await keys.loadCheckpoints([JOURNAL])).toEqual(new Map([[JOURNAL, 2]]));
    });

    it('takes over what somebody late or second has read, and stays as far as it is', async () => {
      const [early, late] = [newKey(), newKey(1)];
      await keys.takeOver([early, late], moved(0, 5));
      expect(await keys.takeOver([withoutKey(early)], moved(1, 3))).toEqual([]);
      expect(await keys.loadCheckpoints([JOURNAL])).toEqual(new Map([[JOURNAL, 5]]));
      expect((await keys.find([early.keyId])).map(({ key }) => key)).toEqual([undefined]);
    });

    it('leaves a key destroyed, whoever says so first', async () => {
      const [mine, theirs] = [newKey(0), newKey(1)];
      for (const key of [mine, theirs]) await keys.add([key]);
      await keys.destroy([mine.keyId]);
      const revived = await keys.takeOver([mine, withoutKey(theirs), theirs], moved(0, 3));
      expect(revived.map(({ keyId }) => keyId).sort()).toEqual([mine.keyId, theirs.keyId].sort());
      expect((await keys.find([mine.keyId, theirs.keyId])).map(({ key }) => key)).toEqual([undefined, undefined]);
    });

    it('reads by keys of the journal that came second, and seals by none of them', async () => {
      const [own, ...foreign] = [newKey(), newKey(), newKey()];
      if (!own) throw new Error('there is one');
      await keys.add([own]);
      await keys.takeOver(foreign, moved(0, 2));
      await keys.takeOver(foreign, moved(0, 2));
      expect(await current()).toMatchObject({ keyId: own.keyId });
      expect(await keys.find(foreign.map(({ keyId }) => keyId))).toHaveLength(2);
      await keys.addGeneration(ENTITY, newKey());
      expect(await keys.before(ENTITY, 1)).toHaveLength(3);
    });

    it('knows the greatest age that was ever allowed, and whether anything is unsealed', async () => {
      await keys.register({ keyMaxAgeMs: 200, hasUnsealed: false });
      expect(await keys.register({ keyMaxAgeMs: 100, hasUnsealed: true })).toEqual({
        keyMaxAgeMs: 200,
        hasUnsealed: true,
      });
      expect(await keys.register({ keyMaxAgeMs: 300, hasUnsealed: false })).toEqual({
        keyMaxAgeMs: 300,
        hasUnsealed: true,
      });
    });
  });
}
