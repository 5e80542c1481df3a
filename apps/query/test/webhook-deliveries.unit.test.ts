import { toEpoch, toPosition } from '@sluice/event-log';
import { newEndpointId, type DeliveryEntry, type WebhookEndpoint } from '@sluice/webhook-delivery';
import { startQuery, type QueryService } from './query-service';

describe('GET /v1/webhook-deliveries/{endpointId}', () => {
  let service: QueryService;
  beforeAll(async () => {
    service = await startQuery();
  });
  afterAll(() => service.stop());

  const entry = (at: number): DeliveryEntry => ({
    kind: 'event',
    outcome: 'failed',
    at,
    eventId: `e${at}`,
    status: 500,
  });

  it('pages through what an endpoint was sent, and shows nothing of other workspaces (G8)', async () => {
    const store = await service.host.engine.webhookStore();
    const endpointId = newEndpointId(1);
    const endpoint: WebhookEndpoint = {
      endpointId,
      workspaceId: 1,
      url: 'https://hooks.example.com',
      description: '',
      filter: {},
      secrets: { current: 'whsec_b25l' },
      createdAt: 1,
      updatedAt: 1,
      version: 1,
    };
    await store.create(endpoint, { epoch: toEpoch('0000abcd'), position: toPosition(0) }, 10);
    for (const at of [1, 2, 3]) await store.log(1, endpointId, entry(at));
    const path = `/v1/webhook-deliveries/${endpointId}`;
    const key = await service.key(1, 'reader');
    const first = await service.call(`${path}?limit=2`, { key });
    expect(first).toMatchObject({ status: 200 });
    expect(first.body).toEqual({
      deliveries: [
        { ...entry(3), deliveryId: 3 },
        { ...entry(2), deliveryId: 2 },
      ],
      nextBefore: 2,
    });
    const rest = await service.call(`${path}?limit=2&before=${first.body.nextBefore}`, { key });
    expect(rest.body).toEqual({ deliveries: [{ ...entry(1), deliveryId: 1 }] });
    const found = await service.call(`${path}?eventId=e2&outcome=failed`, { key });
    expect(found.body).toEqual({ deliveries: [{ ...entry(2), deliveryId: 2 }] });
    expect((await service.call(`${path}?outcome=delivered`, { key })).body).toEqual({ deliveries: [] });
    expect((await service.call(`${path}?outcome=other`, { key })).status).toBe(400);
    const foreign = await service.key(2, 'admin');
    const none = `/v1/webhook-deliveries/whk_${'0'.repeat(32)}`;
    const answers = [await service.call(path, { key: foreign }), await service.call(none, { key })];
    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
    expect(answers[0]?.body.error).toEqual(expect.any(String));
    expect(answers[0]?.body.error).toBe(answers[1]?.body.error);
    expect((await service.call('/v1/webhook-deliveries/other', { key })).status).toBe(400);
    expect((await service.call(path)).status).toBe(401);
  });
});
