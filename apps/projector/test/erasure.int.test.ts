import type { AppHost } from '@sluice/engine';
import { BEFORE_FIRST, ERASURE_STEPS, type EntityRef, type Lane } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { STEPS } from '../src/erasure/erasure-steps';
import { EngineWorld } from './engine-world';
import { Reader } from './reader';
import { envelope, range } from './tools';

const FIRST_EVENTS = 1_500;
const SANDBOX: EntityRef = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-erased' };
const WORKSPACES = [1, 2];
const LEASE_MS = 15_000;

describe.each(['embedded', 'cluster'] as const)('an erasure on the %s engine', (engine) => {
  let world: EngineWorld;
  beforeAll(async () => {
    world = await EngineWorld.start(engine, { SLUICE_LOG_KEY_MAX_AGE: '2s' });
  });
  afterEach(() => world.stopReplicas());
  afterAll(() => world.stop());

  const append = (host: AppHost, all: readonly ReturnType<typeof envelope>[]) => world.append(host, all);
  const events = (count: number, entity: EntityRef, text: string) =>
    range(1, count).map((n) => envelope({ ...entity, data: { text, n } }));
  const head = async (host: AppHost) => (await host.engine.readModel()).head();

  it('leaves the text of an entity nowhere, keeps all else, and resumes every cursor without a gap (G2, G4, G5, G8)', async () => {
    const host = await world.replica();
    // Followers of the embedded engine hear of each other in one process only.
    const second = engine === 'cluster' ? await world.replica() : host;
    const [marker, stays] = [crypto.randomUUID(), crypto.randomUUID()];
    const before = await head(host);
    const live = await Reader.start(second, before, WORKSPACES);
    const namesake = { ...SANDBOX, workspaceId: 2 };
    const other = { ...SANDBOX, entityId: 'another' };
    await append(host, [
      ...events(FIRST_EVENTS, SANDBOX, marker),
      ...events(3, namesake, stays),
      ...events(3, other, stays),
    ]);
    const model = await host.engine.readModel();
    await model.record({
      envelopes: [],
      parked: [
        {
          lane: 0 as Lane,
          index: 1_000_000_000,
          value: Buffer.from(JSON.stringify({ ...SANDBOX, marker })),
          reason: 'invalid_envelope',
          detail: 'none',
          workspaceId: 1,
        },
      ],
      checkpoints: new Map(),
    });
    await until(() => live.texts.length === FIRST_EVENTS + 6, 'all is told');
    const places = await world.placesOf(marker);
    expect(places).toEqual(expect.arrayContaining(['read_model.recorded_events', 'read_model.parked_records']));
    // And in the log, whichever that is.
    expect(places.length).toBeGreaterThan(2);

    const erasures = await host.engine.erasures();
    const { erasureId } = await erasures.request({ entity: SANDBOX, fields: [] });
    await until(async () => (await erasures.find(erasureId))?.upTo !== undefined, 'it is known what goes');
    // They come while it is under way, about the same entity.
    await append(host, events(20, SANDBOX, stays));
    const done = async () => (await erasures.find(erasureId))?.finishedAt !== undefined;
    await until(done, 'the erasure is done');
    expect(await erasures.find(erasureId)).toMatchObject({ erasedEvents: FIRST_EVENTS, erasedParked: 1 });

    expect(await world.placesOf(marker)).toEqual([]);
    await append(host, events(5, other, stays));
    const { position } = await head(host);
    expect(position).toBe(before.position + FIRST_EVENTS + 31);
    const all = await model.readAll({ after: before.position, upTo: position, limit: 10_000 });
    expect(all.reached).toBe(position);
    expect([all.events.length, all.removed.length]).toEqual([31, FIRST_EVENTS]);
    await until(() => live.positions.at(-1) === position, 'the live subscriber is told of the rest');
    expect(live.positions).toEqual(range(before.position + 1, position));
    for (const each of new Set([host, second])) {
      const resumed = await Reader.start(each, before, WORKSPACES);
      await until(() => resumed.positions.at(-1) === position, 'all that is left is told');
      expect(resumed.positions).toEqual(all.events.map(({ event }) => event.position));
      expect(resumed.texts.join()).not.toContain(marker);
      expect(resumed.resets).toEqual([]);
      resumed.close();
    }
    expect(live.resets).toEqual([]);
    live.close();
    const { events: kept } = await model.read({
      filter: { workspaceIds: [1], entityIds: [SANDBOX.entityId] },
      limit: 100,
    });
    expect(kept).toHaveLength(20);
    expect(kept[0]?.event.entitySequence).toBe(FIRST_EVENTS + 1);
  });

  it('takes a field out of all events of a session, and a rebuild brings it back no more (G10)', async () => {
    const host = await world.replica();
    const marker = crypto.randomUUID();
    const entity: EntityRef = { workspaceId: 1, family: 'session', entityId: `sesn_${marker.replaceAll('-', '')}` };
    await append(
      host,
      range(1, 30).map((n) =>
        envelope({ ...entity, type: 'custom', data: { id: `sevt_${n}`, secret: { text: marker }, n } }),
      ),
    );
    const erasures = await host.engine.erasures();
    const { erasureId } = await erasures.request({ entity, fields: ['/secret/text'] });
    await until(async () => (await erasures.find(erasureId))?.finishedAt !== undefined, 'the erasure is done');
    expect(await world.placesOf(marker)).toEqual([]);
    const model = await host.engine.readModel();
    const read = async () =>
      (await model.read({ filter: { workspaceIds: [1], entityIds: [entity.entityId] }, limit: 100 })).events;
    const before = await read();
    expect(before.map(({ event: { data } }) => data)).toEqual(
      range(1, 30).map((n) => ({ id: `sevt_${n}`, secret: {}, n })),
    );
    await world.rebuild(host);
    expect(await read()).toEqual(before);
    expect(await world.placesOf(marker)).toEqual([]);
  });

  it('is gone on with by another worker, whichever step the one before died in (G6)', async () => {
    const host = await world.replica('erasure');
    const marker = crypto.randomUUID();
    const entity = { ...SANDBOX, entityId: 'died-in-each-step' };
    await append(host, events(600, entity, marker));
    const erasures = await host.engine.erasures();
    const { erasureId } = await erasures.request({ entity, fields: [] });
    const [durableLog, deliveryLog, readModel] = [
      await host.engine.durableLog(),
      await host.engine.deliveryLog(),
      await host.engine.readModel(),
    ];
    const died = new Set<string>();
    for (let n = 0; (await erasures.find(erasureId))?.finishedAt === undefined; n++) {
      let work = await erasures.claim(`worker ${n}`, LEASE_MS);
      await until(async () => (work ??= await erasures.claim(`worker ${n}`, LEASE_MS)) !== undefined, 'it is due');
      if (!work) return;
      const { step } = work;
      const outcome = await STEPS[step]({ work, durableLog, deliveryLog, readModel });
      if (outcome.kind === 'wait' || outcome.kind === 'more') await work.release(0);
      else if (!died.has(step)) {
        // It did the step, and dies before that is noted.
        died.add(step);
        await work.renew(1);
      } else if (outcome.kind === 'done') await work.finish();
      else {
        await work.advance(outcome.step, outcome.progress, outcome.dueInMs);
        await work.renew(1);
      }
    }
    expect([...died]).toEqual([...ERASURE_STEPS]);
    expect(await erasures.find(erasureId)).toMatchObject({ erasedEvents: 600 });
    expect(await world.placesOf(marker)).toEqual([]);
    const model = await host.engine.readModel();
    const { position } = await model.head();
    expect((await model.readAll({ after: BEFORE_FIRST, upTo: position, limit: 100_000 })).reached).toBe(position);
    // The newest records of the log are gone, and a rebuild comes to its end all the same.
    await world.rebuild(host);
    expect((await model.head()).position).toBe(position);
  });
});
