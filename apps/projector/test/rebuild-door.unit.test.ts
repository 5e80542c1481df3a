import type { MemoryDurableLog } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { OperatorDoors } from './operator-doors';
import { envelope, range } from './tools';

const PATH = '/v1/admin/rebuild';

describe('/v1/admin/rebuild', () => {
  const doors = OperatorDoors.ofEachTest();
  const call = (method: string, path = PATH, json?: unknown) => doors.call(method, path, json);
  const project = async (count: number) => {
    const log = (await doors.host.engine.durableLog()) as MemoryDurableLog;
    await log.append(range(1, count).map((n) => envelope({ entityId: `sandbox-${n % 5}` })));
    const model = await doors.host.engine.readModel();
    await until(async () => (await model.head()).position >= count, 'all is projected');
    return model.head();
  };
  const untilState = (state: string) =>
    until(async () => (await call('GET')).body.rebuild?.state === state, `the rebuild is ${state}`);

  it('rebuilds beside the live model and keeps the numbering, or makes a new one (G10)', async () => {
    const head = await project(50);
    expect((await call('GET')).body).toEqual({ rebuild: null });
    expect(await call('POST')).toMatchObject({
      status: 202,
      body: { rebuild: { rebuildId: 1, state: 'building', positions: 'keep', dropOld: false, liveEvents: 50 } },
    });
    await untilState('switched');
    const model = await doors.host.engine.readModel();
    expect(await model.head()).toEqual(head);
    expect((await call('POST')).status).toBe(409);
    expect((await call('DELETE', `${PATH}/old`)).body).toEqual({ dropped: true });
    expect((await call('DELETE', `${PATH}/old`)).body).toEqual({ dropped: false });

    expect((await call('POST', PATH, { positions: 'renumber', dropOld: true })).status).toBe(202);
    await untilState('switched');
    await until(async () => (await call('GET')).body.rebuild.oldModelKept === false, 'the former model is dropped');
    expect((await model.head()).position).toBe(head.position);
    expect((await model.head()).epoch).not.toBe(head.epoch);
  });

  it('ends what was asked for and not done', async () => {
    expect(await call('DELETE')).toMatchObject({ status: 409 });
    expect((await call('POST')).status).toBe(202);
    const { status } = await call('DELETE');
    expect([202, 409]).toContain(status);
    await until(async () => (await call('GET')).body.rebuild.finishedAt !== undefined, 'it is over');
    expect(['aborted', 'switched']).toContain((await call('GET')).body.rebuild.state);
  });

  it.each([
    ['POST', PATH],
    ['GET', PATH],
    ['DELETE', PATH],
    ['DELETE', `${PATH}/old`],
  ])('is for operators: %s %s', async (method, path) => {
    expect(await doors.refusals(method, path)).toEqual([401, 403, 400]);
    expect((await call('GET')).body).toEqual({ rebuild: null });
  });

  it('takes nothing that it does not know', async () => {
    expect((await call('POST', PATH, { positions: 'some' })).status).toBe(400);
    expect((await call('POST', PATH, { more: true })).status).toBe(400);
    expect((await call('GET')).body).toEqual({ rebuild: null });
  });
});
