import { removeOldest } from '@sluice/event-log/conformance';
import { startIngest, times, type IngestService } from './ingest-service';
import type { Json } from '@sluice/engine/conformance';

describe('Idempotency-Key', () => {
  let service: IngestService;
  let bearer: string;
  beforeAll(async () => {
    service = await startIngest();
    bearer = await service.token();
  });
  afterAll(() => service.stop());

  const keyed = (idempotencyKey: string) => ({ bearer, headers: { 'idempotency-key': idempotencyKey } });
  const recorded = async (eventId: string) =>
    (await (await service.host.engine.readModel()).findByIds([eventId])).get(eventId);

  it('gives the same event for the same key and body, however often (G2)', async () => {
    const event = { type: 'custom', data: { a: 1, b: [2] } };
    const first = await service.post(event, keyed('same'));
    const readModel = await service.host.engine.readModel();
    const { position } = await readModel.head();
    for (const _ of times(3)) {
      const again = await service.post(event, keyed('same'));
      expect(again.status).toBe(201);
      // The timestamp too: it is that of the stored event.
      expect(again.body).toEqual(first.body);
    }
    expect((await readModel.head()).position).toBe(position);
  });

  it('gives one event to many who ask at the same time', async () => {
    const answers = await Promise.all(times(20).map(() => service.post({ type: 'custom' }, keyed('race'))));
    expect(new Set(answers.map(({ body }) => body.data.eventId)).size).toBe(1);
    expect(answers.every(({ status }) => status === 201)).toBe(true);
  });

  it.each([
    ['another type', { type: 'other', data: { n: 1 } }],
    ['other data', { type: 'custom', data: { n: 2 } }],
    ['no data', { type: 'custom' }],
  ])('answers 409 for the same key with %s, and keeps what was stored', async (name, other) => {
    const first = await service.post({ type: 'custom', data: { n: 1 } }, keyed(`conflict ${name}`));
    const { status, body } = await service.post(other, keyed(`conflict ${name}`));
    expect(status).toBe(409);
    expect(body).toEqual({
      success: false,
      error: expect.any(String),
      code: 'idempotency_conflict',
      where: 'body',
      requestId: expect.any(String),
    });
    expect(await recorded(first.body.data.eventId)).toMatchObject({ type: 'custom', data: { n: 1 } });
  });

  it('does not wait when what was stored is not kept any more, and stores nothing', async () => {
    const other = await startIngest({ env: { SLUICE_INGEST_PROJECTION_WAIT: '60s' } });
    const options = { ...keyed('old'), bearer: await other.token() };
    const first = await other.post({ type: 'custom' }, options);
    await removeOldest(await other.host.engine.eventRetention(), Infinity);
    const again = await other.post({ type: 'custom' }, options);
    expect([again.status, again.body.data.eventId]).toEqual([202, first.body.data.eventId]);
    expect((await (await other.host.engine.readModel()).head()).position).toBe(1);
    expect(await other.metrics()).toContain('sluice_ingest_events_total{outcome="not_kept"} 1');
    await other.stop();
  });

  it('answers the same with ack=log', async () => {
    const options = keyed('log');
    const send = () => service.send('/events?ack=log', { ...options, json: { type: 'custom' } });
    const [first, second] = [await send(), await send()];
    expect(second.body.data.eventId).toBe(first.body.data.eventId);
  });

  it('gives each event of a keyed batch a key of its own, by its place', async () => {
    const events = times(3).map((n) => ({ type: 'custom', data: { n } }));
    const first = await service.post({ events }, keyed('batch'));
    const ids = first.body.data.events.map(({ eventId }: Json) => eventId);
    expect(new Set(ids).size).toBe(3);
    expect((await service.post({ events }, keyed('batch'))).body).toEqual(first.body);
    const conflict = await service.post({ events: [...events].reverse() }, keyed('batch'));
    expect(conflict.status).toBe(409);
    expect(conflict.body.where).toBe('events[0]');
  });

  it('takes a key of each event before that of the request', async () => {
    const alone = await service.post({ type: 'custom', idempotencyKey: 'own' }, { bearer });
    const inBatch = await service.post({ events: [{ type: 'custom', idempotencyKey: 'own' }] }, keyed('of the batch'));
    expect(inBatch.body.data.events[0].eventId).toBe(alone.body.data.eventId);
  });

  it('stores two events with one key in a batch once, and says when they differ', async () => {
    const event = { type: 'custom', idempotencyKey: 'twice' };
    const { body } = await service.post({ events: [event, event] }, { bearer });
    expect(body.data.events[0]).toEqual(body.data.events[1]);
    const conflict = await service.post({ events: [event, { ...event, data: { n: 1 } }] }, { bearer });
    expect(conflict.status).toBe(409);
    expect(conflict.body.where).toBe('events[1]');
  });

  it('means nothing beyond its own sandbox', async () => {
    const first = await service.post({ type: 'custom' }, keyed('scoped'));
    const second = await service.post(
      { type: 'custom' },
      { ...keyed('scoped'), bearer: await service.token('another') },
    );
    expect(second.body.data.eventId).not.toBe(first.body.data.eventId);
  });

  it.each([
    ['x', 201],
    ['k'.repeat(256), 201],
    ['with spaces, commas/slashes "quotes"', 201],
    ['k'.repeat(257), 400],
    ['', 400],
  ])('bounds the key in the header (%#)', async (idempotencyKey, status) => {
    const answer = await service.post({ type: 'custom' }, keyed(idempotencyKey));
    expect(answer.status).toBe(status);
    if (status === 400) {
      expect(answer.body).toMatchObject({ code: 'invalid_request', where: 'headers.idempotency-key' });
    }
  });

  it.each(['', 'k'.repeat(257), 7, null])('bounds the key in the event (%#)', async (idempotencyKey) => {
    const answer = await service.post({ events: [{ type: 'custom', idempotencyKey }] }, { bearer });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: 'invalid_event', where: 'events[0].idempotencyKey' });
  });

  it('takes hostile keys for what they are', async () => {
    const keys = ['\ud800', '__proto__', '\u0000', 'a\r\nb', '🐚'.repeat(128)];
    const ids = new Set<string>();
    for (const idempotencyKey of keys) {
      const { status, body } = await service.post({ type: 'custom', idempotencyKey }, { bearer });
      expect(status).toBe(201);
      ids.add(body.data.eventId);
    }
    expect(ids.size).toBe(keys.length);
  });
});
