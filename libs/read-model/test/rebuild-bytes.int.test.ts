import { BEFORE_FIRST, type Lane, type RebuildPositions } from '@sluice/event-log';
import { removeOldest, sandboxEnvelope, ScriptedLog } from '@sluice/event-log/conformance';
import { entityKey, type EncodedEnvelope } from '@sluice/event-schema';
import { agentHistory, sessionHistory, workspaceHistory } from '@sluice/projections/conformance';
import fc from 'fast-check';
import { openReadModel, type PrismaReadModel } from '../src';
import { createMigratedDatabase, type FreshDatabase } from './fresh-database';
import { BUILD_TIMES, dumpModel } from './model-dump';

const LANES = 3;

/** Histories of all families, mixed, as they come to the log. */
function history(seed: number, numRuns = 8): readonly EncodedEnvelope[] {
  const families = [workspaceHistory, agentHistory, sessionHistory].map((arbitrary, n) =>
    fc.sample(arbitrary, { seed: seed + n, numRuns }).flat(2),
  );
  const sandboxes = Array.from({ length: 40 }, (_, n) =>
    sandboxEnvelope({ entityId: `sandbox-${n % 7}`, type: n % 3 === 0 ? 'execution.started' : 'execution.completed' }),
  );
  const all = [...families, sandboxes];
  const longest = Math.max(...all.map((events) => events.length));
  return Array.from({ length: longest }, (_, n) => all.flatMap((events) => events.slice(n, n + 1))).flat();
}

function laneOf(event: EncodedEnvelope['event']): number {
  return [...entityKey(event)].reduce((sum, character) => sum + character.charCodeAt(0), 0) % LANES;
}

function logOf(events: readonly EncodedEnvelope[], lane: (event: EncodedEnvelope['event']) => number): ScriptedLog {
  const log = new ScriptedLog();
  for (const [n, envelope] of events.entries()) {
    log.append(lane(envelope.event), envelope);
    if (n % 50 === 7) log.appendPoison(lane(envelope.event), `poison ${n}`);
  }
  return log;
}

/** What the projectors do, lane by lane in turns, so many records at a time. */
async function project(model: PrismaReadModel, log: ScriptedLog, batchSizes: readonly number[]): Promise<void> {
  const lanes = Array.from({ length: LANES }, (_, lane) => lane as Lane);
  let from = new Map<Lane, number>();
  for (let n = 0; ; n++) {
    const batch = log.batchFrom(from, batchSizes[n % batchSizes.length]);
    if (!batch) return;
    const envelopes = batch.events.map(({ envelope }) => envelope);
    await model.record({ envelopes, parked: batch.parked, checkpoints: batch.checkpoints });
    from = new Map(await model.loadCheckpoints(lanes));
  }
}

async function rebuild(model: PrismaReadModel, log: ScriptedLog, positions: RebuildPositions, batchSize: number) {
  await model.rebuilds.request({ positions, dropOld: false });
  const work = await model.rebuilds.claim('test', 60_000);
  if (!work) throw new Error('there is nothing to build');
  await work.prepare();
  await log.bringTo(work, batchSize);
  if ((await work.remainder(log)).events > 0) {
    expect(await work.fillHoles()).toBeUndefined();
    await log.bringTo(work, batchSize);
  }
  const settled = async () => {
    const { events, records } = await work.remainder(log);
    return events + records === 0;
  };
  expect(await work.switchOver(settled)).toBe('switched');
  expect(await model.rebuilds.dropOld()).toBe(true);
}

describe('a rebuilt read model', () => {
  const opened: { readonly database: FreshDatabase; readonly model: PrismaReadModel }[] = [];
  const open = async () => {
    const database = await createMigratedDatabase();
    const model = await openReadModel({ databaseUrl: database.url });
    opened.push({ database, model });
    return { database, model };
  };
  afterEach(async () => {
    for (const { database, model } of opened.splice(0)) {
      await model.close();
      await database.drop();
    }
  });

  it('is byte for byte what it was, in every table (G4, G10)', async () => {
    const log = logOf(history(1, 12), laneOf);
    const { database, model } = await open();
    await project(model, log, [25, 3, 17]);
    await model.parked.markReplayed([2]);
    await model.acquire('publisher', 60_000);
    for (const family of ['sandbox', 'workspace', 'registry', 'session'] as const)
      await removeOldest(model.retention, 15, { family });
    const before = await dumpModel(database, 'read_model');
    // Nothing is compared with nothing.
    for (const [table, rows] of Object.entries(before)) {
      if (table !== 'workspace_removals') expect({ table, rows: rows.length }).not.toEqual({ table, rows: 0 });
    }
    await rebuild(model, log, 'keep', 19);
    expect(await dumpModel(database, 'read_model')).toEqual(before);
    await rebuild(model, log, 'keep', 1_000);
    expect(await dumpModel(database, 'read_model')).toEqual(before);
  });

  it('is what a fresh one becomes by the same log, but for the times of recording and the epoch (G10)', async () => {
    const log = logOf(history(5), () => 0);
    const [rebuilt, fresh] = [await open(), await open()];
    await project(rebuilt.model, log, [23, 40]);
    await project(fresh.model, log, [31]);
    const expected = await dumpModel(fresh.database, 'read_model', BUILD_TIMES);
    const leaseOf = { publisher_lease: expect.anything() };
    await rebuild(rebuilt.model, log, 'keep', 37);
    expect(await dumpModel(rebuilt.database, 'read_model', BUILD_TIMES)).toEqual({ ...expected, ...leaseOf });
    await rebuild(rebuilt.model, log, 'renumber', 37);
    expect(await dumpModel(rebuilt.database, 'read_model', BUILD_TIMES)).toEqual({ ...expected, ...leaseOf });
  });

  it('has what is removed removed again, also what the log has no more, and then without its effect (G2, G4)', async () => {
    const events = history(11);
    const log = logOf(events, laneOf);
    const { database, model } = await open();
    await project(model, log, [20]);
    await removeOldest(model.retention, 30);
    const before = await dumpModel(database, 'read_model');
    const removed = new Set(
      ((await database.query('SELECT id FROM read_model.removed_events')) as { id: string }[]).map(({ id }) => id),
    );
    log.rewrite((envelope) => (removed.has(envelope.event.id) ? undefined : envelope));
    await rebuild(model, log, 'keep', 50);
    const { sandboxes, ...others } = await dumpModel(database, 'read_model');
    const { sandboxes: sandboxesBefore, ...othersBefore } = before;
    expect(others).toEqual(othersBefore);
    expect(sandboxes).not.toEqual(sandboxesBefore);
    expect(await model.rebuilds.status()).toMatchObject({ leftOutEvents: 30 });
    expect((await model.record({ envelopes: events, parked: [], checkpoints: new Map() })).recorded).toEqual([]);
  });

  it('of a new numbering knows what is removed by its id, has its effect, and has missed nothing (G2, G4)', async () => {
    const events = history(13);
    const log = logOf(events, laneOf);
    const { database, model } = await open();
    await project(model, log, [20]);
    await removeOldest(model.retention, 30);
    const before = await dumpModel(database, 'read_model');
    const head = await model.head();
    await rebuild(model, log, 'renumber', 50);
    const after = await dumpModel(database, 'read_model');
    expect(after['retention_floors']).toEqual([]);
    expect(after['removed_events']).toHaveLength(30);
    expect(after['recorded_events']).toHaveLength(before['recorded_events']?.length ?? 0);
    const activity = (dump: typeof after) => dump['sandboxes']?.map((row) => row.split(',').slice(0, 6));
    expect(activity(after)).toEqual(activity(before));
    const range = await model.readAll({ after: BEFORE_FIRST, upTo: head.position, limit: 100_000 });
    expect([range.reached, range.removed.length]).toEqual([head.position, 30]);
    expect((await model.record({ envelopes: events, parked: [], checkpoints: new Map() })).recorded).toEqual([]);
  });

  it('brings back what was damaged in the live one', async () => {
    const log = logOf(history(9), laneOf);
    const { database, model } = await open();
    await project(model, log, [20]);
    const before = await dumpModel(database, 'read_model');
    await database.query(`
      UPDATE read_model.recorded_events SET envelope = replace(envelope, '"data"', '"damaged"') WHERE position % 9 = 4;
      DELETE FROM read_model.workspace_documents;
      UPDATE read_model.agent_standings SET score = 1;
      UPDATE read_model.sandboxes SET executions_completed = 0;
      DELETE FROM read_model.entities WHERE family = 'session'`);
    await rebuild(model, log, 'keep', 50);
    expect(await dumpModel(database, 'read_model')).toEqual(before);
    const { events } = await model.read({ filter: { workspaceIds: [1] }, after: BEFORE_FIRST, limit: 10_000 });
    expect(events.filter(({ json }) => json.includes('"damaged"'))).toEqual([]);
  });
});
