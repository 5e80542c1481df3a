import { DELIVERY_LIMITS } from '@sluice/delivery';
import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { verifyWebhook } from '@sluice/signed-webhooks';
import { MemoryWebhookStore, type MemoryEndpoints } from '@sluice/webhook-delivery';
import { startReceiver, type Answering, type Receiver } from './receiver';
import { SECRETS_KEY, startWebhooks, type Json, type ServiceOptions } from './webhooks-service';

const NEVER_AGAIN = { SLUICE_WEBHOOK_RETRY_DELAYS: '1h*23' };

describe('what owners do about their endpoints', () => {
  const running: { stop(): Promise<void> }[] = [];
  afterEach(async () => {
    for (let each = running.pop(); each; each = running.pop()) await each.stop();
  });

  const start = async (answering?: Answering, { env, ...rest }: ServiceOptions = {}) => {
    const app: Receiver = await startReceiver(answering);
    running.push(app);
    const webhooks = await startWebhooks({ env: { SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS: app.host, ...env }, ...rest });
    running.push(webhooks);
    const of =
      (endpointId: string) =>
      (method: string, path = '', json?: object) =>
        webhooks.call(method, `/v1/webhooks/${endpointId}${path}`, { json });
    return { app, webhooks, of };
  };
  const events = (count: number) => Array.from({ length: count }, (_, n) => sandboxEnvelope({ data: { n } }));
  const isWaiting = async (call: (method: string) => Promise<{ body: Json }>) =>
    (await call('GET')).body.delivery.failedAttempts === 1;

  it('keeps what signs sealed', async () => {
    const endpoints: MemoryEndpoints = new Map();
    const { app, webhooks, of } = await start(undefined, { store: new MemoryWebhookStore({ endpoints }) });
    const { endpointId, secret } = await webhooks.create({ url: app.url });
    const { body } = await of(endpointId)('POST', '/rotate-secret');
    const kept = JSON.stringify(await new MemoryWebhookStore({ endpoints }).find(1, endpointId));
    expect(kept).toContain(app.url);
    for (const part of ['whsec_', secret.slice(6), body.secret.slice(6), SECRETS_KEY]) expect(kept).not.toContain(part);
  });

  it('keeps no secrets without a key', async () => {
    const { app, webhooks } = await start(undefined, { env: { SLUICE_SECRETS_KEY: '' } });
    const refused = await webhooks.call('POST', '/v1/webhooks', { json: { url: app.url } });
    expect(refused).toMatchObject({ status: 400, text: expect.stringContaining('SLUICE_SECRETS_KEY') });
  });

  it('gives each of two who rotate at once a secret that signs', async () => {
    const { app, webhooks, of } = await start();
    const { endpointId } = await webhooks.create({ url: app.url });
    const rotated = await Promise.all([1, 2].map(() => of(endpointId)('POST', '/rotate-secret')));
    await of(endpointId)('POST', '/test');
    const [ping] = app.received;
    if (ping === undefined) throw new Error('no ping');
    const { headers, body } = ping;
    for (const { body: answer } of rotated)
      expect(verifyWebhook({ secrets: [answer.secret], headers, body, nowMs: Date.now() }).ok).toBe(true);
  });

  it('forgets a former secret when its grace is over', async () => {
    const endpoints: MemoryEndpoints = new Map();
    const store = new MemoryWebhookStore({ endpoints });
    const { app, webhooks, of } = await start(undefined, { store, env: { SLUICE_WEBHOOK_SECRET_GRACE: '1ms' } });
    const { endpointId } = await webhooks.create({ url: app.url });
    await of(endpointId)('POST', '/rotate-secret');
    await until(async () => (await store.find(1, endpointId))?.endpoint.secrets.previous === undefined);
  });

  it.each<
    [
      string,
      (call: (method: string, path?: string, json?: object) => Promise<unknown>, url: string) => Promise<unknown>,
    ]
  >([
    ['another URL', (call, url) => call('PATCH', '', { url: `${url}/other` })],
    ['another filter that wants it', (call) => call('PATCH', '', { filter: { families: ['sandbox'] } })],
    ['a test that is delivered', (call) => call('POST', '/test')],
    ['being asked to', (call) => call('POST', '/retry')],
  ])('sends what waits at once after %s (G7)', async (_, act) => {
    const { app, webhooks, of } = await start(() => ({ status: 500 }), { env: NEVER_AGAIN });
    const { endpointId } = await webhooks.create({ url: app.url });
    const ids = (await webhooks.record(...events(2))).map(({ event }) => event.id);
    const call = of(endpointId);
    await until(() => isWaiting(call));
    app.answers(() => ({ status: 204 }));
    await act(call, app.url);
    await until(() => ids.every((id) => app.ids().slice(1).includes(id)));
    await until(async () => (await call('GET')).body.delivery.failedAttempts === 0);
    expect((await call('GET')).body.delivery).not.toHaveProperty('failingSince');
  });

  it('does not wait for what a filter excludes, or its owner skips (G7)', async () => {
    const bad = new Set<string>();
    const { app, webhooks, of } = await start(({ id }) => ({ status: bad.has(id) ? 413 : 204 }), { env: NEVER_AGAIN });
    const { endpointId } = await webhooks.create({ url: app.url });
    const call = of(endpointId);
    expect((await call('POST', '/skip')).status).toBe(409);
    expect((await call('POST', '/retry')).status).toBe(409);
    const [poison, good] = events(2);
    const other = sandboxEnvelope({ type: 'sandbox.ready', data: {} });
    if (poison === undefined || good === undefined) throw new Error('no events');
    bad.add(poison.event.id);
    await webhooks.record(poison, good, other);
    await until(() => isWaiting(call));
    const { body } = await call('POST', '/skip');
    expect(body.delivery).toMatchObject({ failedAttempts: 0 });
    await until(() => app.ids().includes(other.event.id));
    expect(app.ids()).toEqual([poison.event.id, good.event.id, other.event.id]);
    expect((await call('GET', '/dead-letters')).body.deadLetters).toMatchObject([
      { eventId: poison.event.id, attempts: 1, status: 413 },
    ]);
    await webhooks.record(...events(1).map((each) => (bad.add(each.event.id), each)));
    await until(() => isWaiting(call));
    await call('PATCH', '', { filter: { types: ['sandbox.*'] } });
    const last = sandboxEnvelope({ type: 'sandbox.ready', data: {} });
    await webhooks.record(last);
    await until(() => app.ids().at(-1) === last.event.id);
    expect((await call('GET')).body.delivery.failedAttempts).toBe(0);
  });

  it('sends again what was delivered, of its own workspace and by its filter (G8)', async () => {
    const { app, webhooks, of } = await start();
    const { endpointId } = await webhooks.create({ url: app.url, filter: { types: ['execution.*'] } });
    const others = [sandboxEnvelope({ workspaceId: 2 }), sandboxEnvelope({ type: 'sandbox.ready', data: {} })];
    const mine = events(2);
    await webhooks.record(...mine, ...others);
    await until(() => app.received.length === 2);
    const unknown = '01a200f5-a748-7564-8a29-001f52e881cf';
    const foreign = [...others.map(({ event }) => event.id), unknown];
    const eventIds = [...mine.map(({ event }) => event.id), ...foreign];
    const call = of(endpointId);
    expect((await call('POST', '/redeliver', { eventIds })).body).toEqual({ waiting: 2, notFound: foreign });
    await until(() => app.received.length === 4);
    expect(app.received.slice(2).map(({ body }) => body)).toEqual(app.received.slice(0, 2).map(({ body }) => body));
    await until(async () => (await call('GET', '/dead-letters')).body.deadLetters.length === 0);
    expect((await call('POST', '/redeliver', { eventIds: ['no id'] })).status).toBe(400);
    const key = await webhooks.keyOf(2);
    const path = `/v1/webhooks/${endpointId}/redeliver`;
    expect((await webhooks.call('POST', path, { key, json: { eventIds } })).status).toBe(404);
  });

  it('lets live events have their turn between replays, also while they are read (G9)', async () => {
    const { app, webhooks, of } = await start();
    const eventIds = (await webhooks.record(...events(30))).map(({ event }) => event.id);
    const { endpointId } = await webhooks.create({ url: app.url, enabled: false });
    const call = of(endpointId);
    expect((await call('POST', '/redeliver', { eventIds })).body.waiting).toBe(30);
    const unknown = '01a200f5-a748-7564-8a29-001f52e881cf';
    const none = await call('POST', '/redeliver', { eventIds: [unknown] });
    expect(none.body).toEqual({ waiting: 30, notFound: [unknown] });
    const [live] = await webhooks.record(...events(1));
    // So many that the feed reads the live one from the read model.
    const others = DELIVERY_LIMITS.ringEvents;
    await webhooks.record(...Array.from({ length: others }, () => sandboxEnvelope({ workspaceId: 2 })));
    await call('PATCH', '', { enabled: true });
    await until(() => app.received.length === 31);
    expect(app.ids().indexOf(live?.event.id ?? '')).toBe(10);
  });

  it('enables no endpoint without a secret', async () => {
    const store = new MemoryWebhookStore();
    const { app, webhooks, of } = await start(undefined, { store });
    const { endpointId } = await webhooks.create({ url: app.url, enabled: false });
    await store.update(1, endpointId, { secrets: { current: '' } });
    const call = of(endpointId);
    const refused = await call('PATCH', '', { enabled: true });
    expect(refused).toMatchObject({ status: 409, text: expect.stringContaining('rotate its secret first') });
    expect((await call('PATCH', '', { description: 'old' })).status).toBe(200);
    expect((await call('POST', '/rotate-secret')).status).toBe(200);
    expect((await call('PATCH', '', { enabled: true })).body.enabled).toBe(true);
  });

  it('goes back to a cursor', async () => {
    const { app, webhooks, of } = await start();
    const { endpointId } = await webhooks.create({ url: app.url });
    const ids = (await webhooks.record(...events(3))).map(({ event }) => event.id);
    await until(() => app.received.length === 3);
    const call = of(endpointId);
    expect((await call('PATCH', '', { cursor: '1-0badcafe-1' })).status).toBe(400);
    expect((await call('PATCH', '', { cursor: 'earliest' })).status).toBe(200);
    await until(() => app.received.length === 6);
    expect(app.ids()).toEqual([...ids, ...ids]);
    await until(async () => (await webhooks.log(endpointId)).length === 6);
  });

  it('is asked for tests one at a time, and so many in a minute (G9)', async () => {
    const { app, webhooks, of } = await start(() => undefined);
    const { endpointId } = await webhooks.create({ url: app.url });
    const call = of(endpointId);
    const hanging = call('POST', '/test');
    await until(() => app.received.length === 1);
    expect((await call('POST', '/test')).status).toBe(409);
    app.answers(() => ({ status: 204 }));
    app.release();
    await hanging;
    for (let n = 1; n < 10; n++) expect((await call('POST', '/test')).status).toBe(200);
    expect((await call('POST', '/test')).status).toBe(429);
    expect(app.received).toHaveLength(10);
  });

  it('waits between replays that fail, by what is answered, and stops when it is told to', async () => {
    const { app, webhooks, of } = await start(() => ({ status: 500 }), {
      env: { SLUICE_WEBHOOK_RETRY_DELAYS: '1ms' },
    });
    const { endpointId } = await webhooks.create({ url: app.url });
    await webhooks.record(...events(3));
    const call = of(endpointId);
    const letters = async (): Promise<Json[]> => (await call('GET', '/dead-letters')).body.deadLetters;
    await until(async () => (await letters()).length === 3);
    app.answers(() => ({ status: 503, headers: { 'retry-after': '3000' } }));
    await call('POST', '/dead-letters/replay', { all: true });
    await until(async () => (await letters()).filter(({ replayAt }) => replayAt !== undefined).length === 2);
    // A live event has its turn while replays wait.
    await webhooks.record(...events(1));
    await until(async () => (await letters()).length === 3 && app.received.length === 8);
    expect((await call('DELETE', '/dead-letters/replay')).body).toEqual({ cancelled: 2 });
    expect((await letters()).every(({ replayAt }) => replayAt === undefined)).toBe(true);
  });

  it('is disabled by a replay that is answered with 410', async () => {
    const { app, webhooks, of } = await start(() => ({ status: 500 }), {
      env: { SLUICE_WEBHOOK_RETRY_DELAYS: '1ms' },
    });
    const { endpointId } = await webhooks.create({ url: app.url });
    await webhooks.record(...events(2));
    const call = of(endpointId);
    await until(async () => (await call('GET', '/dead-letters')).body.deadLetters.length === 2);
    app.answers(() => ({ status: 410 }));
    const before = app.received.length;
    await call('POST', '/dead-letters/replay', { all: true });
    await until(async () => (await call('GET')).body.disabled?.reason === 'gone');
    expect(app.received).toHaveLength(before + 1);
  });

  it('shows writers by which key it was made', async () => {
    const { app, webhooks } = await start();
    const { endpointId, createdByKeyId } = await webhooks.create({ url: app.url });
    expect(createdByKeyId).toEqual(expect.any(String));
    const path = `/v1/webhooks/${endpointId}`;
    expect((await webhooks.call('GET', path)).body.createdByKeyId).toBe(createdByKeyId);
    const key = await webhooks.keyOf(1, 'reader');
    expect((await webhooks.call('GET', path, { key })).body).not.toHaveProperty('createdByKeyId');
    expect((await webhooks.call('GET', '/v1/webhooks', { key })).text).not.toContain('createdByKeyId');
  });
});
