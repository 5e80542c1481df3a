import { OPERATOR_KEY, sandboxEvent, startQuery, type CallOptions, type QueryService } from './query-service';

/** Everybody aims at workspace 1 and its sandbox-123. */
const CALLERS = [
  'nobody',
  'unknown key',
  'reader',
  'writer',
  'admin',
  'operator',
  'sandbox',
  'other sandbox',
  'foreign reader',
  'foreign admin',
  'foreign sandbox',
] as const;
type Caller = (typeof CALLERS)[number];

interface Route {
  readonly method: string;
  readonly path: string;
  readonly json?: unknown;
  /** The status for each caller, in the order of `CALLERS`. */
  readonly expected: readonly number[];
}

const ZERO_ID = '00000000-0000-4000-8000-000000000000';
const administration = (done: number) => [401, 401, 403, 403, done, done, 403, 403, 401, 401, 401];
const reading = (done: number) => [401, 401, done, done, done, done, 403, 403, 401, 401, 401];
const readingSandbox = (done: number) => [401, 401, done, done, done, done, done, 401, 401, 401, 401];

const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/events/sandbox-123?workspaceId=1', expected: readingSandbox(200) },
  { method: 'GET', path: '/v1/sandboxes/sandbox-123?workspaceId=1', expected: readingSandbox(200) },
  {
    method: 'GET',
    path: '/v1/sandboxes/nobody?workspaceId=1',
    expected: [401, 401, 404, 404, 404, 404, 401, 401, 401, 401, 401],
  },
  {
    method: 'GET',
    path: '/v1/events?workspaceId=1&family=sandbox&entityId=sandbox-123',
    expected: readingSandbox(200),
  },
  { method: 'GET', path: '/v1/events?workspaceId=1', expected: reading(200) },
  { method: 'GET', path: '/v1/events/EVENT', expected: [401, 401, 200, 200, 200, 200, 200, 404, 404, 404, 404] },
  { method: 'GET', path: `/v1/events/${ZERO_ID}`, expected: [401, 401, ...Array<number>(9).fill(404)] },
  { method: 'GET', path: '/v1/entities?workspaceId=1', expected: reading(200) },
  { method: 'GET', path: '/v1/stats?workspaceId=1', expected: reading(200) },
  { method: 'GET', path: '/v1/admin/keys?workspaceId=1', expected: administration(200) },
  { method: 'POST', path: '/v1/admin/keys', json: { workspaceId: 1, role: 'reader' }, expected: administration(201) },
  { method: 'DELETE', path: `/v1/admin/keys/${ZERO_ID}?workspaceId=1`, expected: administration(404) },
  { method: 'POST', path: '/v1/admin/tokens', json: { workspaceId: 1, sandboxId: 's' }, expected: administration(201) },
  { method: 'GET', path: '/v1/admin/parked?workspaceId=1', expected: administration(200) },
  {
    method: 'POST',
    path: '/v1/admin/parked/replay',
    json: { all: true, workspaceId: 1 },
    expected: administration(200),
  },
  {
    method: 'POST',
    path: '/v1/admin/parked/replay',
    json: { parkedIds: [1], workspaceId: 1 },
    expected: administration(200),
  },
  { method: 'GET', path: '/v1/admin/lag', expected: [401, 401, 403, 403, 403, 200, 403, 403, 403, 403, 403] },
];

describe('who may do what', () => {
  let service: QueryService;
  let eventId: string;
  let callers: Record<Caller, CallOptions>;
  beforeAll(async () => {
    service = await startQuery();
    const [recorded] = await service.record(sandboxEvent());
    eventId = recorded?.event.id ?? '';
    callers = {
      nobody: {},
      'unknown key': { key: `sk_${'u'.repeat(43)}` },
      reader: { key: await service.key(1, 'reader') },
      writer: { key: await service.key(1, 'writer') },
      admin: { key: await service.key(1, 'admin') },
      operator: { key: OPERATOR_KEY },
      sandbox: { bearer: await service.token(1, 'sandbox-123') },
      'other sandbox': { bearer: await service.token(1, 'sandbox-456') },
      'foreign reader': { key: await service.key(2, 'reader') },
      'foreign admin': { key: await service.key(2, 'admin') },
      'foreign sandbox': { bearer: await service.token(2, 'sandbox-123') },
    };
  });
  afterAll(() => service.stop());

  const table = ROUTES.flatMap(({ method, path, json, expected }) =>
    CALLERS.map((caller, index) => ({ method, path, json, caller, status: expected[index] ?? 0 })),
  );

  it.each(table)('$method $path as $caller: $status', async ({ method, path, json, caller, status }) => {
    const answer = await service.call(path.replace('EVENT', eventId), { method, json, ...callers[caller] });
    expect(answer.status).toBe(status);
    if (status >= 400) {
      expect(answer.text).not.toContain('\n');
      expect(answer.body).toMatchObject({ success: false, error: expect.any(String), code: expect.any(String) });
    }
  });

  it.each(['/v1/admin/keys', '/v1/admin/tokens', '/v1/admin/parked/replay'])(
    'refuses a stranger at %s before its body has come (G9)',
    async (path) => {
      const headers = { 'content-type': 'application/json', 'content-length': '50000' };
      const answer = await service.call(path, { method: 'POST', headers, ...callers['unknown key'] });
      expect(answer.status).toBe(401);
    },
  );

  it('admits by name each route that it has', async () => {
    const answers = ROUTES.map(({ method, path }) =>
      service.call(path.replace('EVENT', eventId), { method, json: '{' }),
    );
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(ROUTES.map(() => 401));
  });

  it('answers a foreign workspace with the very words of a bad key', async () => {
    const words = async (caller: Caller) => {
      const { body } = await service.call('/v1/events?workspaceId=1', callers[caller]);
      return [body.error, body.code, body.where];
    };
    expect(await words('foreign admin')).toEqual(await words('unknown key'));
  });

  it('shows nothing of another workspace by default', async () => {
    const foreign = callers['foreign admin'];
    expect((await service.call('/v1/events', foreign)).body.events).toEqual([]);
    expect((await service.call('/v1/entities', foreign)).body.entities).toEqual([]);
    expect((await service.call('/events/sandbox-123', foreign)).body.data.events).toEqual([]);
    expect((await service.call('/events/sandbox-123', callers['foreign sandbox'])).body.data.events).toEqual([]);
    expect((await service.call('/v1/sandboxes/sandbox-123', foreign)).status).toBe(404);
  });

  it('takes no token that is not signed by us', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { sandboxId: 'sandbox-123', workspaceId: 1, exp: 4_000_000_000 };
    for (const bearer of [
      `${part({ alg: 'none' })}.${part(claims)}.`,
      `${part({ alg: 'HS256' })}.${part(claims)}.AAAA`,
    ]) {
      expect((await service.call('/events/sandbox-123', { bearer })).status).toBe(401);
    }
  });

  it('leaves no key of workspace 1 in reach of the admin of workspace 2', async () => {
    const admin = callers['admin'];
    const created = await service.call('/v1/admin/keys', { ...admin, method: 'POST', json: { role: 'reader' } });
    const { keyId } = created.body;
    const revoke = (path: string) => service.call(path, { ...callers['foreign admin'], method: 'DELETE' });
    expect((await revoke(`/v1/admin/keys/${keyId}`)).status).toBe(404);
    expect((await revoke(`/v1/admin/keys/${keyId}?workspaceId=1`)).status).toBe(401);
    expect((await service.call('/v1/events', { key: created.body.apiKey })).status).toBe(200);
  });
});
