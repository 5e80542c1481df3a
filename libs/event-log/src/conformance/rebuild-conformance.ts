import { encodeEnvelope, newEventId } from '@sluice/event-schema';
import { BEFORE_FIRST } from '../position';
import type { Lane } from '../ports/durable-log';
import type { ReadModel } from '../ports/read-model';
import type { ReadModelRebuilds, RebuildRequest, RebuildWork } from '../ports/read-model-rebuild';
import { describeRebuildsOfDamaged } from './damaged-rebuild-conformance';
import { ScriptedLog } from './scripted-log';
import { sandboxEnvelope, until } from './tools';

/** A read model, empty, that can be rebuilt. */
export interface RebuildHarness {
  open(): Promise<{ readonly model: ReadModel; readonly rebuilds: ReadModelRebuilds }>;
  destroy(): Promise<void>;
}

const LEASE_MS = 60_000;
const KEEP: RebuildRequest = { positions: 'keep', dropOld: false };
const RENUMBER: RebuildRequest = { positions: 'renumber', dropOld: false };

/** What every ReadModelRebuilds must do. */
export function describeReadModelRebuilds(name: string, create: () => Promise<RebuildHarness>): void {
  describe(`ReadModelRebuilds: ${name}`, () => {
    let harness: RebuildHarness;
    let model: ReadModel;
    let rebuilds: ReadModelRebuilds;
    let log: ScriptedLog;
    let entity: number;

    beforeEach(async () => {
      harness = await create();
      ({ model, rebuilds } = await harness.open());
      log = new ScriptedLog();
      entity = 0;
    });
    afterEach(() => harness.destroy());

    const envelope = () => sandboxEnvelope({ entityId: `sandbox-${entity++ % 3}` });
    const everything = async () => {
      const { events } = await model.readAll({
        after: BEFORE_FIRST,
        upTo: (await model.head()).position,
        limit: 10_000,
      });
      return events.map(({ json }) => json);
    };
    const parked = () => model.parked.list({ limit: 100 });
    const claim = async (holder = 'a builder'): Promise<RebuildWork> => {
      const work = await rebuilds.claim(holder, LEASE_MS);
      if (!work) throw new Error('there is nothing to build');
      return work;
    };
    const begin = async (request: RebuildRequest): Promise<RebuildWork> => {
      await rebuilds.request(request);
      const work = await claim();
      await work.prepare();
      return work;
    };
    /** Two lanes, recorded in turns, with poison between. */
    const fill = async () => {
      for (let n = 0; n < 6; n++) {
        log.append(n % 2, envelope(), envelope());
        if (n === 3) log.appendPoison(1, 'no json');
      }
      await model.record(log.recordBatch(1, 0, 3));
      await model.record(log.recordBatch(0, 0));
      await model.record(log.recordBatch(1, 3));
    };
    const settled = async (work: RebuildWork) => {
      const { events, records } = await work.remainder(log);
      return events === 0 && records === 0;
    };
    const finish = async (work: RebuildWork) => {
      await log.bringTo(work);
      expect(await work.switchOver(() => settled(work))).toBe('switched');
    };

    it('keeps positions, epoch, entity sequences, checkpoints and parked records, and goes on from there (G4, G10)', async () => {
      await fill();
      await model.parked.markReplayed([1]);
      const [before, head, parkedBefore] = [await everything(), await model.head(), await parked()];
      const lanes = [0, 1] as Lane[];
      const checkpoints = await model.loadCheckpoints(lanes);
      await finish(await begin(KEEP));
      expect(await everything()).toEqual(before);
      expect(await model.head()).toEqual(head);
      expect(await parked()).toEqual(parkedBefore);
      expect(await model.loadCheckpoints(lanes)).toEqual(checkpoints);
      expect(await rebuilds.status()).toMatchObject({ state: 'switched', builtEvents: 12, liveEvents: 12 });

      log.append(0, envelope());
      const { epoch, recorded } = await model.record(log.recordBatch(0, 6));
      expect(epoch).toBe(head.epoch);
      expect(recorded.map(({ event }) => [event.position, event.entitySequence])).toEqual([[13, 5]]);
    });

    it('keeps the lease of the publisher', async () => {
      await fill();
      const grant = await model.acquire('publisher', LEASE_MS);
      if (!grant) throw new Error('nobody else has it');
      await model.advance(grant, (await model.head()).position);
      await finish(await begin(KEEP));
      expect(await model.acquire('another', LEASE_MS)).toBeUndefined();
      expect(await model.acquire('publisher', LEASE_MS)).toMatchObject({
        fencingToken: grant.fencingToken,
        published: 12,
      });
    });

    it('numbers anew in a new epoch, parks again, and takes the lease from the publisher', async () => {
      await fill();
      await model.parked.markReplayed([1]);
      const grant = await model.acquire('publisher', LEASE_MS);
      if (!grant) throw new Error('nobody else has it');
      const [before, head] = [await everything(), await model.head()];
      await finish(await begin(RENUMBER));
      const after = await model.head();
      expect(after.position).toBe(head.position);
      expect(after.epoch).not.toBe(head.epoch);
      const ids = (texts: readonly string[]) => texts.map((text) => (JSON.parse(text) as { id: string }).id);
      expect(ids(await everything()).sort()).toEqual(ids(before).sort());
      expect(await parked()).toMatchObject([{ lane: 1, reason: 'not_json', replayedAt: expect.any(Number) }]);
      expect(await model.advance(grant, after.position)).toBe(false);
      expect(await model.acquire('publisher', LEASE_MS)).toMatchObject({ published: after.position });
    });

    it('copies only what the live model has handled, so that no event has two positions', async () => {
      log.append(0, envelope(), envelope(), envelope());
      await model.record(log.recordBatch(0, 0, 2));
      const work = await begin(KEEP);
      const batch = log.batchFrom(new Map());
      if (!batch) throw new Error('there are records');
      expect(await work.copy(batch)).toEqual(new Map([[0, 2]]));
      expect(await work.remainder(log)).toMatchObject({ records: 0, unread: 1, events: 2 });
      await model.record(log.recordBatch(0, 2));
      expect(await work.remainder(log)).toMatchObject({ records: 1, events: 3 });
      await finish(work);
      expect(await everything()).toHaveLength(3);
    });

    it('goes on in another process where the first one left off, and refuses the first one', async () => {
      await fill();
      const first = await begin(KEEP);
      const batch = log.batchFrom(new Map(), 2);
      if (!batch) throw new Error('there are records');
      await first.copy(batch);
      await first.project();
      expect(await rebuilds.claim('another', LEASE_MS)).toBeUndefined();
      await first.release();
      const second = await claim('another');
      await second.prepare();
      expect((await second.loadCheckpoints([0, 1] as Lane[])).get(0 as Lane)).toBe(2);
      const lost = { code: 'conflict' };
      await expect(first.copy(batch)).rejects.toMatchObject(lost);
      await expect(first.project()).rejects.toMatchObject(lost);
      await expect(first.renew(LEASE_MS)).rejects.toMatchObject(lost);
      await expect(first.switchOver(() => Promise.resolve(true))).rejects.toMatchObject(lost);
      await expect(first.discard()).rejects.toMatchObject(lost);
      const before = await everything();
      await finish(second);
      expect(await everything()).toEqual(before);
    });

    it('lets another process go on when the first one says nothing for its lease (G6)', async () => {
      await fill();
      await rebuilds.request(KEEP);
      const first = await rebuilds.claim('first', 1);
      let second: RebuildWork | undefined;
      await until(async () => (second = await rebuilds.claim('second', LEASE_MS)) !== undefined, 'the lease runs out');
      await expect(first?.prepare()).rejects.toMatchObject({ code: 'conflict' });
      await second?.prepare();
      expect(await rebuilds.status()).toMatchObject({ holder: 'second' });
      if (second) await finish(second);
    });

    it('records what comes during the switch once, in the new model', async () => {
      await fill();
      const work = await begin(KEEP);
      await log.bringTo(work);
      const late = envelope();
      log.append(0, late);
      let recording: Promise<unknown> | undefined;
      const outcome = await work.switchOver(async () => {
        recording = model.record(log.recordBatch(0, 6)).catch((error: unknown) => error);
        return settled(work);
      });
      expect(outcome).toBe('switched');
      await recording;
      await model.record(log.recordBatch(0, 6));
      const all = (await everything()).map((text) => JSON.parse(text) as { id: string; position: number });
      expect(all.filter(({ id }) => id === late.event.id)).toEqual([expect.objectContaining({ position: 13 })]);
      expect(all).toHaveLength(13);
    });

    it('changes nothing where what is left does not settle, and counts the attempt', async () => {
      await fill();
      const work = await begin(KEEP);
      expect(await work.switchOver(() => Promise.resolve(false))).toBe('not_yet');
      expect(await rebuilds.status()).toMatchObject({ state: 'building', attempts: 1, builtEvents: 0 });
      log.append(0, envelope());
      expect((await model.record(log.recordBatch(0, 6))).recorded).toHaveLength(1);
      await finish(work);
    });

    it('does not switch any more once its end was asked for', async () => {
      await fill();
      const work = await begin(KEEP);
      await log.bringTo(work);
      const outcome = await work.switchOver(async () => {
        await rebuilds.abort();
        return settled(work);
      });
      expect(outcome).toBe('not_yet');
      expect(await rebuilds.status()).toMatchObject({ state: 'aborting', oldModelKept: false });
      await work.discard();
      expect(await rebuilds.status()).toMatchObject({ state: 'aborted' });
      expect(await everything()).toHaveLength(12);
    });

    it('records what the live model lacked, at the head, while the projectors go on where they are (G2)', async () => {
      await fill();
      const skipped = envelope();
      log.append(0, skipped, envelope());
      await model.record({ ...log.recordBatch(0, 7), checkpoints: new Map([[0 as Lane, { from: 0, to: 8 }]]) });
      await finish(await begin(KEEP));
      const last = (await everything()).slice(13).map((text) => JSON.parse(text) as { id: string; position: number });
      expect(last).toMatchObject([{ id: skipped.event.id, position: 14 }]);
      expect(await rebuilds.status()).toMatchObject({ builtEvents: 14, liveEvents: 14 });
      const lanes = await model.loadCheckpoints([0 as Lane]);
      expect(lanes.get(0 as Lane)).toBe(8);
      // A projector that runs has its place in memory.
      const next = envelope();
      log.append(0, next);
      const { recorded } = await model.record(log.recordBatch(0, 8));
      expect(recorded.map(({ event }) => [event.id, event.position])).toEqual([[next.event.id, 15]]);
    });

    it('takes the text of the log, and skips a second event with a known id', async () => {
      const event = envelope();
      const imposter = encodeEnvelope({ ...event.event, entityId: 'another', data: { exitCode: 9 } });
      log.append(0, imposter);
      log.append(1, event);
      await model.record(log.recordBatch(1, 0));
      await model.record(log.recordBatch(0, 0));
      const before = await everything();
      await finish(await begin(KEEP));
      expect(await everything()).toEqual(before);
    });

    it('says what it misses where the log does not have what the live model has', async () => {
      await fill();
      const gone = envelope();
      await model.record({ envelopes: [gone], parked: [], checkpoints: new Map() });
      const work = await begin(KEEP);
      await log.bringTo(work);
      expect(await work.remainder(log)).toMatchObject({ records: 0, events: 1 });
      expect(await work.fillHoles()).toContain(gone.event.id);
      await work.discard('the log lacks an event');
      expect(await rebuilds.status()).toMatchObject({ state: 'failed', fault: 'the log lacks an event' });
      expect(await everything()).toHaveLength(13);
    });

    it('does one rebuild at a time, ends one that is not wanted any more, and drops what a switch left', async () => {
      await fill();
      expect(await rebuilds.status()).toBeUndefined();
      await expect(rebuilds.abort()).rejects.toMatchObject({ code: 'conflict' });
      const work = await begin(KEEP);
      await expect(rebuilds.request(KEEP)).rejects.toMatchObject({ code: 'conflict' });
      expect(await work.renew(LEASE_MS)).toBe('building');
      expect(await rebuilds.abort()).toMatchObject({ state: 'aborting' });
      expect(await work.renew(LEASE_MS)).toBe('aborting');
      await work.discard();
      expect(await rebuilds.status()).toMatchObject({ state: 'aborted', oldModelKept: false });
      expect(await rebuilds.claim('anybody', LEASE_MS)).toBeUndefined();
      expect(await rebuilds.dropOld()).toBe(false);

      await finish(await begin(KEEP));
      expect(await rebuilds.status()).toMatchObject({ state: 'switched', oldModelKept: true });
      await expect(rebuilds.request(KEEP)).rejects.toMatchObject({ code: 'conflict' });
      expect(await rebuilds.dropOld()).toBe(true);
      expect(await rebuilds.status()).toMatchObject({ oldModelKept: false });
      await finish(await begin(RENUMBER));
    });

    describeRebuildsOfDamaged(() => ({ model, rebuilds }));

    it('builds an empty model, too', async () => {
      await finish(await begin(KEEP));
      log.append(0, sandboxEnvelope({ id: newEventId() }));
      expect((await model.record(log.recordBatch(0, 0))).recorded).toHaveLength(1);
    });
  });
}
