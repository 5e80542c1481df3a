import { MAX_BATCH_EVENTS, MAX_DATA_DEPTH, MAX_EVENT_BYTES } from '@sluice/event-schema';
import { startIngest, times, type IngestService } from './ingest-service';
import type { Answer } from '@sluice/engine/conformance';

const MAX_BODY_BYTES = 1024 * 1024;

/** JSON of so many levels. */
const nested = (levels: number, open = '{"a":', close = '}', core = '1') =>
  open.repeat(levels) + core + close.repeat(levels);

/** Every error is one line of JSON with a code, a text and an id to ask about. */
function expectError(answer: Answer, status: number, code: string): void {
  expect(answer.text).not.toMatch(/[\r\n]/);
  expect(answer.body).toMatchObject({
    success: false,
    code,
    error: expect.stringMatching(/./),
    requestId: expect.any(String),
  });
  expect(answer.status).toBe(status);
}

describe('POST /events refuses', () => {
  let service: IngestService;
  let bearer: string;
  beforeAll(async () => {
    service = await startIngest({ env: { SLUICE_INGEST_MAX_BODY: '1MiB' } });
    bearer = await service.token();
  });
  afterAll(() => service.stop());

  const raw = (body: string | Buffer, contentType = 'application/json') =>
    service.send('/events', { bearer, raw: body, contentType });

  it('an event of more than 256 KiB by 413, and takes one that just fits', async () => {
    const { body: small } = await service.post({ type: 'custom', data: { text: '' } }, { bearer });
    const logged = service.projection.logged.find(({ id }) => id === small.data.eventId);
    const room = MAX_EVENT_BYTES - Buffer.byteLength(JSON.stringify(logged));
    const ofSize = (size: number) => service.post({ type: 'custom', data: { text: 'x'.repeat(size) } }, { bearer });
    // Key order and content are the same, so the sizes are.
    expect((await ofSize(room)).status).toBe(201);
    const answer = await ofSize(room + 1);
    expectError(answer, 413, 'payload_too_large');
    expect(answer.body.where).toBe('body');
    // Counted in bytes as they are encoded: three each for this one, and six for an unpaired surrogate.
    expectError(
      await service.post({ type: 'custom', data: { text: '€'.repeat(90_000) } }, { bearer }),
      413,
      'payload_too_large',
    );
    const inBatch = { events: [{ type: 'a' }, { type: 'custom', data: { text: 'x'.repeat(room + 1) } }] };
    expect((await service.post(inBatch, { bearer })).body).toMatchObject({
      code: 'payload_too_large',
      where: 'events[1]',
    });
  });

  it('a body beyond the limit by 413, and takes one below', async () => {
    const fill = (count: number) => ({
      events: times(count).map(() => ({ type: 'custom', data: { text: 'x'.repeat(100_000) } })),
    });
    expect((await service.post(fill(10), { bearer })).status).toBe(201);
    expectError(await service.post(fill(11), { bearer }), 413, 'payload_too_large');
    expectError(await raw(' '.repeat(MAX_BODY_BYTES + 1)), 413, 'payload_too_large');
  });

  it('a batch of too many events by 413', async () => {
    const batch = (size: number) => ({ events: times(size).map(() => ({ type: 'custom' })) });
    expect((await service.post(batch(MAX_BATCH_EVENTS), { bearer })).body.data.count).toBe(MAX_BATCH_EVENTS);
    expectError(await service.post(batch(MAX_BATCH_EVENTS + 1), { bearer }), 413, 'payload_too_large');
  });

  it.each([
    ['nothing', ''],
    ['half an object', '{"type":"custom"'],
    ['a stray comma', '{"type":"custom",}'],
    ['two documents', '{"type":"custom"}{"type":"custom"}'],
    ['a raw line break in a string', '{"type":"cus\ntom"}'],
    ['NaN', '{"type":"custom","data":{"n":NaN}}'],
    ['a byte order mark in the middle', '{\ufeff"type":"custom"}'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ['half of a UTF-8 character', Buffer.from('{"type":"ü"}').subarray(0, 10)],
    ['UTF-16', Buffer.from('{"type":"custom"}', 'utf16le')],
    ['__proto__', '{"type":"custom","__proto__":{"admin":true}}'],
    ['__proto__ in data', '{"type":"custom","data":{"a":[{"__proto__":{"x":1}}]}}'],
    ['an escaped __proto__', '{"type":"custom","data":{"\\u005f_proto__":{"x":1}}}'],
    ['constructor.prototype', '{"type":"custom","data":{"constructor":{"prototype":{"x":1}}}}'],
    ['brackets without end', '['.repeat(500_000)],
  ])('malformed JSON by 400: %s', async (_name, body) => {
    expectError(await raw(body), 400, 'invalid_json');
  });

  it.each([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json-patch+json',
    'application/jsonx',
    'application/cloudevents+xml',
    'x/y/z',
    '',
  ])('the content type "%s" by 415', async (contentType) => {
    expectError(await raw('{"type":"custom"}', contentType), 415, 'unsupported_media_type');
  });

  it.each(['gzip', 'br', 'deflate, gzip', 'GZIP', 'identity, identity'])(
    'the content encoding "%s" by 415',
    async (encoding) => {
      const headers = { 'content-encoding': encoding };
      const answer = await service.post({ type: 'custom' }, { bearer, headers });
      expectError(answer, 415, 'unsupported_media_type');
      expect(answer.body.where).toBe('headers.content-encoding');
    },
  );

  it('but not the content encoding "identity"', async () => {
    const headers = { 'content-encoding': 'identity' };
    expect((await service.post({ type: 'custom' }, { bearer, headers })).status).toBe(201);
  });

  it.each([
    ['body', null],
    ['body', 'text'],
    ['body', 7],
    ['body', [{ type: 'custom' }]],
    ['type', {}],
    ['type', { type: '' }],
    ['type', { type: 7 }],
    ['type', { type: 'a b' }],
    ['type', { type: 'a\r\nb' }],
    ['type', { type: 'a\u0000b' }],
    ['type', { type: 'a\u2028b' }],
    ['type', { type: 'a\ud800' }],
    ['type', { type: 'x'.repeat(257) }],
    ['data', { type: 'custom', data: null }],
    ['data', { type: 'custom', data: [] }],
    ['data', { type: 'custom', data: 'text' }],
    ['sandboxId', { type: 'custom', sandboxId: 'a\nb' }],
    ['sandboxId', { type: 'custom', sandboxId: '' }],
    ['workspaceId', { type: 'custom', workspaceId: '1' }],
    ['workspaceId', { type: 'custom', workspaceId: -1 }],
    ['workspaceId', { type: 'custom', workspaceId: 2 ** 31 }],
    ['timestamp', { type: 'custom', timestamp: -1 }],
    ['timestamp', { type: 'custom', timestamp: 1.5 }],
    ['timestamp', { type: 'custom', timestamp: '2026-01-01' }],
    ['timestamp', { type: 'custom', timestamp: 1e300 }],
    ['correlationId', { type: 'custom', correlationId: 'a b' }],
    ['causationId', { type: 'custom', causationId: {} }],
    ['body', { type: 'custom', position: 1 }],
    ['body', { type: 'custom', id: 'mine' }],
    ['events', { events: [] }],
    ['events', { events: {} }],
    ['body', { events: [{ type: 'custom' }], ack: 'log' }],
    ['events[1]', { events: [{ type: 'custom' }, null] }],
    ['events[1].type', { events: [{ type: 'custom' }, {}] }],
    ['events[0].data', { events: [{ type: 'custom', data: 1 }] }],
  ])('what does not fit the schema by 422 at %s (%#)', async (where, event) => {
    const before = service.projection.logged.length;
    const answer = await service.post(event, { bearer });
    expectError(answer, 422, 'invalid_event');
    expect(answer.body.where).toBe(where);
    expect(service.projection.logged).toHaveLength(before);
  });

  it('a name that would break a line, without breaking its own', async () => {
    const answer = await raw('{"type":"custom","evil\\r\\n\\u2028key":1}');
    expectError(answer, 422, 'invalid_event');
  });

  it('data that is nested too deep by 422, and takes what is just deep enough', async () => {
    const deep = (levels: number) => raw(`{"type":"custom","data":${nested(levels)}}`);
    expect((await deep(MAX_DATA_DEPTH)).status).toBe(201);
    for (const levels of [MAX_DATA_DEPTH + 1, 20_000, 150_000]) {
      const answer = await deep(levels);
      expectError(answer, 422, 'invalid_event');
      expect(answer.body.where).toBe('data');
    }
    const lists = await raw(`{"type":"custom","data":{"a":${nested(400_000, '[', ']', '')}}}`);
    expectError(lists, 422, 'invalid_event');
    const ignored = await raw(`{"type":"custom","other":${nested(20_000)}}`);
    expectError(ignored, 422, 'invalid_event');
  });

  it('a caller whose batch took its whole rate by 429', async () => {
    const key = await service.key('writer', { requestsPerSecond: 0.1, burst: 5 });
    const event = { type: 'custom', sandboxId: 'x' };
    expect((await service.post({ events: [event, event, event, event, event] }, { key })).status).toBe(201);
    expectError(await service.post(event, { key }), 429, 'rate_limited');
  });

  it('a caller above its rate by 429 that says when to come again', async () => {
    const key = await service.key('writer', { requestsPerSecond: 0.1, burst: 2 });
    const event = { type: 'custom', sandboxId: 'x' };
    expect((await service.post(event, { key })).status).toBe(201);
    expect((await service.post(event, { key })).status).toBe(201);
    const answer = await service.post(event, { key });
    expectError(answer, 429, 'rate_limited');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(10);
    // Another caller is not held up.
    expect((await service.post({ type: 'custom' }, { bearer })).status).toBe(201);
  });
});
