import { newEventId } from '@sluice/event-schema';
import { BEFORE_FIRST } from '../position';
import type { Lane } from '../ports/durable-log';
import { ERASURE_STEPS, type ErasureRequest, type ErasureWork } from '../ports/erasures';
import type { EntityRef } from '../ports/removed-events';
import { SEALED_BYTES, SEALED_FORM } from '../sealed-header';
import { describeAbandonedErasures } from './abandoned-erasure-conformance';
import { ENTITY, erasureWorld, LEASE_MS, MARKER, type ErasureHarness } from './erasure-tools';
import { until } from './tools';

const LANE = 0 as Lane;

/** A sealed record that no key opens. */
function sealedBytes({ workspaceId, family, entityId }: EntityRef): Uint8Array {
  const clear = new TextEncoder().encode(JSON.stringify([newEventId(), family, entityId, workspaceId, 1]));
  const { keyId, nonce, tag } = SEALED_BYTES;
  return Uint8Array.from([
    SEALED_FORM,
    ...new Uint8Array(keyId),
    0,
    clear.length,
    ...clear,
    ...new Uint8Array(nonce + tag),
  ]);
}

/** What Erasures of every read model do, but for what apps keep beside the log. */
export function describeErasures(name: string, createHarness: () => Promise<ErasureHarness>): void {
  describeAbandonedErasures(name, createHarness);
  describe(`Erasures: ${name}`, () => {
    const world = erasureWorld(createHarness);
    const { event, record, texts, claim, begin, finish, collect } = world;
    const task = (type: string, data: Record<string, unknown>) =>
      event({ family: 'workspace', entityId: 'task/t', type, data });

    it('takes the events of one entity of one workspace, and leaves positions, ids and sequences as they are (G4, G8)', async () => {
      const mine = [event(), event(), event()];
      const [others, namesake] = [event({ entityId: 'sandbox-2' }), event({ workspaceId: 2 })];
      await record(...mine.slice(0, 2), others, namesake, ...mine.slice(2));
      await finish(await begin());
      expect(await texts()).toEqual([]);
      expect(await texts({ ...ENTITY, entityId: 'sandbox-2' })).toHaveLength(1);
      expect(await texts({ ...ENTITY, workspaceId: 2 })).toHaveLength(1);
      expect((await world.model.head()).position).toBe(5);
      const range = await world.model.readAll({
        after: BEFORE_FIRST,
        upTo: (await world.model.head()).position,
        limit: 10,
      });
      expect(range).toMatchObject({ reached: 5, removed: [{ position: 1 }, { position: 2 }, { position: 5 }] });
      expect(await record(...mine)).toEqual([]);
      const [next] = await record(event());
      expect(next?.event).toMatchObject({ position: 6, entitySequence: 4 });
      expect(await world.erasures.list({ limit: 10 })).toMatchObject([{ entity: ENTITY, erasedEvents: 3, upTo: 5 }]);
    });

    it('tells how many are open, and for how long the oldest has been', async () => {
      const other: EntityRef = { ...ENTITY, entityId: 'sandbox-2' };
      await record(event(), event(other));
      expect(await world.erasures.backlog()).toEqual({ open: 0, oldestMs: 0 });
      const oldest = await begin();
      const isOld = async () => (await world.erasures.backlog()).oldestMs > 20;
      await until(isOld, 'it has been open for a while');
      const { erasureId } = await world.erasures.request({ entity: other, fields: [] });
      expect(await world.erasures.backlog()).toMatchObject({ open: 2 });
      expect(await isOld()).toBe(true);
      await finish(oldest);
      const { open, oldestMs } = await world.erasures.backlog();
      expect(open).toBe(1);
      expect(oldestMs).toBeGreaterThanOrEqual(0);
      await world.erasures.abandon(erasureId);
      expect(await world.erasures.backlog()).toEqual({ open: 0, oldestMs: 0 });
    });

    it('keeps what came after the events that it erases, and gives that to the log to keep', async () => {
      await record(event(), event());
      const work = await begin();
      const later = [event({ data: { text: 'later' } }), event({ data: { text: 'later still' } })];
      await record(...later);
      expect(await collect(work.kept())).toEqual(later);
      await finish(work);
      expect((await texts()).map(({ event: { id } }) => id)).toEqual(later.map(({ event: { id } }) => id));
    });

    it('takes a field out of each event, or empties it where its type asks for it', async () => {
      const own = { task_id: 't', title: 'a title', status: 'pending', agent_id: null };
      const created = task('task_created', { ...own, description: MARKER, prompt: MARKER });
      const updated = task('task_updated', { task_id: 't', description: MARKER });
      await record(created, updated);
      const entity = { ...ENTITY, family: 'workspace', entityId: 'task/t' } as const;
      const before = await texts(entity);
      const work = await begin({ entity, fields: ['/description', '/prompt'] });
      const later = task('task_updated', { task_id: 't', title: 'later' });
      await record(later);
      const kept = await collect(work.kept());
      expect(kept.map(({ event: { id } }) => id)).toEqual([created, updated, later].map(({ event: { id } }) => id));
      expect(kept[0]?.event.data).toEqual({ ...own, description: '' });
      expect(kept[1]?.event.data).toEqual({ task_id: 't' });
      expect(kept[2]).toEqual(later);
      await finish(work);
      const after = await texts(entity);
      const placeOf = ({ event: { position, id, entitySequence, recordedAt } }: (typeof after)[number]) => [
        position,
        id,
        entitySequence,
        recordedAt,
      ];
      expect(after.slice(0, 2).map(placeOf)).toEqual(before.map(placeOf));
      expect(after.map(({ event: { data } }) => data)).toEqual(kept.map(({ event: { data } }) => data));
      expect(JSON.stringify(after)).not.toContain(MARKER);
      expect(await world.erasures.find(work.erasureId)).toMatchObject({ erasedEvents: 2 });
    });

    it('takes a field out of free data wherever it is, and is content with events that lack it', async () => {
      await record(
        event({ data: { a: { 'b/c': MARKER, keep: 1 }, list: [MARKER, 'stays'] } }),
        event({ data: { other: 2 } }),
      );
      await finish(await begin({ fields: ['/a/b~1c', '/list/0'] }));
      expect((await texts()).map(({ event: { data } }) => data)).toEqual([
        { a: { keep: 1 }, list: ['', 'stays'] },
        { other: 2 },
      ]);
    });

    it('refuses what cannot be erased, and notes nothing', async () => {
      await record(event(), task('task_deleted', { task_id: 't' }));
      const refusal = (request: Partial<ErasureRequest>) =>
        world.erasures.request({ entity: ENTITY, fields: [], ...request }).then(
          () => 'taken',
          (error: { code?: string }) => error.code,
        );
      expect(await refusal({ entity: { ...ENTITY, entityId: 'unknown' } })).toBe('not_found');
      expect(await refusal({ entity: { ...ENTITY, workspaceId: 2 } })).toBe('not_found');
      expect(await refusal({ entity: { ...ENTITY, family: 'registry' } })).toBe('invalid_request');
      expect(await refusal({ fields: ['text'] })).toBe('invalid_request');
      expect(await refusal({ fields: ['/text', '/missing'] })).toBe('invalid_request');
      const ofTask = { ...ENTITY, family: 'workspace', entityId: 'task/t' } as const;
      expect(await refusal({ entity: ofTask, fields: ['/task_id'] })).toBe('invalid_request');
      expect(await world.erasures.list({ limit: 10 })).toEqual([]);
      expect(await refusal({})).toBe('taken');
      expect(await refusal({ fields: ['/text'] })).toBe('conflict');
    });

    it('is not open while the read model is rebuilt or a former one is kept, nor the other way round', async () => {
      await record(event());
      await world.rebuilds.request({ positions: 'keep', dropOld: false });
      await expect(world.erasures.request({ entity: ENTITY, fields: [] })).rejects.toMatchObject({ code: 'conflict' });
      const rebuild = await world.rebuilds.claim('a builder', LEASE_MS);
      await rebuild?.discard();
      const work = await begin();
      await expect(world.rebuilds.request({ positions: 'keep', dropOld: false })).rejects.toMatchObject({
        code: 'conflict',
      });
      await finish(work);
      await world.rebuilds.request({ positions: 'keep', dropOld: false });
    });

    it('is gone on with by another worker where the first one stopped, who is refused then (G6)', async () => {
      await record(event(), event());
      const { erasureId } = await world.erasures.request({ entity: ENTITY, fields: [] });
      const first = await world.erasures.claim('first', 1);
      if (!first) throw new Error('there is nothing to do');
      expect(first.step).toBe(ERASURE_STEPS[0]);
      const progress = {
        requestedEnds: new Map([[LANE, 6]]),
        sealedEnds: new Map([[LANE, 7]]),
        upTo: (await world.model.head()).position,
        mark: 'a mark',
        caveat: 'not all',
      };
      await first.advance('events', progress);
      let second: ErasureWork | undefined;
      await until(
        async () => (second = await world.erasures.claim('second', LEASE_MS)) !== undefined,
        'the lease runs out',
      );
      expect(second).toMatchObject({ erasureId, entity: ENTITY, fields: [], step: 'events', progress });
      expect(await world.erasures.find(erasureId)).toMatchObject({
        step: 'events',
        holder: 'second',
        caveat: 'not all',
      });
      for (const refused of [
        () => first.requireHeld(),
        () => first.advance('parked'),
        () => first.renew(LEASE_MS),
        () => first.note('x'),
        () => first.finish(),
      ]) {
        await expect(refused()).rejects.toMatchObject({ code: 'conflict' });
      }
      if (second) await finish(second);
      await expect(second?.renew(LEASE_MS)).rejects.toMatchObject({ code: 'conflict' });
      const status = await world.erasures.find(erasureId);
      expect(status?.step).toBeUndefined();
      expect(status?.finishedAt).toBeGreaterThanOrEqual(status?.requestedAt ?? Infinity);
    });

    it('gives nobody an erasure before it is due, and tells what holds it up', async () => {
      await record(event());
      await world.erasures.request({ entity: ENTITY, fields: [] });
      const work = await claim();
      expect(await world.erasures.claim('another', LEASE_MS)).toBeUndefined();
      await work.note('the log is away');
      expect(await world.erasures.list({ limit: 1 })).toMatchObject([{ fault: 'the log is away', holder: 'a worker' }]);
      await work.advance('settling', { mark: 'm' }, 60_000);
      await work.release(0);
      expect(await world.erasures.claim('another', LEASE_MS)).toBeUndefined();
      const [status] = await world.erasures.list({ limit: 1 });
      expect(status).toMatchObject({ step: 'settling' });
      expect(status).not.toHaveProperty('fault');
      expect(status).not.toHaveProperty('holder');
    });

    it('takes the parked records of the entity, and no others', async () => {
      await record(event());
      const parked = (text: string, workspaceId?: number) => ({
        lane: LANE,
        index: index++,
        value: new TextEncoder().encode(text),
        reason: 'not_json' as const,
        detail: 'no event',
        ...(workspaceId !== undefined && { workspaceId }),
      });
      let index = 0;
      const sealed = (entity: EntityRef) => ({ ...parked('', undefined), value: sealedBytes(entity) });
      const records = [
        parked(JSON.stringify(event().event), 1),
        parked(JSON.stringify({ ...event().event, workspaceId: 2 }), 2),
        parked(JSON.stringify({ ...event().event, entityId: 'sandbox-2', about: ENTITY.entityId }), 1),
        parked(`{"entityId":"sandbox-1" broken`),
        parked('poison of nobody'),
        sealed(ENTITY),
        sealed({ ...ENTITY, workspaceId: 2 }),
        sealed({ ...ENTITY, family: 'session' }),
        sealed({ ...ENTITY, entityId: `${ENTITY.entityId}2` }),
      ];
      await world.model.record({ envelopes: [], parked: records, checkpoints: new Map() });
      const work = await begin();
      await finish(work);
      expect((await world.model.parked.list({ limit: 10 })).map((record) => record.index)).toEqual([1, 2, 4, 6, 7, 8]);
      expect(await world.erasures.find(work.erasureId)).toMatchObject({ erasedParked: 3 });
    });

    it('lists the newest first, in pages', async () => {
      await record(...[1, 2, 3].map((n) => event({ id: newEventId(), entityId: `sandbox-${n}` })));
      for (const n of [1, 2, 3])
        await world.erasures.request({ entity: { ...ENTITY, entityId: `sandbox-${n}` }, fields: [] });
      const ids = async (query: { before?: number; limit: number }) =>
        (await world.erasures.list(query)).map(({ entity }) => entity.entityId);
      expect(await ids({ limit: 2 })).toEqual(['sandbox-3', 'sandbox-2']);
      const before = (await world.erasures.list({ limit: 2 })).at(-1)?.erasureId ?? 0;
      expect(await ids({ before, limit: 2 })).toEqual(['sandbox-1']);
      expect(await world.erasures.find(1_000_000)).toBeUndefined();
    });
  });
}
