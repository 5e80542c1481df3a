import { OPERATOR_KEY, startIngest, times, type IngestService } from './ingest-service';
import type { Json } from '@sluice/engine/conformance';

const STRUCTURED = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';

describe('POST /events with CloudEvents', () => {
  let service: IngestService;
  let bearer: string;
  let key: string;
  let lastId = 0;
  beforeAll(async () => {
    service = await startIngest();
    bearer = await service.token();
    key = await service.key('writer');
  });
  afterAll(() => service.stop());

  const cloudEvent = (overrides: object = {}) => ({
    specversion: '1.0',
    id: `event-${++lastId}`,
    source: '/runner/7',
    type: 'execution.completed',
    data: { exitCode: 0 },
    ...overrides,
  });
  const structured = (event: unknown, contentType = STRUCTURED) => service.post(event, { bearer, contentType });
  const binary = (headers: Record<string, string>, json: unknown = { n: 1 }) =>
    service.post(json, { bearer, headers: { 'ce-specversion': '1.0', 'ce-type': 'custom', ...headers } });
  const logged = (eventId: string) => service.projection.logged.find(({ id }) => id === eventId);

  it.each([STRUCTURED, `${STRUCTURED}; charset=utf-8`, 'Application/CloudEvents+JSON'])(
    'takes the structured mode (%s)',
    async (contentType) => {
      const event = cloudEvent({
        time: '2026-11-21T10:00:00.123+02:00',
        subject: 'sandbox-123',
        datacontenttype: 'application/json',
        correlationid: 'run-7',
        extension: 'dropped',
      });
      const { status, body } = await structured(event, contentType);
      expect(status).toBe(201);
      const timestamp = Date.parse('2026-11-21T08:00:00.123Z');
      expect(body.data).toMatchObject({ sandboxId: 'sandbox-123', type: 'execution.completed', timestamp });
      expect(logged(body.data.eventId)).toMatchObject({
        data: { exitCode: 0 },
        correlationId: 'run-7',
        occurredAt: timestamp,
      });
    },
  );

  it('takes the binary mode, with percent-encoded attributes', async () => {
    const { status, body } = await binary(
      { 'ce-id': 'b-1', 'ce-source': '/r%C3%BCnner', 'ce-time': '2026-11-21T08:00:00Z', 'ce-causationid': 'c-1' },
      { text: 'body is the data' },
    );
    expect(status).toBe(201);
    expect(logged(body.data.eventId)).toMatchObject({
      type: 'custom',
      entityId: 'sandbox-123',
      data: { text: 'body is the data' },
      causationId: 'c-1',
      occurredAt: Date.parse('2026-11-21T08:00:00Z'),
    });
  });

  it('takes a binary one without a body', async () => {
    const headers = { 'ce-specversion': '1.0', 'ce-id': 'empty', 'ce-source': '/x', 'ce-type': 'custom' };
    const { status, body } = await service.send('/events', { bearer, headers });
    expect(status).toBe(201);
    expect(logged(body.data.eventId)?.data).toEqual({});
  });

  it('takes a batch, and answers as a batch even for one', async () => {
    const events = times(3).map((n) => cloudEvent({ data: { n } }));
    const { status, body } = await structured(events, BATCH);
    expect(status).toBe(201);
    expect(body.data.count).toBe(3);
    expect(body.data.events.map(({ eventId }: Json) => logged(eventId)?.data['n'])).toEqual([0, 1, 2]);
    expect((await structured([cloudEvent()], BATCH)).body.data.count).toBe(1);
  });

  it('knows an event by source and id, whatever the mode (G2)', async () => {
    const event = cloudEvent({ id: 'known', source: '/same', type: 'custom', data: { n: 1 } });
    const first = await structured(event);
    const second = await binary({ 'ce-id': 'known', 'ce-source': '/same' });
    expect(second.body).toEqual(first.body);
    expect((await structured([event], BATCH)).body.data.events[0]).toEqual(first.body.data);
    expect((await structured({ ...event, data: { n: 2 } })).status).toBe(409);
    const elsewhere = await structured({ ...event, source: '/else' });
    expect(elsewhere.body.data.eventId).not.toBe(first.body.data.eventId);
  });

  it('takes the sandbox from a source of ours, else the subject, else the caller', async () => {
    const own = await structured(cloudEvent({ source: '/sandbox/1/sandbox-123', subject: 'elsewhere' }));
    expect(own.body.data.sandboxId).toBe('sandbox-123');
    const byKey = (event: object) => service.post(event, { key, contentType: STRUCTURED });
    expect((await byKey(cloudEvent({ source: '/sandbox/1/a%2Fb' }))).body.data.sandboxId).toBe('a/b');
    expect((await byKey(cloudEvent({ subject: 'by-subject' }))).body.data.sandboxId).toBe('by-subject');
    expect((await byKey(cloudEvent())).body).toMatchObject({ code: 'invalid_event', where: 'sandboxId' });
    const operator = await service.post(cloudEvent({ source: '/sandbox/7/x' }), {
      key: OPERATOR_KEY,
      contentType: STRUCTURED,
    });
    expect(logged(operator.body.data.eventId)?.workspaceId).toBe(7);
  });

  it.each([
    ['a foreign workspace', { source: '/sandbox/2/sandbox-123' }],
    ['a foreign sandbox by source', { source: '/sandbox/1/other' }],
    ['a foreign sandbox by subject', { subject: 'other' }],
  ])('refuses %s (G8)', async (_name, overrides) => {
    const { status, body } = await structured(cloudEvent(overrides));
    expect(status).toBe(401);
    expect(body.code).toBe('unauthorized');
  });

  it.each([
    ['specversion', { specversion: '0.3' }],
    ['id', { id: '' }],
    ['id', { id: undefined }],
    ['source', { source: 'x'.repeat(2049) }],
    ['source', { source: '/session/1/s-1' }],
    ['source', { source: '/sandbox/1/a%0Ab' }],
    ['type', { type: 'a\r\nb' }],
    ['type', { type: undefined }],
    ['time', { time: 'yesterday' }],
    ['time', { time: '1969-12-31T23:59:59Z' }],
    ['subject', { subject: 'a b' }],
    ['data', { data: [1] }],
    ['data', { data: 'text' }],
    ['data_base64', { data: undefined, data_base64: 'AAAA' }],
    ['datacontenttype', { datacontenttype: 'text/xml' }],
    ['traceparent', { traceparent: 'nonsense' }],
  ])('names %s when it does not fit', async (where, overrides) => {
    const alone = await structured(cloudEvent(overrides));
    expect(alone.status).toBe(422);
    expect(alone.body).toMatchObject({ success: false, code: 'invalid_event', where });
    const inBatch = await structured([cloudEvent(), cloudEvent(overrides)], BATCH);
    expect(inBatch.body.where).toBe(`events[1].${where}`);
  });

  it.each([
    ['an object as a batch', {}, BATCH],
    ['an empty batch', [], BATCH],
    ['an array as an event', [{}], STRUCTURED],
    ['null', null, STRUCTURED],
    ['null in a batch', [null], BATCH],
  ])('refuses %s', async (_name, json, contentType) => {
    const { status, body } = await structured(json, contentType);
    expect(status).toBe(422);
    expect(body.code).toBe('invalid_event');
  });

  it('refuses binary headers that do not fit', async () => {
    const faults: Record<string, string>[] = [
      { 'ce-source': '/x' },
      { 'ce-id': 'x', 'ce-source': '/x', 'ce-type': 'a%0Ab' },
      { 'ce-id': 'x', 'ce-source': '/x', 'ce-time': 'never' },
      { 'ce-id': 'x', 'ce-source': '/x', 'ce-specversion': '9' },
    ];
    for (const headers of faults) {
      const { status, body } = await binary(headers);
      expect(status).toBe(422);
      expect(body.code).toBe('invalid_event');
    }
  });
});
