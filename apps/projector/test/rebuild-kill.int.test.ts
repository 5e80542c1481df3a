import { BEFORE_FIRST } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { EngineWorld } from './engine-world';
import { ProjectorProcess } from './projector-process';
import { openHost } from './replica';
import { envelope, range } from './tools';

const EVENTS = 8_000;

it('is built on by the next process when kill -9 ends the one that builds, and is what it was (G2, G4, G6, G10)', async () => {
  const world = await EngineWorld.start('cluster');
  const host = openHost({ ...world.env });
  let running = ProjectorProcess.start(world.env);
  try {
    const envelopes = range(1, EVENTS).map((n) => envelope({ entityId: `sandbox-${n % 50}`, data: { n } }));
    await world.append(host, envelopes);
    const model = await host.engine.readModel();
    const everything = async () => {
      const { position: upTo } = await model.head();
      return (await model.readAll({ after: BEFORE_FIRST, upTo, limit: EVENTS * 2 })).events.map(({ json }) => json);
    };
    const [head, before] = [await model.head(), await everything()];
    const rebuilds = await host.engine.readModelRebuilds();
    await rebuilds.request({ positions: 'keep', dropOld: true });
    await until(async () => {
      running.assertRuns();
      return ((await rebuilds.status())?.builtEvents ?? 0) > 0;
    }, 'some of it is built');
    await running.end('SIGKILL');
    expect(await rebuilds.status()).toMatchObject({ state: 'building', oldModelKept: false });
    expect(await everything()).toEqual(before);
    await world.endLeases();
    running = ProjectorProcess.start(world.env);
    await until(async () => {
      running.assertRuns();
      const status = await rebuilds.status();
      return status?.state !== 'building' && status?.oldModelKept === false;
    }, 'the rebuild ends');
    expect(await rebuilds.status()).toMatchObject({ state: 'switched', builtEvents: EVENTS, leftOutEvents: 0 });
    expect([await model.head(), await everything()]).toEqual([head, before]);
    await world.append(host, [envelope()]);
    expect(await model.head()).toEqual({ ...head, position: EVENTS + 1 });
  } finally {
    await running.end('SIGTERM');
    await host.close();
    await world.stop();
  }
}, 300_000);
