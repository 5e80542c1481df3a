import { MAX_ADMIN_BODY_BYTES } from '../src/http/admission';
import { MAX_KEYS_IN_FORCE } from '../src/http/admin-keys.controller';
import { OPERATOR_KEY, startQuery, type CallOptions, type QueryService } from './query-service';

describe('administration of keys and tokens', () => {
  let service: QueryService;
  let admin: CallOptions;
  beforeEach(async () => {
    service = await startQuery();
    admin = { key: await service.key(1, 'admin') };
  });
  afterEach(() => service.stop());

  const post = (path: string, json: unknown, as: CallOptions = admin) =>
    service.call(path, { ...as, method: 'POST', json });

  it('creates a key that works, lists it without its text, and revokes it at once', async () => {
    const expiresAt = Date.now() + 3_600_000;
    const created = await post('/v1/admin/keys', { workspaceId: 1, role: 'writer', name: 'CI', expiresAt });
    expect(created.status).toBe(201);
    const { keyId, apiKey } = created.body;
    expect(created.body).toEqual({ keyId, apiKey, workspaceId: 1, role: 'writer', name: 'CI', expiresAt });
    expect((await service.call('/v1/events', { key: apiKey })).status).toBe(200);

    const listed = await service.call('/v1/admin/keys', admin);
    expect(listed.body.keys).toContainEqual(expect.objectContaining({ keyId, name: 'CI', role: 'writer', expiresAt }));
    expect(listed.text).not.toContain(apiKey);
    expect(listed.text).not.toContain('hash');

    const revoke = () => service.call(`/v1/admin/keys/${String(keyId).toUpperCase()}`, { ...admin, method: 'DELETE' });
    expect((await revoke()).body).toEqual({ keyId, revoked: true });
    expect((await service.call('/v1/events', { key: apiKey })).status).toBe(401);
    expect((await revoke()).status).toBe(404);
  });

  it('lets an operator create keys of any workspace, and revoke without naming it', async () => {
    const operator = { key: OPERATOR_KEY };
    const created = await post('/v1/admin/keys', { workspaceId: 77, role: 'admin' }, operator);
    expect(created.body).toMatchObject({ workspaceId: 77, role: 'admin', name: 'admin key' });
    expect((await post('/v1/admin/keys', { role: 'admin' }, operator)).body.where).toBe('body.workspaceId');
    const path = `/v1/admin/keys/${created.body.keyId}`;
    expect((await service.call(path, { ...operator, method: 'DELETE' })).status).toBe(200);
  });

  it('keeps the limits that an operator gave a key', async () => {
    const limits = { requestsPerSecond: 0.001, burst: 1 };
    const operator = { key: OPERATOR_KEY };
    const { apiKey } = (await post('/v1/admin/keys', { role: 'reader', limits, workspaceId: 1 }, operator)).body;
    expect((await service.call('/v1/stats', { key: apiKey })).status).toBe(200);
    const second = await service.call('/v1/stats', { key: apiKey });
    expect(second.status).toBe(429);
    expect(second.headers['retry-after']).toEqual(expect.any(String));
  });

  it('lets nobody make a key that may do more or lives longer than its own', async () => {
    const expiresAt = Date.now() + 3_600_000;
    const limits = { requestsPerSecond: 50, burst: 60, connections: 7 };
    const wanted = { workspaceId: 1, role: 'admin', limits, expiresAt };
    const bounded = { key: (await post('/v1/admin/keys', wanted, { key: OPERATOR_KEY })).body.apiKey };

    const lifted = await post('/v1/admin/keys', { role: 'admin', limits: { requestsPerSecond: 1_000_000 } }, bounded);
    expect([lifted.status, lifted.body.code, lifted.body.where]).toEqual([403, 'forbidden', 'body.limits']);
    const longer = await post('/v1/admin/keys', { role: 'admin', expiresAt: expiresAt + 1 }, bounded);
    expect([longer.status, longer.body.where]).toEqual([403, 'body.expiresAt']);

    const plain = (await post('/v1/admin/keys', { role: 'reader' }, bounded)).body;
    expect(plain.expiresAt).toBe(expiresAt);
    expect((await post('/v1/admin/keys', { role: 'reader', expiresAt: expiresAt - 1 }, bounded)).status).toBe(201);
    const { keys } = (await service.call('/v1/admin/keys', admin)).body;
    const stored = keys.find(({ keyId }: { keyId: string }) => keyId === plain.keyId);
    expect(stored).toMatchObject({ limits, expiresAt });
  });

  it('bounds the keys of a workspace that are in force (G9)', async () => {
    const made = await Promise.all(Array.from({ length: MAX_KEYS_IN_FORCE - 1 }, () => service.key(1, 'reader')));
    const refused = await post('/v1/admin/keys', { role: 'reader' });
    expect([refused.status, refused.body.code]).toEqual([409, 'conflict']);
    expect((await post('/v1/admin/keys', { role: 'reader', workspaceId: 2 }, { key: OPERATOR_KEY })).status).toBe(201);
    const { keyId } = await (await service.host.access()).authenticateApiKey(made[0] ?? '');
    expect((await service.call(`/v1/admin/keys/${keyId}`, { ...admin, method: 'DELETE' })).status).toBe(200);
    expect((await post('/v1/admin/keys', { role: 'reader' })).status).toBe(201);
  });

  it.each(['/v1/admin/keys', '/v1/admin/tokens', '/v1/admin/parked/replay'])(
    'takes no body above 64 KiB at %s',
    async (path) => {
      const { status, body } = await post(path, JSON.stringify({ role: 'x'.repeat(MAX_ADMIN_BODY_BYTES) }));
      expect([status, body.code]).toEqual([413, 'payload_too_large']);
    },
  );

  it('mints a token that reads its sandbox and no other', async () => {
    const before = Date.now();
    const { status, body } = await post('/v1/admin/tokens', { workspaceId: 1, sandboxId: 'box', ttlSeconds: 60 });
    expect(status).toBe(201);
    expect(Object.keys(body)).toEqual(['accessToken', 'expiresAt']);
    expect(body.expiresAt).toBeGreaterThanOrEqual(before + 58_000);
    expect(body.expiresAt).toBeLessThanOrEqual(Date.now() + 60_000);
    expect((await service.call('/events/box', { bearer: body.accessToken })).status).toBe(200);
    expect((await service.call('/events/other', { bearer: body.accessToken })).status).toBe(401);
  });

  it.each([
    ['/v1/admin/keys', undefined, 'body'],
    ['/v1/admin/keys', [], 'body'],
    ['/v1/admin/keys', '"text"', 'body'],
    ['/v1/admin/keys', { workspaceId: 1 }, 'body.role'],
    ['/v1/admin/keys', { workspaceId: 1, role: 'operator' }, 'body.role'],
    ['/v1/admin/keys', { workspaceId: '1', role: 'reader' }, 'body.workspaceId'],
    ['/v1/admin/keys', { workspaceId: -1, role: 'reader' }, 'body.workspaceId'],
    ['/v1/admin/keys', { role: 'reader', name: 'a\u0000b' }, 'body.name'],
    ['/v1/admin/keys', { role: 'reader', name: 'x'.repeat(101) }, 'body.name'],
    ['/v1/admin/keys', { role: 'reader', expiresAt: 1 }, 'expiresAt'],
    ['/v1/admin/keys', { role: 'reader', limits: { burst: -1 } }, 'body.limits.burst'],
    ['/v1/admin/keys', { role: 'reader', hash: 'x' }, 'body.hash'],
    ['/v1/admin/tokens', {}, 'body.sandboxId'],
    ['/v1/admin/tokens', { sandboxId: 'a b' }, 'body.sandboxId'],
    ['/v1/admin/tokens', { sandboxId: 'a', ttlSeconds: 0 }, 'body.ttlSeconds'],
    ['/v1/admin/tokens', { sandboxId: 'a', ttlSeconds: 1e9 }, 'body.ttlSeconds'],
    ['/v1/admin/parked/replay', {}, 'body'],
    ['/v1/admin/parked/replay', { all: false }, 'body'],
    ['/v1/admin/parked/replay', { parkedIds: [] }, 'body.parkedIds'],
    ['/v1/admin/parked/replay', { parkedIds: [0] }, 'body.parkedIds.0'],
    ['/v1/admin/parked/replay', { parkedIds: Array.from({ length: 1001 }, (_, n) => n + 1) }, 'body'],
  ])('POST %s refuses %j', async (path, json, where) => {
    const { status, body } = await post(path, json);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'invalid_request', where });
  });

  it.each(['{"role":"reader","__proto__":{"workspaceId":2}}', '{"constructor":{"prototype":{}}}', '{', '\u0000'])(
    'refuses the body %s',
    async (text) => {
      const { status, body } = await post('/v1/admin/keys', text);
      expect(status).toBe(400);
      expect(body.code).toBe('invalid_json');
    },
  );

  it('refuses another media type, another method and a key id that is none', async () => {
    const headers = { 'content-type': 'text/plain' };
    const plain = await service.call('/v1/admin/keys', { ...admin, method: 'POST', json: 'x', headers });
    expect(plain.status).toBe(415);
    expect((await service.call('/v1/admin/tokens', admin)).status).toBe(405);
    const path = '/v1/admin/keys/..%2fkeys';
    expect((await service.call(path, { ...admin, method: 'DELETE' })).body.where).toBe('path.keyId');
  });
});
