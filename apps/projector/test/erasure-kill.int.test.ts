import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BEFORE_FIRST, type EntityRef, type ErasureStep } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { processEnvironment } from './config';
import { EngineWorld } from './engine-world';
import { openHost } from './replica';
import { envelope, range } from './tools';

const MAIN = join(__dirname, '..', 'dist', 'main.js');
const ERASED: EntityRef = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-erased' };
const EVENTS = 2_000;

/** After each of these steps is noted, the process that is at the erasure dies in whatever it does next. */
const KILLED_AFTER: readonly ErasureStep[] = ['cutting', 'log', 'delivery'];

/** The projector as it runs in production: a process of its own. */
class ProjectorProcess {
  readonly steps: string[] = [];
  private said = '';

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.hear(line));
    }
  }

  static start(env: Readonly<Record<string, string>>): ProjectorProcess {
    const settings = { SLUICE_LOG_LEVEL: 'info', SLUICE_HTTP_HOST: '127.0.0.1', SLUICE_HTTP_PORT: '0' };
    const child = spawn(process.execPath, [MAIN], {
      env: processEnvironment({ ...env, ...settings }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ProjectorProcess(child);
  }

  /** @throws Error when it ended by itself */
  hasDone(step: ErasureStep): boolean {
    if (this.child.exitCode !== null) throw new Error(`it ended: ${this.said}`);
    return this.steps.includes(step);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }

  private hear(line: string): void {
    this.said = `${this.said}${line}\n`.slice(-5_000);
    if (line.includes('did a step of an erasure')) this.steps.push((JSON.parse(line) as { step: string }).step);
  }
}

it('leaves nothing of what it erases, although kill -9 ends whoever is at it, again and again (G6)', async () => {
  const world = await EngineWorld.start('cluster', { SLUICE_LOG_KEY_MAX_AGE: '2s' });
  let running = ProjectorProcess.start(world.env);
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
      await until(() => running.hasDone(step), `the step ${step} is done`);
      await running.end('SIGKILL');
      expect((await erasures.find(erasureId))?.finishedAt).toBeUndefined();
      running = ProjectorProcess.start(world.env);
    }
    await until(async () => (await erasures.find(erasureId))?.finishedAt !== undefined, 'the erasure is done');
    expect(await erasures.find(erasureId)).toMatchObject({ erasedEvents: EVENTS });
    expect(await world.placesOf(marker)).toEqual([]);
    expect(await world.placesOf(stays)).toEqual(expect.arrayContaining(['read_model.recorded_events', 'the log']));
    const model = await host.engine.readModel();
    const { position } = await model.head();
    expect((await model.readAll({ after: BEFORE_FIRST, upTo: position, limit: 10_000 })).reached).toBe(EVENTS + 1);
  } finally {
    await running.end('SIGTERM');
    await host.close();
    await world.stop();
  }
}, 300_000);
