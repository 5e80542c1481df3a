import { issueApiKey, type StreamScope } from '@sluice/access';
import { until } from '@sluice/event-log/conformance';
import {
  OPERATOR_KEY,
  registryEvent,
  sandboxEvent,
  startStreams,
  workspaceEvent,
  type StreamService,
} from './stream-service';

describe('POST /v1/stream-tokens', () => {
  let service: StreamService;
  let key: string;
  beforeEach(async () => {
    service = await startStreams();
    key = await service.key();
  });
  afterEach(() => service.stop());

  const ask = (body: unknown, headers: Record<string, string> = { 'x-api-key': key }) =>
    fetch(`${service.url}/v1/stream-tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const mint = async (scope: StreamScope, ttlSeconds?: number): Promise<string> =>
    ((await (await ask({ scope, ttlSeconds })).json()) as { token: string }).token;

  it('gives a token that lasts ten minutes unless it is asked for less or more', async () => {
    const response = await ask({});
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body = (await response.json()) as { token: string; expiresAt: number };
    expect(Object.keys(body).sort()).toEqual(['expiresAt', 'token']);
    expect(body.expiresAt - Date.now()).toBeGreaterThan(590_000);
    expect(body.expiresAt - Date.now()).toBeLessThanOrEqual(600_000);
    expect(await service.metric('sluice_stream_tokens_minted_total')).toBe(1);
  });

  it.each([
    [{ scope: { families: ['weather'] } }, 'body.scope.families.0'],
    [{ scope: { types: [] } }, 'body.scope.types'],
    [{ ttlSeconds: 3_601 }, 'body.ttlSeconds'],
    [{ unknown: 1 }, 'body.unknown'],
    [[], 'body'],
    [null, 'body'],
  ])('refuses %j', async (body, where) => {
    const response = await ask(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_request', where });
  });

  it('is for the holders of keys alone, and for their own workspace', async () => {
    const streamToken = await mint({});
    const statuses = [
      await ask({}, {}),
      await ask({}, { 'x-api-key': `sk_${'x'.repeat(43)}` }),
      await ask({}, { authorization: `Bearer ${streamToken}` }),
      await ask({}, { authorization: `Bearer ${await service.token()}` }),
      await ask({ workspaceId: 2 }),
      await ask({}, { 'x-api-key': OPERATOR_KEY }),
      await ask({ workspaceId: 2 }, { 'x-api-key': OPERATOR_KEY }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 401, 401, 403, 401, 400, 201]);
  });

  it('opens every stream door, in the address and as a bearer, and nothing else', async () => {
    const token = await mint({});
    for (const path of ['/v1/stream', '/api/v1/events', '/api/events']) {
      expect([path, (await service.openAt(`${path}?token=${token}`)).status]).toEqual([path, 200]);
      expect([path, (await service.openAt(path, { bearer: token })).status]).toEqual([path, 200]);
      // A key has no place in an address.
      expect([path, (await service.openAt(`${path}?token=${key}`)).status]).toEqual([path, 401]);
    }
  });

  it('shows what it was made for and no more (G8)', async () => {
    const token = await mint({ families: ['registry'], types: ['agent_updated'], chainIds: [1] });
    await service.record(
      sandboxEvent(),
      workspaceEvent(),
      registryEvent('agent_updated'),
      registryEvent('reputation_change', { agentId: '1:1', chainId: 1 }),
      registryEvent('agent_updated', { agentId: '1:1', chainId: 1 }),
      registryEvent('agent_updated', { agentId: '11:1', chainId: 11 }),
    );
    const stream = await service.open(`?cursor=earliest&token=${token}`);
    await stream.receives(1);
    const registry = await service.openAt(`/api/v1/events?lastEventId=earliest&token=${token}`);
    await registry.has('agent_updated');
    await service.stopServing();
    await Promise.all([stream.closed(), registry.closed()]);
    expect(stream.positions).toEqual([5]);
    expect(registry.data('agent_updated').map(({ agentId }) => agentId)).toEqual(['1:1']);
    expect(registry.data('reputation_change')).toEqual([]);
  });

  it.each([
    ['/v1/stream?family=workspace', 403],
    ['/v1/stream?family=registry&types=reputation_change', 403],
    ['/v1/stream?workspaceId=2&family=registry,workspace', 403],
    ['/api/v1/events?chainIds=2', 403],
    ['/api/v1/events?reputation=true', 403],
    ['/api/events', 403],
    ['/api/v1/events?chainIds=1&registrations=true&eventTypes=agent_updated', 200],
  ])('answers %s beyond its scope by %d', async (path, status) => {
    const token = await mint({ families: ['registry'], types: ['agent_updated'], chainIds: [1] });
    const client = await service.openAt(`${path}${path.includes('?') ? '&' : '?'}token=${token}`);
    expect(client.status).toBe(status);
  });

  it('ends with its time, and with its key', async () => {
    const apiKeys = await service.host.engine.apiKeys();
    const { apiKey, record } = await issueApiKey(apiKeys, { workspaceId: 1, role: 'reader', name: 'to be revoked' });
    key = apiKey;
    const token = await mint({});
    const client = await service.open(`?token=${token}`);
    expect(client.status).toBe(200);
    await apiKeys.revoke({ keyId: record.keyId });
    (await service.host.access()).forgetApiKey(record.keyId);
    await client.closed();
    expect(client.data('end')).toMatchObject([{ code: 'unauthorized' }]);
    expect((await service.open(`?token=${token}`)).status).toBe(401);
  });

  it('counts as a stream of its key (G9)', async () => {
    const token = await mint({});
    const streams = [];
    for (let n = 0; n < 5; n++) streams.push(await service.openAt('/api/v1/events', { key }));
    for (let n = 0; n < 5; n++) streams.push(await service.openAt(`/api/v1/events?token=${token}`));
    expect(streams.every(({ status }) => status === 200)).toBe(true);
    expect((await service.openAt(`/api/v1/events?token=${token}`)).status).toBe(429);
    expect((await service.openAt('/api/v1/events', { key })).status).toBe(429);
    streams[0]?.destroy();
    await until(async () => (await service.openAt(`/api/v1/events?token=${token}`)).status === 200, 'a place is free');
  });
});
