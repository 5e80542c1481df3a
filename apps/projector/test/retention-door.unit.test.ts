import { OperatorDoors } from './operator-doors';

describe('/v1/admin/retention', () => {
  const PATH = '/v1/admin/retention';
  const doors = OperatorDoors.ofEachTest();
  const call = (method: string, json?: unknown, query = '') => doors.call(method, PATH + query, json);
  const DAY_SECONDS = 86_400;

  it('sets, lists and removes policies', async () => {
    expect((await call('GET')).body).toEqual({ policies: [] });
    const set = await call('PUT', { family: 'session', maxAgeSeconds: DAY_SECONDS });
    const view = { family: 'session', maxAgeSeconds: DAY_SECONDS, changedAt: expect.any(Number), removedEvents: 0 };
    expect(set).toMatchObject({ status: 200, body: { policy: view } });
    await call('PUT', { workspaceId: 7, family: 'session', maxAgeSeconds: null });
    expect((await call('GET')).body).toEqual({
      policies: [view, { ...view, workspaceId: 7, maxAgeSeconds: null }],
    });
    expect((await call('DELETE', undefined, '?workspaceId=7&family=session')).body).toEqual({ removed: true });
    expect((await call('DELETE', undefined, '?workspaceId=7&family=session')).body).toEqual({ removed: false });
    expect((await call('DELETE', undefined, '?family=session')).body).toEqual({ removed: true });
    expect((await call('GET')).body).toEqual({ policies: [] });
  });

  it.each<[string, unknown]>([
    ['an age below an hour', { family: 'session', maxAgeSeconds: 3_599 }],
    ['an age of half a second more', { family: 'session', maxAgeSeconds: 3_600.5 }],
    ['no age', { family: 'session' }],
    ['no family', { maxAgeSeconds: DAY_SECONDS }],
    ['another family', { family: 'weather', maxAgeSeconds: DAY_SECONDS }],
    ['a negative workspace', { workspaceId: -1, family: 'session', maxAgeSeconds: DAY_SECONDS }],
    ['something else', { family: 'session', maxAgeSeconds: DAY_SECONDS, force: true }],
  ])('refuses %s', async (_, body) => {
    expect((await call('PUT', body)).status).toBe(400);
    expect((await call('GET')).body).toEqual({ policies: [] });
  });

  it.each([
    ['PUT', { workspaceId: 1, family: 'session', maxAgeSeconds: null }],
    ['GET', undefined],
    ['DELETE', undefined],
  ])('is for operators alone: %s (G8)', async (method, json) => {
    expect(await doors.refusals(method, PATH, json)).toEqual([401, 403, 400]);
    expect((await call('GET')).body).toEqual({ policies: [] });
  });
});
