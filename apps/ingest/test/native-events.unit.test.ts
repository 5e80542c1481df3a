import { OPERATOR_KEY, startIngest, times, type IngestService } from './ingest-service';
import type { Json } from '@sluice/engine/conformance';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('POST /events', () => {
  let service: IngestService;
  let bearer: string;
  let key: string;
  beforeAll(async () => {
    service = await startIngest();
    bearer = await service.token();
    key = await service.key('writer');
  });
  afterAll(() => service.stop());

  it('answers one event in the shape that the sandbox clients read', async () => {
    const before = Date.now();
    const { status, headers, body } = await service.post(
      { type: 'execution.completed', data: { exitCode: 0 } },
      { bearer },
    );
    expect(status).toBe(201);
    expect(headers['content-type']).toContain('application/json');
    expect(body).toEqual({
      success: true,
      data: {
        eventId: expect.stringMatching(UUID),
        sandboxId: 'sandbox-123',
        type: 'execution.completed',
        timestamp: expect.any(Number),
      },
    });
    expect(body.data.timestamp).toBeGreaterThanOrEqual(before);
    expect(body.data.timestamp).toBeLessThanOrEqual(Date.now());
  });

  it('stores what was sent, readable when it is answered (G3)', async () => {
    const sent = {
      type: 'custom.event',
      data: { text: 'ü\u0000🐚', list: [1, null, { deep: true }] },
      timestamp: 1_700_000_000_123,
      correlationId: 'run-7',
      causationId: 'cause-1',
    };
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const { body } = await service.post(sent, { bearer, headers: { traceparent } });
    const readModel = await service.host.engine.readModel();
    const stored = (await readModel.findByIds([body.data.eventId])).get(body.data.eventId);
    expect(stored).toMatchObject({
      family: 'sandbox',
      entityId: 'sandbox-123',
      workspaceId: 1,
      type: 'custom.event',
      schemaVersion: 1,
      occurredAt: 1_700_000_000_123,
      data: sent.data,
      correlationId: 'run-7',
      causationId: 'cause-1',
      traceparent,
    });
    expect(body.data.timestamp).toBe(1_700_000_000_123);
  });

  it('takes an event without data, and ignores a trace header that is none', async () => {
    const { body } = await service.post({ type: 'system.ready' }, { bearer, headers: { traceparent: 'nonsense' } });
    const stored = service.projection.logged.find(({ id }) => id === body.data.eventId);
    expect(stored?.data).toEqual({});
    expect(stored).not.toHaveProperty('traceparent');
  });

  it('takes a batch, and answers in its order', async () => {
    const events = times(5).map((n) => ({ type: `step.${n}`, data: { n } }));
    const { status, body } = await service.post({ events }, { bearer });
    expect(status).toBe(201);
    expect(body.data.count).toBe(5);
    expect(body.data.events.map(({ type }: Json) => type)).toEqual(events.map(({ type }) => type));
    expect(new Set(body.data.events.map(({ eventId }: Json) => eventId)).size).toBe(5);
    const ids = body.data.events.map(({ eventId }: Json) => eventId);
    const logged = service.projection.logged.filter(({ id }) => ids.includes(id));
    expect(logged.map(({ data }) => data['n'])).toEqual([0, 1, 2, 3, 4]);
  });

  it('lets the holder of a key say which sandbox, and an operator which workspace', async () => {
    const byKey = await service.post({ type: 'custom', sandboxId: 'other' }, { key });
    expect(byKey.body.data.sandboxId).toBe('other');
    const batch = {
      events: [
        { type: 'custom', sandboxId: 'a' },
        { type: 'custom', sandboxId: 'b', workspaceId: 1 },
      ],
    };
    expect((await service.post(batch, { key })).status).toBe(201);
    const byOperator = await service.post({ type: 'custom', sandboxId: 'far', workspaceId: 9 }, { key: OPERATOR_KEY });
    expect(byOperator.status).toBe(201);
    const stored = service.projection.logged.find(({ id }) => id === byOperator.body.data.eventId);
    expect(stored?.workspaceId).toBe(9);
  });

  it.each([
    ['a key that names no sandbox', { type: 'custom' }, () => ({ key }), 422, 'invalid_event', 'sandboxId'],
    [
      'an operator that names no workspace',
      { type: 'custom', sandboxId: 'x' },
      () => ({ key: OPERATOR_KEY }),
      422,
      'invalid_event',
      'workspaceId',
    ],
    [
      'the second event of a batch',
      { events: [{ type: 'custom', sandboxId: 'x' }, { type: 'custom' }] },
      () => ({ key }),
      422,
      'invalid_event',
      'events[1].sandboxId',
    ],
  ])('refuses %s', async (_name, event, credentials, status, code, where) => {
    const answer = await service.post(event, credentials());
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ success: false, code, where });
  });

  it('never lets one workspace or sandbox write into another (G8)', async () => {
    const before = service.projection.logged.length;
    const attempts = [
      await service.post({ type: 'custom', sandboxId: 'other' }, { bearer }),
      await service.post({ type: 'custom', workspaceId: 2 }, { bearer }),
      await service.post({ type: 'custom', sandboxId: 'x', workspaceId: 2 }, { key }),
      await service.post({ events: [{ type: 'custom' }, { type: 'custom', workspaceId: 2 }] }, { bearer }),
    ];
    for (const { status, body } of attempts) {
      expect(status).toBe(401);
      expect(body).toMatchObject({ success: false, code: 'unauthorized' });
    }
    expect(service.projection.logged).toHaveLength(before);
  });

  it('refuses a key that may only read', async () => {
    const answer = await service.post({ type: 'custom', sandboxId: 'x' }, { key: await service.key('reader') });
    expect(answer.status).toBe(403);
    expect(answer.body.code).toBe('forbidden');
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'])('has no %s', async (method) => {
    const answer = await service.send('/events', { method, bearer });
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe('POST');
  });
});
