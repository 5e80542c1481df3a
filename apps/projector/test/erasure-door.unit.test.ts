import { toPosition } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { erasureAnswerSchema } from '../src/http/erasure-operations';
import { OperatorDoors } from './operator-doors';
import { envelope } from './tools';

const PATH = '/v1/admin/erasures';
const ENTITY = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-123' } as const;

describe('/v1/admin/erasures', () => {
  const doors = OperatorDoors.ofEachTest();
  const call = (method: string, path = PATH, json?: unknown) => doors.call(method, path, json);
  const append = async (...events: ReturnType<typeof envelope>[]) => {
    await (await doors.host.engine.durableLog()).append(events);
    const model = await doors.host.engine.readModel();
    const ids = events.map(({ event }) => event.id);
    await until(async () => (await model.findByIds(ids)).size === ids.length, 'all is recorded');
  };
  const isDone = (erasureId: number) =>
    until(async () => (await call('GET', `${PATH}/${erasureId}`)).body.erasure.finishedAt !== undefined, 'it is done');
  const textsOf = async (entityId: string) => {
    const { events } = await (
      await doors.host.engine.readModel()
    ).read({ filter: { workspaceIds: [1], entityIds: [entityId] }, limit: 100 });
    return events.map(({ event }) => event.data);
  };

  it('erases an entity, and then fields of another one', async () => {
    await append(envelope({ data: { text: 1 } }), envelope({ entityId: 'other', data: { text: 2, stays: 3 } }));
    const asked = await call('POST', PATH, ENTITY);
    expect(asked).toMatchObject({
      status: 202,
      body: { erasure: { erasureId: 1, ...ENTITY, fields: [], step: 'cutting', erasedEvents: 0, erasedParked: 0 } },
    });
    expect(await call('POST', PATH, ENTITY)).toMatchObject({ status: 409 });
    expect(await call('POST', '/v1/admin/rebuild')).toMatchObject({ status: 409 });
    await isDone(1);
    expect(await textsOf('sandbox-123')).toEqual([]);
    expect((await call('POST', PATH, { ...ENTITY, entityId: 'other', fields: ['/text'] })).status).toBe(202);
    await isDone(2);
    expect(await textsOf('other')).toEqual([{ stays: 3 }]);
    const page = await call('GET', `${PATH}?limit=1`);
    expect(page.body).toMatchObject({
      erasures: [{ erasureId: 2, fields: ['/text'], erasedEvents: 1, upTo: 2 }],
      nextBefore: 2,
    });
    const last = await call('GET', `${PATH}?before=2`);
    expect(last.body).toMatchObject({ erasures: [{ erasureId: 1 }] });
    expect(last.body).not.toHaveProperty('nextBefore');
  });

  it('refuses what cannot be erased', async () => {
    await append(envelope({ data: { text: 1 } }));
    const refusal = async (json: object) => {
      const { status, body } = await call('POST', PATH, { ...ENTITY, ...json });
      return [status, body.error?.code ?? body.code];
    };
    expect(await refusal({ entityId: 'unknown' })).toEqual([404, 'not_found']);
    expect(await refusal({ family: 'registry' })).toEqual([400, 'invalid_request']);
    expect(await refusal({ family: 'none' })).toEqual([400, 'invalid_request']);
    expect(await refusal({ fields: ['/missing'] })).toEqual([400, 'invalid_request']);
    expect(await refusal({ fields: ['text'] })).toEqual([400, 'invalid_request']);
    expect(await refusal({ more: true })).toEqual([400, 'invalid_request']);
    expect((await call('GET', `${PATH}/1`)).status).toBe(404);
    expect((await call('GET', `${PATH}/none`)).status).toBe(400);
    expect((await call('GET', `${PATH}?limit=101`)).status).toBe(400);
    expect((await call('GET')).body).toEqual({ erasures: [] });
  });

  it('abandons one that goes no further, and says what is left: then it can be asked for again', async () => {
    await append(envelope({ data: { text: 1 } }));
    const erasures = await doors.host.engine.erasures();
    const { erasureId } = await erasures.request({ entity: ENTITY, fields: [] });
    const work = await erasures.claim('a worker that is stuck', 60_000);
    await work?.advance('events', { upTo: toPosition(1) });
    const left = { ...ENTITY, erasureId, step: 'events', leftOver: expect.stringContaining('has lost the text') };
    const abandoned = await call('DELETE', `${PATH}/${erasureId}`);
    expect(abandoned).toMatchObject({ status: 200, body: { erasure: left } });
    expect(abandoned.body.erasure.abandonedAt).toBeGreaterThan(0);
    expect(erasureAnswerSchema.parse(abandoned.body)).toEqual(abandoned.body);
    for (const method of ['GET', 'DELETE']) {
      expect(await call(method, `${PATH}/${erasureId}`)).toMatchObject({ status: 200, body: abandoned.body });
    }
    expect(await textsOf('sandbox-123')).toEqual([{ text: 1 }]);

    const again = (await call('POST', PATH, ENTITY)).body.erasure.erasureId;
    await isDone(again);
    expect(await textsOf('sandbox-123')).toEqual([]);
    expect((await call('DELETE', `${PATH}/${again}`)).status).toBe(409);
    expect((await call('DELETE', `${PATH}/99`)).status).toBe(404);
    expect((await call('POST', '/v1/admin/rebuild')).status).toBe(202);
  });

  it.each([
    ['POST', PATH, ENTITY],
    ['GET', PATH, undefined],
    ['GET', `${PATH}/1`, undefined],
    ['DELETE', `${PATH}/1`, undefined],
  ])('is for operators: %s %s', async (method, path, json) => {
    expect(await doors.refusals(method, path, json)).toEqual([401, 403, 400]);
  });
});
