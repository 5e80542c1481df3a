import type { AppHost } from '@sluice/engine';
import { BEFORE_FIRST } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { EngineWorld } from './engine-world';
import { Reader } from './reader';
import { envelope, range } from './tools';

const ENTITIES = 7;
const FIRST_EVENTS = 3_000;

/** Appends event after event, and remembers what was acknowledged. */
class Writer {
  readonly acknowledged: string[] = [];
  private stopping = false;
  private running: Promise<void> | undefined;

  constructor(private readonly host: AppHost) {}

  async append(count: number): Promise<void> {
    const n = this.acknowledged.length;
    const events = range(1, count).map((m) =>
      envelope({ entityId: `sandbox-${(n + m) % ENTITIES}`, data: { n: n + m } }),
    );
    await (await this.host.engine.durableLog()).append(events);
    this.acknowledged.push(...events.map(({ event }) => event.id));
  }

  start(): void {
    this.running = (async () => {
      while (!this.stopping) await this.append(5);
    })();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }
}

describe.each(['embedded', 'cluster'] as const)('a rebuild on the %s engine', (engine) => {
  let world: EngineWorld;
  let host: AppHost;
  beforeAll(async () => {
    world = await EngineWorld.start(engine);
    host = await world.replica();
    // Followers of the embedded engine hear of each other in one process only.
    if (engine === 'cluster') await world.replica();
  });
  afterAll(() => world.stop());

  it('shows every event once and in order to those who read and write meanwhile, and resets nobody (G2, G4, G10)', async () => {
    const writer = new Writer(host);
    await writer.append(FIRST_EVENTS);
    const reader = await Reader.start(host, 'earliest');
    const model = await host.engine.readModel();
    await until(() => reader.ids.length >= FIRST_EVENTS, 'all is told');
    const { epoch } = await model.head();
    writer.start();
    await world.rebuild(host);
    const atSwitch = writer.acknowledged.length;
    await until(() => writer.acknowledged.length > atSwitch + 50, 'writing goes on');
    await writer.stop();
    const total = writer.acknowledged.length;
    await until(() => reader.ids.length >= total, 'all is told');
    expect(new Set(reader.ids)).toEqual(new Set(writer.acknowledged));
    expect(reader.positions).toEqual(range(1, total));
    expect(reader.resets).toEqual([]);
    expect(await model.head()).toEqual({ epoch, position: total });
    // From the new model, and with the cursor of before.
    const resumed = await Reader.start(host, { epoch, position: BEFORE_FIRST });
    await until(() => resumed.ids.length >= total, 'all is told again');
    expect(resumed.ids).toEqual(reader.ids);
    expect(resumed.resets).toEqual([]);
    for (const each of [reader, resumed]) each.close();
  });

  it('numbers anew where it is told to, and answers every cursor by a reset (G5, G10)', async () => {
    const model = await host.engine.readModel();
    const before = await model.head();
    const writer = new Writer(host);
    const reader = await Reader.start(host, before);
    writer.start();
    await world.rebuild(host, 'renumber');
    await until(() => reader.resets.length > 0, 'the reader is told');
    await until(
      async () => (await model.head()).position >= before.position + writer.acknowledged.length / 2,
      'it goes on',
    );
    await writer.stop();
    const total = before.position + writer.acknowledged.length;
    await until(async () => (await model.head()).position >= total, 'all is recorded');
    expect(reader.resets).toEqual(['epoch_changed']);
    const resumed = await Reader.start(host, before);
    expect(resumed.resets).toEqual(['epoch_changed']);
    const whole = await Reader.start(host, 'earliest');
    await until(() => whole.ids.length >= total, 'all is told');
    expect(whole.positions).toEqual(range(1, total));
    expect(new Set(whole.ids).size).toBe(total);
    for (const each of [reader, resumed, whole]) each.close();
  });

  if (engine === 'cluster') {
    it('goes on in another process when the one that builds ends (G6, G10)', async () => {
      const writer = new Writer(host);
      writer.start();
      const rebuilds = await host.engine.readModelRebuilds();
      await rebuilds.request({ positions: 'keep', dropOld: true });
      await until(async () => {
        const status = await rebuilds.status();
        return status?.holder !== undefined || status?.finishedAt !== undefined;
      }, 'somebody builds');
      await world.stopReplica();
      await world.rebuilt(host);
      await writer.stop();
    });
  }
});
