import { BEFORE_FIRST, type EntityRef, type ErasureStep } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { EngineWorld } from './engine-world';
import { ProjectorProcess } from './projector-process';
import { openHost } from './replica';
import { envelope, range } from './tools';

const ERASED: EntityRef = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-erased' };
const EVENTS = 2_000;

/** After each of these steps is noted, the process that is at the erasure dies in whatever it does next. */
const KILLED_AFTER: readonly ErasureStep[] = ['cutting', 'log', 'delivery'];

it('leaves nothing of what it erases, although kill -9 ends whoever is at it, again and again (G6)', async () => {
  const world = await EngineWorld.start('cluster', { SLUICE_LOG_KEY_MAX_AGE: '2s' });
  const start = () => {
    // Of this process alone: what a killed one wrote is read after its end.
    const steps = new Set<string>();
    const projector = ProjectorProcess.start(world.env, (line) => {
      if (line.includes('did a step of an erasure')) steps.add((JSON.parse(line) as { step: string }).step);
    });
    return { projector, steps };
  };
  let running = start();
  const host = openHost({ ...world.env });
  try {
    const [marker, stays] = [crypto.randomUUID(), crypto.randomUUID()];
    await world.append(host, [
      ...range(1, EVENTS).map((n) => envelope({ ...ERASED, data: { text: marker, n } })),
      envelope({ entityId: 'another', data: { text: stays } }),
    ]);
    const erasures = await host.engine.erasures();
    const { erasureId } = await erasures.request({ entity: ERASED, fields: [] });
    for (const step of KILLED_AFTER) {
      await until(() => {
        running.projector.assertRuns();
        return running.steps.has(step);
      }, `the step ${step} is done`);
      await running.projector.end('SIGKILL');
      expect((await erasures.find(erasureId))?.finishedAt).toBeUndefined();
      await world.endLeases();
      running = start();
    }
    await until(async () => (await erasures.find(erasureId))?.finishedAt !== undefined, 'the erasure is done');
    expect(await erasures.find(erasureId)).toMatchObject({ erasedEvents: EVENTS });
    expect(await world.placesOf(marker)).toEqual([]);
    expect(await world.placesOf(stays)).toEqual(expect.arrayContaining(['read_model.recorded_events', 'the log']));
    const model = await host.engine.readModel();
    const { position } = await model.head();
    expect((await model.readAll({ after: BEFORE_FIRST, upTo: position, limit: 10_000 })).reached).toBe(EVENTS + 1);
  } finally {
    await running.projector.end('SIGTERM');
    await host.close();
    await world.stop();
  }
}, 300_000);
