import { newEventId, type EncodedEnvelope, type EventEnvelope } from '@sluice/event-schema';
import { decodeUtf8 } from '../encoding';
import { SluiceError } from '../errors';
import type { DurableLog, Lane } from '../ports/durable-log';
import type { LogEntity } from '../ports/log-erasure';
import type { DurableLogHarness } from './durable-log-conformance';
import { sandboxEnvelope, until } from './tools';

const ERASED: LogEntity = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-erased' };

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

const about = (entity: LogEntity, n: unknown, text = 'secret') =>
  sandboxEnvelope({ ...entity, id: newEventId(), data: { n, text } });

async function* inBatches(...batches: readonly (readonly EncodedEnvelope[])[]) {
  yield* batches;
}

const nothing = () => inBatches();

let lastGroup = 0;

/** The texts of all records that a new follower is given, in order, up to where the log ended when it was asked. */
export async function readTexts(log: DurableLog): Promise<readonly string[]> {
  const ends = await log.ends();
  const texts: string[] = [];
  const reached = new Map<Lane, number>();
  const follower = await log.follow({
    group: `reader-${process.pid}-${Date.now()}-${++lastGroup}`,
    maxBatchRecords: 100,
    loadCheckpoints: async () => new Map(reached),
    handle: async ({ records, checkpoints }) => {
      texts.push(...records.map(({ value }) => decodeUtf8(value)));
      for (const [lane, { to }] of checkpoints) reached.set(lane, to);
    },
  });
  const isRead = () => [...ends].every(([lane, end]) => (reached.get(lane) ?? 0) >= end);
  await until(isRead, 'the log is read');
  await follower.stop();
  return texts;
}

const textsOf = async (log: DurableLog, entity: LogEntity) => {
  const events = (await readTexts(log)).map((text) => JSON.parse(text) as EventEnvelope);
  return events
    .filter(({ entityId, family, workspaceId }) =>
      [entityId, family, workspaceId].every(
        (value, n) => value === [entity.entityId, entity.family, entity.workspaceId][n],
      ),
    )
    .map(({ data }) => data);
};

const ready = (log: DurableLog, mark: string) =>
  until(() => log.erasure.isReady(ERASED, mark), 'what comes can be told from what was there');

async function erase(log: DurableLog, kept = nothing): Promise<void> {
  const { mark } = await log.erasure.begin(ERASED);
  await ready(log, mark);
  await log.erasure.finish(ERASED, mark, kept());
}

/** What every LogErasure must do. Readers may keep what they have in hand for `readersForgetMs()`: the suite uses new ones. */
export function describeLogErasure(name: string, createHarness: () => Promise<DurableLogHarness>): void {
  describe(`LogErasure: ${name}`, () => {
    let harness: DurableLogHarness;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(() => harness.destroy());

    it('takes out all that is about an entity, and nothing else', async () => {
      const log = await harness.open();
      expect(log.erasure.refusal).toBeUndefined();
      const others: LogEntity[] = [
        { ...ERASED, workspaceId: 2 },
        { ...ERASED, family: 'session' },
        { ...ERASED, entityId: `${ERASED.entityId}2` },
      ];
      for (const n of range(3)) await log.append([ERASED, ...others].map((entity) => about(entity, n)));
      await erase(log);
      const reader = await harness.open();
      expect((await readTexts(reader)).filter((text) => text.includes(`"${ERASED.entityId}"`))).toHaveLength(6);
      expect(await textsOf(reader, ERASED)).toEqual([]);
      for (const entity of others) expect(await textsOf(reader, entity)).toHaveLength(3);
    });

    it('brings a new follower to its end, also where the newest records are gone', async () => {
      const log = await harness.open();
      const kept = { ...ERASED, entityId: 'sandbox-kept' };
      await log.append([about(kept, 0)]);
      for (const n of range(3)) await log.append([about(ERASED, n)]);
      await erase(log);
      const reader = await harness.open();
      expect((await readTexts(reader)).map((text) => (JSON.parse(text) as EventEnvelope).entityId)).toEqual([
        kept.entityId,
      ]);
      // What comes then is given to it as well.
      await log.append([about(ERASED, 3)]);
      expect(await textsOf(reader, ERASED)).toHaveLength(1);
    });

    it('keeps what it is given, in order, with its new text', async () => {
      const log = await harness.open();
      const [first, second, third] = range(3).map((n) => about(ERASED, n));
      if (!first || !second || !third) throw new Error('there are three');
      await log.append([first, second, third]);
      const changed = sandboxEnvelope({ ...third.event, data: { n: 2, text: '' } });
      await erase(log, () => inBatches([second], [], [changed]));
      const texts = await readTexts(await harness.open());
      expect(texts).toEqual([second.json, changed.json]);
    });

    it('stores what is to be kept and is not in the log', async () => {
      const log = await harness.open();
      await log.append([about(ERASED, 0)]);
      const kept = about(ERASED, 1);
      await erase(log, () => inBatches([kept]));
      expect(await readTexts(await harness.open())).toEqual([kept.json]);
    });

    it('leaves what is appended later, by everybody', async () => {
      const [log, other] = [await harness.open(), await harness.open()];
      await Promise.all([log, other].map((writer) => writer.append([about(ERASED, 'before')])));
      await erase(log);
      await Promise.all([log, other].map((writer) => writer.append([about(ERASED, 'after')])));
      const data = await textsOf(await harness.open(), ERASED);
      expect(data.map(({ n }) => n)).toEqual(['after', 'after']);
    });

    it('can be repeated at each step, and finished by another process', async () => {
      const [log, other] = [await harness.open(), await harness.open()];
      await log.append([about(ERASED, 'before')]);
      await log.erasure.begin(ERASED);
      const { mark } = await other.erasure.begin(ERASED);
      const kept = about(ERASED, 'kept');
      await ready(log, mark);
      await log.erasure.finish(ERASED, mark, inBatches([kept]));
      await other.erasure.finish(ERASED, mark, inBatches([kept]));
      await log.append([about(ERASED, 'after')]);
      const data = await textsOf(await harness.open(), ERASED);
      expect([...new Set(data.map(({ n }) => n))]).toEqual(['kept', 'after']);
    });

    it('erases again what came after an erasure', async () => {
      const log = await harness.open();
      for (const n of range(3)) {
        await log.append([about(ERASED, n)]);
        await erase(log);
      }
      await log.append([about(ERASED, 3)]);
      expect((await textsOf(await harness.open(), ERASED)).map(({ n }) => n)).toEqual([3]);
    });

    it('has nothing to do for an entity that has nothing', async () => {
      const log = await harness.open();
      await erase(log);
      await log.append([about(ERASED, 0)]);
      expect(await textsOf(await harness.open(), ERASED)).toHaveLength(1);
    });

    it('loses nothing that was acknowledged once it was ready, while four write', async () => {
      const writers = await Promise.all(range(4).map(() => harness.open()));
      const acknowledged = new Map<number, Set<string>>(range(3).map((phase) => [phase, new Set<string>()]));
      let [phase, isOver] = [0, false];
      let failure: unknown;
      const write = async (log: DurableLog) => {
        for (let n = 0; !isOver; n++) {
          const [event, startedIn] = [about(ERASED, n, `phase ${phase}`), phase];
          await log.append([event]);
          // Between the phases it may be told either way.
          if (startedIn === phase) acknowledged.get(phase)?.add(event.event.id);
          // A log in memory answers without giving way to anybody.
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const writing = Promise.all(writers.map(write)).catch((error: unknown) => (failure = error));
      await until(() => (acknowledged.get(0)?.size ?? 0) > 20, 'some are written before');
      phase = 1;
      const eraser = await harness.open();
      const { mark } = await eraser.erasure.begin(ERASED);
      await ready(eraser, mark);
      phase = 2;
      await until(() => (acknowledged.get(2)?.size ?? 0) > 20 || failure !== undefined, 'some are written after');
      await eraser.erasure.finish(ERASED, mark, nothing());
      isOver = true;
      await writing;
      expect(failure).toBeUndefined();
      const ids = new Set(
        (await readTexts(await harness.open())).map((text) => (JSON.parse(text) as EventEnvelope).id),
      );
      const lost = [...(acknowledged.get(2) ?? [])].filter((id) => !ids.has(id));
      const left = [...(acknowledged.get(0) ?? [])].filter((id) => ids.has(id));
      expect({ lost, left }).toEqual({ lost: [], left: [] });
    });

    it('takes nothing out that is not confirmed when all that is to stay is stored, and all of it when it is', async () => {
      const log = await harness.open();
      await log.append(range(3).map((n) => about(ERASED, n)));
      const { mark } = await log.erasure.begin(ERASED);
      await ready(log, mark);
      const stays = about(ERASED, 'stays');
      let isAbandoned = false;
      async function* keptUntilAbandoned() {
        yield [stays];
        isAbandoned = true;
      }
      const confirm = async () => {
        if (isAbandoned) throw new SluiceError('conflict', 'abandoned');
      };
      await expect(log.erasure.finish(ERASED, mark, keptUntilAbandoned(), confirm)).rejects.toMatchObject({
        code: 'conflict',
        message: 'abandoned',
      });
      const numbers = async () => (await textsOf(await harness.open(), ERASED)).map(({ n }) => n);
      expect(await numbers()).toEqual(expect.arrayContaining(range(3)));
      isAbandoned = false;
      await log.erasure.finish(ERASED, mark, inBatches([stays]), confirm);
      expect([...new Set(await numbers())]).toEqual(['stays']);
    });

    it('refuses a mark that it never gave', async () => {
      const log = await harness.open();
      await expect(log.erasure.finish(ERASED, 'no mark', nothing())).rejects.toMatchObject({ code: 'conflict' });
    });
  });
}
