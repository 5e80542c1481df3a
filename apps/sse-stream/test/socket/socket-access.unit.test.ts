import { issueApiKey } from '@sluice/access';
import { until } from '@sluice/event-log/conformance';
import {
  OPERATOR_KEY,
  sandboxEvent,
  startSockets,
  taskCreated,
  tokenUntil,
  type SocketService,
} from './socket-service';

/** Tokens are accepted this much longer than they say. */
const LEEWAY_S = 5;

describe('who may connect', () => {
  let service: SocketService;
  beforeEach(async () => {
    service = await startSockets();
  });
  afterEach(() => service.stop());

  describe.each(['/ws', '/v1/socket'])('to %s', (door) => {
    it.each([
      ['nothing', '', {}],
      ['nonsense', '', { bearer: 'nonsense' }],
      ['an unknown key', '', { key: `sk_${'x'.repeat(43)}` }],
      ['a key in the address', `?token=${OPERATOR_KEY}`, {}],
    ])('nobody with %s, who is answered by HTTP', async (_name, query, credentials) => {
      expect(await service.refusal(`${door}${query}`, credentials)).toMatchObject({
        status: 401,
        code: 'unauthorized',
      });
      expect(await service.metric('sluice_socket_connections_total{door="socket"}')).toBe(0);
    });

    it('as many at once as the limit of the key says (G9)', async () => {
      const key = await service.key({ limits: { connections: 2 } });
      const [first] = [await service.connect(door, { key }), await service.connect(door, { key })];
      expect(await service.refusal(door, { key })).toMatchObject({ status: 429, code: 'too_many_connections' });
      await service.connect(door);
      first?.destroy();
      await until(() => service.host.limiter.openConnections === 2, 'the place is free again');
      await service.connect(door, { key });
    });

    it('as often as its rate says', async () => {
      const key = await service.key({ limits: { requestsPerSecond: 0.1, burst: 1 } });
      await service.connect(door, { key });
      expect(await service.refusal(door, { key })).toMatchObject({ status: 429, code: 'rate_limited' });
    });

    it('until the key is revoked', async () => {
      const apiKeys = await service.host.engine.apiKeys();
      const { apiKey, record } = await issueApiKey(apiKeys, { workspaceId: 1, role: 'reader', name: 'to be revoked' });
      const client = await service.connect(door, { key: apiKey });
      const other = await service.connect(door);
      if (door === '/v1/socket') {
        client.say({ type: 'subscribe', id: 'a' });
        await client.receives('subscribed');
      }
      await apiKeys.revoke({ keyId: record.keyId });
      (await service.host.access()).forgetApiKey(record.keyId);
      expect(await client.closed()).toEqual({ code: 4003, reason: 'revoked' });
      if (door === '/v1/socket') {
        expect(client.of('ended')).toMatchObject([{ id: 'a', code: 'unauthorized', retryable: false }]);
      }
      expect(other.end).toBeUndefined();
      expect((await service.refusal(door, { key: apiKey })).status).toBe(401);
    });

    it('until the key expires', async () => {
      const key = await service.key({ expiresAt: Date.now() + 3_000 });
      const client = await service.connect(door, { key });
      expect(await client.closed()).toEqual({ code: 4001, reason: 'token_expired' });
    });

    it('not without an upgrade', async () => {
      const response = await fetch(`${service.url}${door}`, { headers: { 'x-api-key': await service.key() } });
      expect(response.status).toBe(426);
      expect(service.host.limiter.openConnections).toBe(0);
    });
  });

  it.each(['?cursor=nonsense', '?workspaceId=x'])('not to /ws%s', async (query) => {
    expect((await service.refusal(`/ws${query}`, { key: await service.key() })).status).toBe(400);
    await until(() => service.host.limiter.openConnections === 0, 'no place is taken');
  });

  it('to subscribe to a workspace of its own alone (G8)', async () => {
    const client = await service.connect('/v1/socket');
    await service.record(sandboxEvent({ workspaceId: 2 }), sandboxEvent());
    client.say({ type: 'subscribe', id: 'foreign', filter: { workspaceId: 2 }, cursor: 'earliest' });
    expect(await client.receives('error')).toMatchObject({ code: 'unauthorized', id: 'foreign' });
    client.say({ type: 'subscribe', id: 'own', filter: { workspaceId: 1 }, cursor: 'earliest' });
    await client.receives('caught_up');
    expect(client.positions()).toEqual([2]);
  });

  it('as operator, who has to say which workspace', async () => {
    const client = await service.connect('/v1/socket', { key: OPERATOR_KEY });
    await service.record(sandboxEvent({ workspaceId: 2 }), sandboxEvent());
    client.say({ type: 'subscribe', id: 'a', cursor: 'earliest' });
    expect(await client.receives('error')).toMatchObject({ code: 'invalid_request', where: 'filter.workspaceId' });
    client.say({ type: 'subscribe', id: 'a', cursor: 'earliest', filter: { workspaceId: 2 } });
    await client.receives('caught_up');
    expect(client.positions()).toEqual([1]);
  });

  it('as sandbox, which sees its own events alone and until its token expires (G8)', async () => {
    const expiresSoon = Math.floor(Date.now() / 1000) - LEEWAY_S + 4;
    const client = await service.connect('/v1/socket', { bearer: tokenUntil(expiresSoon) });
    await service.record(
      sandboxEvent({ entityId: 'other' }),
      sandboxEvent({ family: 'session' }),
      sandboxEvent({ entityId: 'sandbox-123' }),
    );
    client.say({ type: 'subscribe', id: 'foreign', filter: { entityIds: ['other'] } });
    client.say({ type: 'subscribe', id: 'families', filter: { families: ['sandbox', 'session'] } });
    client.say({ type: 'subscribe', id: 'present', presence: { group: 'g', name: 'n' } });
    await client.receives('error', 3);
    expect(client.of('error').map(({ id, code }) => [id, code])).toEqual([
      ['foreign', 'unauthorized'],
      ['families', 'forbidden'],
      ['present', 'forbidden'],
    ]);
    client.say({ type: 'subscribe', id: 'own', cursor: 'earliest' });
    await client.receives('caught_up');
    expect(client.positions()).toEqual([3]);
    expect(await client.closed()).toEqual({ code: 4001, reason: 'token_expired' });
    expect(client.of('ended')).toMatchObject([{ id: 'own', code: 'token_expired' }]);
  });

  it('for subscriptions as often as its rate says, each beyond the first counted as a connection (G9)', async () => {
    const slow = await service.connect('/v1/socket', {
      key: await service.key({ limits: { requestsPerSecond: 0.1, burst: 2 } }),
    });
    slow.say({ type: 'subscribe', id: 'a' });
    slow.say({ type: 'subscribe', id: 'b' });
    const error = await slow.receives('error');
    expect(error).toMatchObject({ id: 'b', code: 'rate_limited', retryable: true });
    expect(error.retryAfterMs).toBeGreaterThan(1_000);
    const few = await service.connect('/v1/socket', { key: await service.key({ limits: { connections: 2 } }) });
    for (const id of ['a', 'b', 'c']) few.say({ type: 'subscribe', id });
    expect(await few.receives('error')).toMatchObject({ id: 'c', code: 'too_many_connections' });
    few.say({ type: 'unsubscribe', id: 'b' });
    few.say({ type: 'subscribe', id: 'c' });
    await few.receives('subscribed', 3);
    few.destroy();
    slow.destroy();
    await until(() => service.host.limiter.openConnections === 0, 'all places are free');
  });

  it('without credentials over loopback, where that is configured, as the documents of /ws show it', async () => {
    await service.stop();
    service = await startSockets({}, { SLUICE_LOOPBACK_WORKSPACE: '1' });
    const workspace = await service.connect('/ws', {});
    const socket = await service.connect('/v1/socket', { headers: { origin: 'http://localhost:3000' } });
    socket.say({ type: 'subscribe', id: 'a' });
    await socket.receives('subscribed');
    await service.record(taskCreated('foreign', 2), taskCreated('own'));
    await workspace.receives('Event');
    await socket.receivesEvents(1);
    expect(workspace.of('Event')[0].data.payload.data.task_id).toBe('own');
    expect(socket.positions()).toEqual([2]);
    expect(await service.refusal('/ws', { headers: { origin: 'https://elsewhere.example' } })).toMatchObject({
      status: 401,
    });
  });

  describe('by stream token', () => {
    const mint = async (scope: object) => {
      const access = await service.host.access();
      const principal = await access.authenticateApiKey(await service.key());
      return (await access.mintStreamToken(principal, { scope })).accessToken;
    };

    it('is let in with it in the address, and sees no more than its scope (G8)', async () => {
      const token = await mint({ families: ['sandbox'], entityIds: ['mine'] });
      const client = await service.connect(`/v1/socket?token=${token}`, {});
      await service.record(sandboxEvent({ entityId: 'mine' }), sandboxEvent({ entityId: 'other' }), taskCreated('t1'));
      client.say({ type: 'subscribe', id: 'all', cursor: 'earliest' });
      await client.receives('caught_up');
      expect(client.positions('all')).toEqual([1]);
      client.say({ type: 'subscribe', id: 'entity', filter: { entityIds: ['other'] } });
      client.say({ type: 'subscribe', id: 'family', filter: { families: ['workspace'] } });
      client.say({ type: 'subscribe', id: 'workspace', filter: { workspaceId: 2 } });
      client.say({ type: 'subscribe', id: 'present', presence: { group: 'g', name: 'n' } });
      await client.receives('error', 4);
      expect(client.of('error').map(({ id, code }) => [id, code])).toEqual([
        ['entity', 'forbidden'],
        ['family', 'forbidden'],
        ['workspace', 'unauthorized'],
        ['present', 'forbidden'],
      ]);
      await service.record(sandboxEvent({ entityId: 'mine' }), sandboxEvent({ entityId: 'other' }));
      await client.receivesEvents(2);
      expect(client.positions()).toEqual([1, 4]);
    });

    it('opens /ws when its scope has the workspace family', async () => {
      const client = await service.connect(`/ws?token=${await mint({ families: ['workspace'] })}`, {});
      await service.record(taskCreated('t1'));
      await client.receives('Event');
      const registry = await mint({ families: ['registry'] });
      expect(await service.refusal(`/ws?token=${registry}`, {})).toMatchObject({ status: 403, code: 'forbidden' });
    });
  });
});
