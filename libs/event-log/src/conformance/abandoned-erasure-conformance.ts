import { ENTITY, erasureWorld, LEASE_MS, type ErasureHarness } from './erasure-tools';

/** What Erasures do when an operator abandons one. */
export function describeAbandonedErasures(name: string, createHarness: () => Promise<ErasureHarness>): void {
  describe(`Erasures that are abandoned: ${name}`, () => {
    const world = erasureWorld(createHarness);
    const { event, record, texts, begin, finish, collect } = world;

    it('is abandoned where it is: nobody goes on, a rebuild may begin, and it can be asked for again', async () => {
      await record(event(), event());
      const work = await begin();
      await work.note('the log erases nothing any more');
      const { erasureId } = work;
      await work.requireHeld();
      const abandoned = await world.erasures.abandon(erasureId);
      expect(abandoned).toMatchObject({ erasureId, step: 'events', fault: 'the log erases nothing any more' });
      expect(abandoned.abandonedAt).toBeGreaterThanOrEqual(abandoned.requestedAt);
      expect(abandoned).not.toHaveProperty('finishedAt');
      expect(abandoned).not.toHaveProperty('holder');
      for (const refused of [
        () => work.requireHeld(),
        () => work.eraseEvents(),
        () => work.projectAnew(),
        () => work.eraseParked(),
        () => work.eraseElsewhere(),
        () => work.advance('projections'),
        () => work.renew(LEASE_MS),
        () => work.finish(),
        () => collect(work.kept()),
      ]) {
        await expect(refused()).rejects.toMatchObject({ code: 'conflict' });
      }
      expect(await world.erasures.claim('another', LEASE_MS)).toBeUndefined();
      expect(await texts()).toHaveLength(2);
      expect(await world.erasures.abandon(erasureId)).toEqual(abandoned);
      expect(await world.erasures.list({ limit: 10 })).toEqual([abandoned]);

      await world.rebuilds.request({ positions: 'keep', dropOld: false });
      await (await world.rebuilds.claim('a builder', LEASE_MS))?.discard();
      const again = await begin();
      expect(again.erasureId).not.toBe(erasureId);
      await finish(again);
      expect(await texts()).toEqual([]);
      await expect(world.erasures.abandon(again.erasureId)).rejects.toMatchObject({ code: 'conflict' });
      await expect(world.erasures.abandon(1_000_000)).rejects.toMatchObject({ code: 'not_found' });
    });

    it('takes the fields of one that was abandoned again, although no event has them any more', async () => {
      await record(event());
      const work = await begin({ fields: ['/text'] });
      while (await work.eraseEvents());
      await world.erasures.abandon(work.erasureId);
      const asked = world.erasures.request({ entity: ENTITY, fields: ['/text', '/other'] });
      await expect(asked).rejects.toMatchObject({ code: 'invalid_request', where: 'fields[1]' });
      const again = await begin({ fields: ['/text'] });
      await finish(again);
      expect((await texts()).map(({ event: { data } }) => data)).toEqual([{}]);
    });
  });
}
