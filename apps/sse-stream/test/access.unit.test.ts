import { issueApiKey } from '@sluice/access';
import { until } from '@sluice/event-log/conformance';
import { OPERATOR_KEY, sandboxEvent, startStreams, tokenUntil, type StreamService } from './stream-service';

/** Tokens are accepted this much longer than they say. */
const LEEWAY_S = 5;

describe('who may stream', () => {
  let service: StreamService;
  beforeEach(async () => {
    service = await startStreams({ heartbeatMs: 3_600_000 });
    await service.record(
      sandboxEvent(),
      sandboxEvent({ entityId: 'other' }),
      sandboxEvent({ workspaceId: 2 }),
      sandboxEvent({ family: 'session' }),
    );
  });
  afterEach(() => service.stop());

  it.each([
    ['nothing', {}],
    ['nonsense', { bearer: 'nonsense' }],
    ['an unknown key', { key: `sk_${'x'.repeat(43)}` }],
    ['a token without a signature', { bearer: 'eyJhbGciOiJub25lIn0.e30.' }],
  ])('nobody with %s', async (_name, credentials) => {
    const client = await service.open('', credentials);
    expect(client.status).toBe(401);
    expect(await client.json()).toMatchObject({ success: false, code: 'unauthorized' });
    expect((await service.host.feed()).counts.subscriptions).toBe(0);
  });

  it('the holder of a key, its own workspace alone (G8)', async () => {
    const key = await service.key();
    const client = await service.open('?cursor=earliest', { key });
    await client.receives(3);
    await service.record(sandboxEvent({ workspaceId: 2 }), sandboxEvent());
    await client.receives(4);
    expect(client.positions).toEqual([1, 2, 4, 6]);
    const foreign = await service.open('?workspaceId=2', { key });
    expect(foreign.status).toBe(401);
    expect((await foreign.json()).code).toBe('unauthorized');
    // The same words as for a bad credential: nobody learns what exists.
    const bad = await service.open('', { key: `sk_${'x'.repeat(43)}` });
    expect((await bad.json()).error).toBe(JSON.parse(foreign.text).error);
  });

  it('a sandbox, its own events alone (G8)', async () => {
    const bearer = await service.token();
    for (const query of ['?cursor=earliest', '?cursor=earliest&entityId=sandbox-123&family=sandbox&workspaceId=1']) {
      const client = await service.open(query, { bearer });
      await client.receives(1);
      const recorded = await service.record(
        sandboxEvent({ entityId: 'other' }),
        sandboxEvent({ workspaceId: 2 }),
        sandboxEvent({ family: 'session' }),
        sandboxEvent(),
      );
      const last = recorded.at(-1)?.event.position;
      await until(() => client.positions.at(-1) === last, 'the last one arrives');
      for (const event of client.data()) {
        expect(event).toMatchObject({ workspaceId: 1, family: 'sandbox', entityId: 'sandbox-123' });
      }
    }
    for (const [query, status] of [
      ['?entityId=other', 401],
      ['?entityId=sandbox-123,other', 401],
      ['?workspaceId=2', 401],
      ['?family=session', 403],
      ['?family=sandbox,session', 403],
    ] as const) {
      expect([query, (await service.open(query, { bearer })).status]).toEqual([query, status]);
    }
  });

  it('an operator, who has to say which workspace', async () => {
    const without = await service.open('', { key: OPERATOR_KEY });
    expect(without.status).toBe(400);
    expect(await without.json()).toMatchObject({ code: 'invalid_request', where: 'query.workspaceId' });
    const client = await service.open('?workspaceId=2&cursor=earliest', { key: OPERATOR_KEY });
    await client.receives(1);
    expect(client.positions).toEqual([3]);
  });

  it('ends the stream of a token when it expires, by a named event that says where to resume', async () => {
    const expiresSoon = Math.floor(Date.now() / 1000) - LEEWAY_S + 4;
    const client = await service.open('?cursor=earliest', { bearer: tokenUntil(expiresSoon) });
    expect(client.status).toBe(200);
    await client.receives(1);
    await client.closed();
    expect(client.data('end')).toEqual([
      { code: 'token_expired', message: expect.any(String), retryable: false, cursor: client.lastEventId },
    ]);
    expect(Date.now()).toBeGreaterThanOrEqual((expiresSoon + LEEWAY_S) * 1000);
    expect(await service.metric('sluice_sse_streams_ended_total{reason="token_expired"}')).toBe(1);
    expect(service.host.limiter.openConnections).toBe(0);
    const again = await service.open('', { bearer: tokenUntil(expiresSoon), lastEventId: client.lastEventId });
    expect(again.status).toBe(401);
    expect((await again.json()).code).toBe('token_expired');
  });

  it('ends the stream of a key when it expires', async () => {
    const key = await service.key({ expiresAt: Date.now() + 3_000 });
    const client = await service.open('', { key });
    await client.closed();
    expect(client.data('end')).toMatchObject([{ code: 'token_expired' }]);
  });

  it('ends the stream of a key when it is revoked, and no other', async () => {
    const apiKeys = await service.host.engine.apiKeys();
    const { apiKey, record } = await issueApiKey(apiKeys, { workspaceId: 1, role: 'reader', name: 'to be revoked' });
    const client = await service.open('', { key: apiKey });
    const other = await service.open('', { key: await service.key() });
    await apiKeys.revoke({ keyId: record.keyId });
    (await service.host.access()).forgetApiKey(record.keyId);
    await client.closed();
    expect(client.data('end')).toMatchObject([{ code: 'unauthorized', retryable: false, cursor: client.lastEventId }]);
    expect(await service.metric('sluice_sse_streams_ended_total{reason="revoked"}')).toBe(1);
    expect((await service.open('', { key: apiKey })).status).toBe(401);
    const [recorded] = await service.record(sandboxEvent());
    await other.receives(1);
    expect(other.positions).toEqual([recorded?.event.position]);
  });

  it('as many at once as its limit says (G9)', async () => {
    const key = await service.key({ limits: { connections: 2 } });
    const [first] = [await service.open('', { key }), await service.open('', { key })];
    const refused = await service.open('', { key });
    expect(refused.status).toBe(429);
    expect(Number(refused.header('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await refused.json()).code).toBe('too_many_connections');
    // Another caller is not held up.
    expect((await service.open('', { key: await service.key() })).status).toBe(200);
    first?.destroy();
    await until(async () => (await service.open('', { key })).status === 200, 'the place is free again');
  });

  it('as many at once as the process has places for (G9)', async () => {
    await service.stop();
    service = await startStreams({}, { SLUICE_MAX_CONNECTIONS: '3' });
    const key = await service.key();
    for (const status of [200, 200, 200, 429]) expect((await service.open('', { key })).status).toBe(status);
  });

  it('as often as its rate says', async () => {
    const key = await service.key({ limits: { requestsPerSecond: 0.1, burst: 1 } });
    expect((await service.open('', { key })).status).toBe(200);
    const refused = await service.open('', { key });
    expect(refused.status).toBe(429);
    expect(Number(refused.header('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await refused.json()).code).toBe('rate_limited');
  });
});
