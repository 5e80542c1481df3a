import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { startReceiver, type Receiver } from './receiver';
import { OPERATOR_KEY, startWebhooks, type CallOptions } from './webhooks-service';

const LAST = '01a200f5-a748-7564-8a29-001f52e881cf';

describe('the doors of webhooks', () => {
  let app: Receiver;
  let webhooks: Awaited<ReturnType<typeof startWebhooks>>;
  beforeEach(async () => {
    app = await startReceiver();
    const env = { SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS: app.host, SLUICE_WEBHOOK_ENDPOINTS_PER_WORKSPACE: '3' };
    webhooks = await startWebhooks({ env });
  });
  afterEach(async () => {
    await webhooks.stop();
    await app.stop();
  });

  const entities = (): string[] => app.received.map(({ body }) => JSON.parse(body).data.entityId);
  const post = (json: unknown, options: CallOptions = {}) =>
    webhooks.call('POST', '/v1/webhooks', { json, ...options });

  it('shows an endpoint as it was made, and its secret only then', async () => {
    const filter = { families: ['session'], types: ['agent.*'], entityIds: ['sesn_1'] };
    const created = await post({ url: app.url, description: 'mine', filter });
    expect(created.status).toBe(201);
    const { secret, ...endpoint } = created.body;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]+=*$/);
    expect(endpoint).toMatchObject({
      endpointId: expect.stringMatching(/^whk_[0-9a-f]{32}$/),
      workspaceId: 1,
      url: app.url,
      description: 'mine',
      filter,
      enabled: true,
      delivery: { failedAttempts: 0, cursor: expect.any(String) },
    });
    const path = `/v1/webhooks/${endpoint.endpointId}`;
    expect(await webhooks.call('GET', path)).toMatchObject({ status: 200, body: endpoint });
    const list = await webhooks.call('GET', '/v1/webhooks');
    expect(list.body).toEqual({ webhooks: [endpoint] });
    expect(list.text).not.toContain('whsec_');
    const changed = await webhooks.call('PATCH', path, { json: { enabled: false, filter: {} } });
    expect(changed.body).toMatchObject({
      enabled: false,
      disabled: { reason: 'by_owner' },
      filter: {},
      description: 'mine',
    });
    expect(await webhooks.call('DELETE', path)).toMatchObject({ status: 200, body: { deleted: true } });
    expect((await webhooks.call('GET', path)).status).toBe(404);
  });

  it('lists page by page, and makes no more than a workspace may have', async () => {
    for (let n = 0; n < 3; n++) await webhooks.create({ url: `${app.url}/${n}` });
    expect(await post({ url: app.url })).toMatchObject({ status: 409, body: { code: 'conflict' } });
    const first = (await webhooks.call('GET', '/v1/webhooks?limit=2')).body;
    expect(first.webhooks.map(({ url }: { url: string }) => url)).toEqual([`${app.url}/0`, `${app.url}/1`]);
    const rest = (await webhooks.call('GET', `/v1/webhooks?limit=2&after=${first.nextAfter}`)).body;
    expect(rest).toMatchObject({ webhooks: [{ url: `${app.url}/2` }] });
    expect(rest.nextAfter).toBeUndefined();
  });

  it('answers a foreign endpoint like one that does not exist (G8)', async () => {
    const { endpointId } = await webhooks.create({ url: app.url });
    const key = await webhooks.keyOf(2, 'admin');
    const none = `whk_${'0'.repeat(32)}`;
    for (const [method, rest, json] of [
      ['GET', ''],
      ['PATCH', '', { enabled: false }],
      ['DELETE', ''],
      ['POST', '/rotate-secret'],
      ['POST', '/test'],
      ['GET', '/dead-letters'],
      ['POST', '/dead-letters/replay', { all: true }],
    ] as const) {
      const answers = await Promise.all(
        [endpointId, none].map((id) => webhooks.call(method, `/v1/webhooks/${id}${rest}`, { key, json })),
      );
      expect(answers.map(({ status }) => status)).toEqual([404, 404]);
      expect(answers[0]?.body.error).toEqual(expect.any(String));
      expect(answers[0]?.body.error).toEqual(answers[1]?.body.error);
    }
    expect((await webhooks.call('GET', '/v1/webhooks', { key })).body).toEqual({ webhooks: [] });
    expect((await webhooks.call('GET', '/v1/webhooks?workspaceId=1', { key })).status).toBe(401);
    expect((await webhooks.call('GET', `/v1/webhooks/${endpointId}`)).body.enabled).toBe(true);
  });

  it('lets readers read, writers change, and an operator name the workspace', async () => {
    const { endpointId } = await webhooks.create({ url: app.url });
    const key = await webhooks.keyOf(1, 'reader');
    const path = `/v1/webhooks/${endpointId}`;
    expect((await webhooks.call('GET', path, { key })).status).toBe(200);
    expect((await webhooks.call('GET', `${path}/dead-letters`, { key })).status).toBe(200);
    expect((await post({ url: app.url }, { key })).status).toBe(403);
    expect((await webhooks.call('DELETE', path, { key })).status).toBe(403);
    expect((await webhooks.call('POST', `${path}/test`, { key })).status).toBe(403);
    const operator = { key: OPERATOR_KEY };
    expect((await webhooks.call('GET', path, operator)).status).toBe(400);
    expect((await webhooks.call('GET', `${path}?workspaceId=1`, operator)).status).toBe(200);
    expect((await webhooks.call('GET', `${path}?workspaceId=2`, operator)).status).toBe(404);
    expect((await webhooks.call('GET', '/v1/webhooks', { key: 'sk_none' })).status).toBe(401);
  });

  it.each<[string, unknown, string]>([
    ['no URL', {}, 'body.url'],
    ['another scheme', { url: 'ftp://example.com' }, 'body.url'],
    ['credentials', { url: 'https://me:secret@example.com' }, 'body.url'],
    ['no URL at all', { url: 'example' }, 'body.url'],
    ['a long URL', { url: `https://example.com/${'x'.repeat(2_100)}` }, 'body.url'],
    ['an unknown family', { url: 'https://example.com', filter: { families: ['none'] } }, 'body.filter.families.0'],
    ['an empty list', { url: 'https://example.com', filter: { types: [] } }, 'body.filter.types'],
    ['an unknown member', { url: 'https://example.com', secret: 'mine' }, 'body.secret'],
    ['a long description', { url: 'https://example.com', description: 'x'.repeat(501) }, 'body.description'],
    ['a foreign cursor', { url: 'https://example.com', cursor: '1-0badcafe-1' }, 'body.cursor'],
    ['no cursor', { url: 'https://example.com', cursor: 'yesterday' }, 'body.cursor'],
  ])('refuses %s and stores nothing', async (_, json, where) => {
    expect(await post(json)).toMatchObject({ status: 400, body: { where } });
    expect((await webhooks.call('GET', '/v1/webhooks')).body.webhooks).toEqual([]);
  });

  it('begins where it is asked to', async () => {
    const recorded = await webhooks.record(sandboxEnvelope(), sandboxEnvelope());
    await webhooks.create({ url: app.url, cursor: 'earliest' });
    await until(() => app.received.length === 2);
    expect(app.ids()).toEqual(recorded.map(({ event }) => event.id));
  });

  it('delivers by what its owner says now', async () => {
    const { endpointId } = await webhooks.create({ url: `${app.url}/old`, filter: { entityIds: ['a'] } });
    await webhooks.record(sandboxEnvelope({ entityId: 'a' }));
    await until(() => app.received.length === 1);
    await webhooks.call('PATCH', `/v1/webhooks/${endpointId}`, { json: { filter: { entityIds: ['b'] } } });
    // Until the change is noticed events go by the former filter.
    await until(async () => {
      await webhooks.record(sandboxEnvelope({ entityId: 'a' }), sandboxEnvelope({ entityId: 'b' }));
      return entities().includes('b');
    });
    const since = entities().indexOf('b');
    await webhooks.record(sandboxEnvelope({ entityId: 'a' }), sandboxEnvelope({ entityId: 'b', id: LAST }));
    await until(() => app.ids().includes(LAST));
    expect(new Set(entities().slice(since))).toEqual(new Set(['b']));
  });
});
