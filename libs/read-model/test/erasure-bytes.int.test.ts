import { isRecordOf, toPosition, type EntityRef, type Lane } from '@sluice/event-log';
import { sandboxEnvelope, ScriptedLog } from '@sluice/event-log/conformance';
import type { EncodedEnvelope } from '@sluice/event-schema';
import { changesOfKind, projectEvent } from '@sluice/projections';
import { sessionHistory, workspaceHistory } from '@sluice/projections/conformance';
import fc from 'fast-check';
import { openReadModel, type PrismaReadModel } from '../src';
import { createMigratedDatabase, type FreshDatabase } from './fresh-database';
import { dumpModel } from './model-dump';

const LANE = 0 as Lane;
const LEASE_MS = 60_000;

/** Histories of the families that can be erased, mixed, in two workspaces. */
function history(seed: number): readonly EncodedEnvelope[] {
  const families = [workspaceHistory, sessionHistory].map((arbitrary, n) =>
    fc.sample(arbitrary, { seed: seed + n, numRuns: 12 }).flat(2),
  );
  const sandboxes = Array.from({ length: 60 }, (_, n) =>
    sandboxEnvelope({
      entityId: `sandbox-${n % 5}`,
      workspaceId: 1 + (n % 2),
      type: n % 3 === 0 ? 'execution.started' : 'execution.completed',
      data: { secret: `text ${n}`, stays: n },
    }),
  );
  const all = [...families, sandboxes];
  const longest = Math.max(...all.map((events) => events.length));
  return withRunsOfOneEntity(
    Array.from({ length: longest }, (_, n) => all.flatMap((events) => events.slice(n, n + 1))).flat(),
  );
}

/** Ids of runs are unique where they are made; histories for tests are not so careful. */
function withRunsOfOneEntity(events: readonly EncodedEnvelope[]): readonly EncodedEnvelope[] {
  const owners = new Map<string, string>();
  return events.filter(({ event }) => {
    const entity = JSON.stringify([event.workspaceId, event.entityId]);
    const changes = projectEvent({ ...event, position: toPosition(1), entitySequence: 1, recordedAt: 0 });
    const runs = changesOfKind('workspace_document', changes).filter(({ documentKind }) => documentKind === 'run');
    return runs.every(({ id }) => {
      const run = JSON.stringify([event.workspaceId, id]);
      if (!owners.has(run)) owners.set(run, entity);
      return owners.get(run) === entity;
    });
  });
}

async function project(model: PrismaReadModel, log: ScriptedLog): Promise<void> {
  let from = (await model.loadCheckpoints([LANE])).get(LANE) ?? 0;
  for (;;) {
    const batch = log.batchFrom(new Map([[LANE, from]]), 23);
    if (!batch) return;
    const envelopes = batch.events.map(({ envelope }) => envelope);
    await model.record({ envelopes, parked: batch.parked, checkpoints: batch.checkpoints });
    from = batch.checkpoints.get(LANE)?.to ?? from;
  }
}

async function rebuild(model: PrismaReadModel, log: ScriptedLog): Promise<void> {
  await model.rebuilds.request({ positions: 'keep', dropOld: false });
  const work = await model.rebuilds.claim('test', LEASE_MS);
  if (!work) throw new Error('there is nothing to build');
  await work.prepare();
  await log.bringTo(work, 100);
  if ((await work.remainder(log)).events > 0) {
    expect(await work.fillHoles()).toBeUndefined();
    await log.bringTo(work, 100);
  }
  const settled = async () => {
    const { events, records } = await work.remainder(log);
    return events + records === 0;
  };
  expect(await work.switchOver(settled)).toBe('switched');
  expect(await model.rebuilds.dropOld()).toBe(true);
}

describe('a read model after erasures', () => {
  let database: FreshDatabase;
  let model: PrismaReadModel;
  let log: ScriptedLog;
  beforeEach(async () => {
    database = await createMigratedDatabase();
    model = await openReadModel({ databaseUrl: database.url });
    log = new ScriptedLog();
  });
  afterEach(async () => {
    await model.close();
    await database.drop();
  });

  /** As the worker does it, with what the log is told to keep. Events come between. */
  async function erase(
    entity: EntityRef,
    fields: readonly string[],
    between: readonly EncodedEnvelope[] = [],
  ): Promise<void> {
    await model.erasures.request({ entity, fields });
    const work = await model.erasures.claim('a worker', LEASE_MS);
    if (!work) throw new Error('there is nothing to do');
    await work.advance('log', { upTo: (await model.head()).position });
    log.append(LANE, ...between);
    await project(model, log);
    const kept = new Map<string, EncodedEnvelope>();
    for await (const batch of work.kept()) for (const envelope of batch) kept.set(envelope.event.id, envelope);
    log.rewrite((envelope) =>
      isRecordOf(entity, Buffer.from(envelope.json)) ? kept.get(envelope.event.id) : envelope,
    );
    await work.advance('events');
    while (await work.eraseEvents());
    await work.projectAnew();
    await work.advance('elsewhere');
    expect(await work.eraseElsewhere()).toBe('done');
    await work.finish();
  }

  const isOf =
    (entity: EntityRef) =>
    ({ event }: EncodedEnvelope) =>
      isRecordOf(entity, Buffer.from(JSON.stringify(event)));
  const entitiesIn = (events: readonly EncodedEnvelope[], family: string): EntityRef[] => {
    const found = new Map<string, EntityRef>();
    for (const { event } of events) {
      const { workspaceId, entityId } = event;
      if (event.family === family)
        found.set(`${workspaceId} ${entityId}`, { workspaceId, family: event.family, entityId });
    }
    return [...found.values()];
  };

  it.each(['workspace', 'session', 'sandbox'])(
    'is, byte for byte, what a rebuild makes of the log: of whole entities of the family %s (G10)',
    async (family) => {
      const events = history(family.length);
      log.append(LANE, ...events);
      await project(model, log);
      const entities = entitiesIn(events, family);
      expect(entities.length).toBeGreaterThan(3);
      for (const [n, entity] of entities.entries()) {
        if (n % 2 === 1) continue;
        // What comes after the erasure was begun is as what was before, under other ids.
        const again = events.filter(isOf(entity)).slice(0, n === 0 ? 4 : 0);
        const between = again.map(({ event }) => ({ ...event, id: crypto.randomUUID() }));
        await erase(
          entity,
          [],
          between.map((event) => ({ event, json: JSON.stringify(event) })),
        );
      }
      const after = await dumpModel(database, 'read_model');
      await rebuild(model, log);
      expect(await dumpModel(database, 'read_model')).toEqual(after);
      const kept = new Set(entities.filter((_, n) => n % 2 === 1).map(({ entityId }) => entityId));
      expect(kept.size).toBeGreaterThan(0);
    },
  );

  it('is what a rebuild makes of the log where fields were erased, too (G10)', async () => {
    const events = history(9);
    log.append(LANE, ...events);
    await project(model, log);
    await erase({ workspaceId: 1, family: 'sandbox', entityId: 'sandbox-0' }, ['/secret']);
    const tasks = entitiesIn(events, 'workspace').filter(({ entityId }) => entityId.startsWith('task/'));
    let erased = 0;
    for (const entity of tasks) {
      const has = events.filter(isOf(entity)).some(({ event }) => typeof event.data['description'] === 'string');
      if (!has) continue;
      await erase(entity, ['/description']);
      erased++;
    }
    expect(erased).toBeGreaterThan(0);
    const after = await dumpModel(database, 'read_model');
    expect(JSON.stringify(after)).toContain('\\"stays\\"');
    await rebuild(model, log);
    expect(await dumpModel(database, 'read_model')).toEqual(after);
    const { events: left } = await model.read({
      filter: { workspaceIds: [1], entityIds: ['sandbox-0'] },
      after: toPosition(0),
      limit: 100,
    });
    expect(left.map(({ event }) => Object.keys(event.data))).toEqual(left.map(() => ['stays']));
  });
});
