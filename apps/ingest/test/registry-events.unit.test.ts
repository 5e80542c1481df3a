import { issueApiKey } from '@sluice/access';
import { PUBLIC_WORKSPACE_ID } from '@sluice/event-schema';
import { OPERATOR_KEY, startIngest, times, type IngestService } from './ingest-service';
import type { SendOptions } from '@sluice/engine/conformance';
import { REGISTRY_EVENTS, UPDATED } from './registry-sample';

const PATH = '/v1/registry/events';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('POST /v1/registry/events', () => {
  let service: IngestService;
  beforeAll(async () => {
    service = await startIngest();
  });
  afterAll(() => service.stop());

  const post = (json: unknown, options: SendOptions = {}, query = '') =>
    service.send(`${PATH}${query}`, { key: OPERATOR_KEY, json, ...options });
  const recorded = async (eventId: string) =>
    (await (await service.host.engine.readModel()).findByIds([eventId])).get(eventId);

  it.each(REGISTRY_EVENTS)(
    'stores $type in the public workspace, about its agent, readable when answered (G3)',
    async (sent) => {
      const { type } = sent;
      const { status, body } = await post({ ...sent, timestamp: 1_700_000_000_123 });
      expect([status, body]).toEqual([
        201,
        {
          success: true,
          data: {
            eventId: expect.stringMatching(UUID),
            agentId: '11155111:1234',
            type,
            timestamp: 1_700_000_000_123,
          },
        },
      ]);
      expect(await recorded(body.data.eventId)).toMatchObject({
        family: 'registry',
        workspaceId: PUBLIC_WORKSPACE_ID,
        entityId: '11155111:1234',
        type,
        schemaVersion: 1,
        occurredAt: 1_700_000_000_123,
        data: sent.data,
      });
    },
  );

  it('keeps where on its chain an event was found, and how its request was traced', async () => {
    const hash = `0x${'0f'.repeat(32)}`;
    const chain = { blockNumber: 7, blockHash: hash, transactionHash: hash, logIndex: 0 };
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const { body } = await post({ type: UPDATED.type, data: { ...UPDATED.data, chain } }, { headers: { traceparent } });
    expect(await recorded(body.data.eventId)).toMatchObject({ data: { chain }, traceparent });
  });

  it('takes a token id that is larger than any number', async () => {
    const agentId = `1:${'9'.repeat(78)}`;
    const { status, body } = await post({ type: UPDATED.type, data: { ...UPDATED.data, agentId, chainId: 1 } });
    expect([status, body.data.agentId]).toEqual([201, agentId]);
  });

  it('says when an event happened, if nobody else did', async () => {
    const before = Date.now();
    const { body } = await post(UPDATED);
    expect(body.data.timestamp).toBeGreaterThanOrEqual(before);
    expect(body.data.timestamp).toBeLessThanOrEqual(Date.now());
  });

  it('answers a batch in the same order', async () => {
    const events = REGISTRY_EVENTS;
    const { status, body } = await post({ events });
    expect([status, body.data.count]).toEqual([201, events.length]);
    expect(body.data.events.map(({ type }: { type: string }) => type)).toEqual(events.map(({ type }) => type));
  });

  it('gives the same event for the same key, and 409 for another one under it (G2)', async () => {
    const keyed = { headers: { 'idempotency-key': 'block-7/0' } };
    const first = await post(UPDATED, keyed);
    expect((await post(UPDATED, keyed)).body).toEqual(first.body);
    // The order of the members is not part of an event.
    const { agentId, chainId, changes } = UPDATED.data;
    expect((await post({ data: { changes, chainId, agentId }, type: UPDATED.type }, keyed)).body).toEqual(first.body);
    const other = await post({ type: UPDATED.type, data: { ...UPDATED.data, changes: [] } }, keyed);
    expect([other.status, other.body.code]).toEqual([409, 'idempotency_conflict']);
  });

  it('keeps keys of agents apart, and of a batch by place', async () => {
    const other = { type: UPDATED.type, data: { ...UPDATED.data, agentId: '11155111:2' } };
    const events = [UPDATED, other, UPDATED].map((event) => ({ ...event, idempotencyKey: 'own' }));
    const { body } = await post({ events });
    const ids = body.data.events.map(({ eventId }: { eventId: string }) => eventId);
    expect([new Set(ids).size, ids[0] === ids[2]]).toEqual([2, true]);
    const headers = { 'idempotency-key': 'batch' };
    const [first, again] = [
      await post({ events: [UPDATED, UPDATED] }, { headers }),
      await post({ events: [UPDATED, UPDATED] }, { headers }),
    ];
    expect(again.body).toEqual(first.body);
    expect(first.body.data.events[0].eventId).not.toBe(first.body.data.events[1].eventId);
  });

  it('waits for what ack says', async () => {
    service.projection.pause();
    try {
      const { status } = await post(UPDATED, {}, '?ack=log');
      expect(status).toBe(201);
    } finally {
      service.projection.resume();
    }
    const answer = await post(UPDATED, {}, '?ack=now');
    expect([answer.status, answer.body.where]).toEqual([400, 'query.ack']);
  });

  it('answers 202 when the event cannot be read in time', async () => {
    const impatient = await startIngest({ env: { SLUICE_INGEST_PROJECTION_WAIT: '1ms' } });
    impatient.projection.pause();
    const { status, body } = await impatient.send(PATH, { key: OPERATOR_KEY, json: UPDATED });
    await impatient.stop();
    expect([status, body.data.agentId]).toEqual([202, '11155111:1234']);
  });

  it.each(['reader', 'writer', 'admin'] as const)(
    'answers 403 to a key of role %s, and stores nothing',
    async (role) => {
      const before = service.projection.logged.length;
      const { status, body } = await post(UPDATED, { key: await service.key(role) });
      expect([status, body.code]).toEqual([403, 'forbidden']);
      expect(service.projection.logged).toHaveLength(before);
    },
  );

  it('answers 403 to the key of the public workspace itself, and to a sandbox', async () => {
    const request = { workspaceId: PUBLIC_WORKSPACE_ID, role: 'admin', name: 'public' } as const;
    const { apiKey } = await issueApiKey(await service.host.engine.apiKeys(), request);
    expect((await post(UPDATED, { key: apiKey })).status).toBe(403);
    const { status } = await service.send(PATH, { bearer: await service.token('11155111:1234'), json: UPDATED });
    expect(status).toBe(403);
  });

  it('answers 401 without a credential, and to a wrong one', async () => {
    const [none, wrong] = [
      await service.send(PATH, { json: UPDATED }),
      await post(UPDATED, { key: `sk_${'x'.repeat(43)}` }),
    ];
    expect([none, wrong].map(({ status, body }) => [status, body.code])).toEqual([
      [401, 'unauthorized'],
      [401, 'unauthorized'],
    ]);
  });

  it('counts each event of a batch against the rate of its caller', async () => {
    const limited = await startIngest({
      env: { SLUICE_KEY_REQUESTS_PER_SECOND: '1' },
    });
    const events = times(5).map(() => UPDATED);
    const statuses = [];
    for (const json of [{ events }, UPDATED])
      statuses.push((await limited.send(PATH, { key: OPERATOR_KEY, json })).status);
    await limited.stop();
    expect(statuses).toEqual([201, 429]);
  });
});

describe('POST /events', () => {
  let service: IngestService;
  beforeAll(async () => {
    service = await startIngest();
  });
  afterAll(() => service.stop());

  it('takes no sandbox event into the public workspace (G8)', async () => {
    const sandboxId = 'sandbox-123';
    const json = { type: 'custom', sandboxId, workspaceId: PUBLIC_WORKSPACE_ID };
    const { status, body } = await service.post(json, { key: OPERATOR_KEY });
    expect([status, body.code, body.where]).toEqual([422, 'invalid_event', 'workspaceId']);
    const source = `/sandbox/${PUBLIC_WORKSPACE_ID}/${sandboxId}`;
    const event = { specversion: '1.0', id: 'a', source, type: 'custom', data: {} };
    const contentType = 'application/cloudevents+json';
    const structured = await service.post(event, { key: OPERATOR_KEY, contentType });
    expect([structured.status, structured.body.code]).toEqual([422, 'invalid_event']);
    expect(service.projection.logged).toEqual([]);
  });

  it('takes no registry event, whoever says so', async () => {
    const json = { ...UPDATED, family: 'registry' };
    expect((await service.post(json, { key: OPERATOR_KEY })).status).toBe(422);
    const source = '/registry/0/11155111:1234';
    const event = { specversion: '1.0', id: 'a', source, type: UPDATED.type, data: UPDATED.data };
    const contentType = 'application/cloudevents+json';
    expect((await service.post(event, { key: OPERATOR_KEY, contentType })).body.where).toBe('source');
  });
});
