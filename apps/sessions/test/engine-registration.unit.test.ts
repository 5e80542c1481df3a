import { startSessions, type SessionsApp } from './support/sessions-app';

let app: SessionsApp;

beforeAll(async () => {
  app = await startSessions();
});
afterAll(() => app.stop());

describe('the door for engines', () => {
  it('shows the secret only once, and each workspace its own', async () => {
    const { id: engineId } = (
      await app.call('POST', '/runtime/v1/engines', { name: 'first', url: 'https://engine.example/' })
    ).body;
    const made = await app.call('POST', '/runtime/v1/engines', { name: 'mine', url: 'https://engine.example/a' });
    expect(made).toMatchObject({
      status: 200,
      body: {
        id: expect.stringMatching(/^eng_/),
        type: 'engine',
        name: 'mine',
        secret: expect.stringMatching(/^whsec_/),
      },
    });
    const { id } = made.body;
    const got = await app.call('GET', `/runtime/v1/engines/${id}`);
    expect([got.status, got.body.name, 'secret' in got.body]).toEqual([200, 'mine', false]);
    const list = await app.call('GET', '/runtime/v1/engines?limit=1&order=desc');
    expect(list.body).toMatchObject({ data: [{ id }], next_page: expect.any(String) });
    const next = await app.call('GET', `/runtime/v1/engines?order=desc&page=${list.body.next_page}`);
    expect(next.body.data.map((one: { id: string }) => one.id)).toContain(engineId);
    expect(list.text + next.text).not.toContain('whsec_');

    const foreign = { key: await app.key(2) };
    for (const method of ['GET', 'DELETE']) {
      const { status, body } = await app.call(method, `/runtime/v1/engines/${id}`, undefined, foreign);
      expect([status, body.error.type]).toEqual([404, 'not_found_error']);
    }
    expect((await app.call('GET', '/runtime/v1/engines', undefined, foreign)).body.data).toEqual([]);
    expect((await app.call('DELETE', `/runtime/v1/engines/${id}`)).body).toEqual({ id, type: 'engine_deleted' });
    expect((await app.call('GET', `/runtime/v1/engines/${id}`)).status).toBe(404);
  });

  it('refuses what is no engine, readers who write, and strangers', async () => {
    for (const body of [
      {},
      { name: '', url: 'https://engine.example' },
      { name: 'a', url: 'ftp://engine.example' },
      { name: 'a', url: 'https://user:pass@engine.example' },
      { name: 'a', url: 'not a url' },
      { name: 'a', url: 'https://engine.example', secret: 'mine' },
    ]) {
      const { status, body: error } = await app.call('POST', '/runtime/v1/engines', body);
      expect([body, status, error.error.type]).toEqual([body, 400, 'invalid_request_error']);
    }
    const engineBody = { name: 'a', url: 'https://engine.example' };
    const reader = { key: await app.key(1, 'reader') };
    expect((await app.call('POST', '/runtime/v1/engines', engineBody, reader)).status).toBe(403);
    expect((await app.call('POST', '/runtime/v1/engines', engineBody, { key: 'wrong' })).status).toBe(401);
  });
});
