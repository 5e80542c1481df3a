import { SluiceError, type DurableLog } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { startIngest, times, type IngestService } from './ingest-service';

/** Delegates to a log, and fails appends as it is told: before they are stored, or after. */
function failing(log: DurableLog, faults: ('before' | 'after')[]): DurableLog {
  return {
    erasure: log.erasure,
    append: async (events) => {
      const fault = faults.shift();
      if (fault !== 'before') await log.append(events);
      if (fault) throw new SluiceError('log_unavailable', 'The log did not answer in time', { retryAfterMs: 1_000 });
    },
    follow: (options) => log.follow(options),
    ends: () => log.ends(),
    starts: () => log.starts(),
    check: () => log.check(),
    close: () => log.close(),
  };
}

describe('what a 2xx of POST /events means', () => {
  let service: IngestService;
  let bearer: string;
  const faults: ('before' | 'after')[] = [];
  beforeEach(async () => {
    faults.length = 0;
    service = await startIngest({
      env: { SLUICE_INGEST_PROJECTION_WAIT: '300ms' },
      wrapLog: (log) => failing(log, faults),
    });
    bearer = await service.token();
  });
  afterEach(() => service.stop());

  const post = (ack = '', type = 'custom') => service.send(`/events${ack}`, { bearer, json: { type } });
  const isReadable = async (eventId: string) =>
    (await (await service.host.engine.readModel()).findByIds([eventId])).has(eventId);

  it('by default, that the event can be read', async () => {
    for (const ack of ['', '?ack=projected']) {
      const { status, body } = await post(ack);
      expect(status).toBe(201);
      expect(await isReadable(body.data.eventId)).toBe(true);
    }
    expect(await service.metrics()).toContain('sluice_ingest_events_total{outcome="projected"} 2');
  });

  it('202 with the same body when the projection lags, and nothing is lost', async () => {
    service.projection.pause();
    const { status, body } = await post();
    expect(status).toBe(202);
    expect(body).toMatchObject({ success: true, data: { sandboxId: 'sandbox-123', type: 'custom' } });
    expect(await isReadable(body.data.eventId)).toBe(false);
    service.projection.resume();
    const next = await post();
    expect(next.status).toBe(201);
    expect(await isReadable(body.data.eventId)).toBe(true);
    expect(await service.metrics()).toContain('sluice_ingest_events_total{outcome="pending"} 1');
  });

  it('with ack=log, that the log has it: it does not wait for the projection', async () => {
    service.projection.pause();
    const { status, body } = await post('?ack=log');
    expect(status).toBe(201);
    expect(await isReadable(body.data.eventId)).toBe(false);
    const ends = await (await service.host.engine.durableLog()).ends();
    expect([...ends.values()].reduce((sum, end) => sum + end, 0)).toBe(1);
    expect(await service.metrics()).toContain('sluice_ingest_events_total{outcome="log"} 1');
  });

  it('notices an event that the delivery log never brought', async () => {
    await service.stop();
    service = await startIngest();
    bearer = await service.token();
    await (await service.host.engine.deliveryLog()).close();
    const { status, body } = await post();
    expect(status).toBe(201);
    expect(await isReadable(body.data.eventId)).toBe(true);
  });

  it.each([
    ['?ack=', 'query.ack'],
    ['?ack=LOG', 'query.ack'],
    ['?ack=none', 'query.ack'],
    ['?ack=log&ack=log', 'query.ack'],
    ['?ack[]=log', 'query.ack[]'],
    ['?foo=1', 'query.foo'],
    ['?ack=log&ACK=log', 'query.ACK'],
    ['?%0d%0a=1', 'query.'],
    [`?${'x'.repeat(1_000)}`, `query.${'x'.repeat(64)}`],
  ])('refuses %.20s', async (ack, where) => {
    const { status, body } = await post(ack);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'invalid_request', where });
    expect(service.projection.logged).toEqual([]);
  });

  it('is never said when the log did not take it (G1)', async () => {
    for (const ack of ['', '?ack=log']) {
      faults.push('before');
      const { status, headers, body } = await post(ack);
      expect(status).toBe(503);
      expect(body).toMatchObject({ success: false, code: 'log_unavailable' });
      expect(headers['retry-after']).toBe('1');
    }
    expect(service.projection.logged).toEqual([]);
    expect((await post()).status).toBe(201);
    expect((await service.host.feed()).counts.expectedIds).toBe(0);
  });

  it('is not said either when the log may have it, and a repeat with the key stores it once (G1, G2)', async () => {
    faults.push('after', 'before');
    const send = () =>
      service.send('/events', { bearer, json: { type: 'custom' }, headers: { 'idempotency-key': 'retry' } });
    expect((await send()).status).toBe(503);
    expect((await send()).status).toBe(503);
    const { status, body } = await send();
    expect(status).toBe(201);
    const readModel = await service.host.engine.readModel();
    expect((await readModel.head()).position).toBe(1);
    expect(await isReadable(body.data.eventId)).toBe(true);
  });

  it('is a retryable 503 for as long as the log is away, and readiness says so', async () => {
    await (await service.host.engine.durableLog()).close();
    for (const ack of ['', '?ack=log']) {
      const { status, body } = await post(ack);
      expect(status).toBe(503);
      expect(body.code).toBe('log_unavailable');
    }
    const ready = await service.send('/ready', { method: 'GET' });
    expect(ready.status).toBe(503);
    expect(ready.body.checks).toMatchObject({ durable_log: 'log_unavailable', read_model: 'ok' });
    expect((await service.send('/health', { method: 'GET' })).status).toBe(200);
  });

  it('is in the log of the service: at debug when it was given, at warn when it was not (G10)', async () => {
    await service.stop();
    const logged: Record<string, unknown>[] = [];
    service = await startIngest({
      env: { SLUICE_INGEST_PROJECTION_WAIT: '300ms' },
      wrapLog: (log) => failing(log, faults),
      logTo: (line) => logged.push(line),
    });
    bearer = await service.token();
    const send = (json: object) =>
      service.send('/events', { bearer, json, headers: { 'x-request-id': `request-${logged.length}` } });
    const { body } = await send({ type: 'custom', idempotencyKey: 'one' });
    const { eventId } = body.data;
    await send({ events: [{ type: 'a' }, { type: 'b' }] });
    await send({ type: 'other', idempotencyKey: 'one' });
    faults.push('before');
    await send({ events: [{ type: 'a' }, { type: 'b' }, { type: 'c' }] });
    await send({ type: 'not acceptable' });
    service.projection.pause();
    const pending = await send({ type: 'custom' });
    service.projection.resume();
    expect(logged).toEqual([
      { level: 'debug', message: 'stored', requestId: 'request-0', eventId },
      { level: 'debug', message: 'stored', requestId: 'request-1', count: 2 },
      { level: 'warn', message: 'not acknowledged', requestId: 'request-2', eventId, code: 'idempotency_conflict' },
      { level: 'warn', message: 'not acknowledged', requestId: 'request-3', count: 3, code: 'log_unavailable' },
      {
        level: 'warn',
        message: 'stored, but not readable in time',
        requestId: 'request-4',
        eventId: pending.body.data.eventId,
      },
    ]);
  });

  it('is refused before anything is stored when too many wait for their events, and they all get theirs (G9)', async () => {
    await service.stop();
    service = await startIngest({ env: { SLUICE_INGEST_PROJECTION_WAIT: '30s' } });
    bearer = await service.token();
    service.projection.pause();
    const events = times(1_000).map(() => ({ type: 'custom' }));
    const waiting = times(20).map(() => service.post({ events }, { bearer }));
    const feed = await service.host.feed();
    await until(() => feed.counts.expectedIds === 20_000, 'all wait');
    const logged = async () =>
      [...(await (await service.host.engine.durableLog()).ends()).values()].reduce((sum, end) => sum + end, 0);
    expect(await logged()).toBe(20_000);
    const refused = await post();
    expect(refused.status).toBe(503);
    expect(refused.body.code).toBe('overloaded');
    expect(await logged()).toBe(20_000);
    // Who does not wait is not concerned.
    expect((await post('?ack=log')).status).toBe(201);
    service.projection.resume();
    for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(201);
    expect((await post()).status).toBe(201);
  });

  it('is kept under load: every acknowledged event is recorded once, in the order of its writer (G2)', async () => {
    await Promise.all(
      times(8).map(async (writer) => {
        const token = await service.token(`sandbox-${writer}`);
        for (const n of times(25)) {
          const json = { type: 'custom', data: { n } };
          expect([201, 202]).toContain((await service.send('/events', { bearer: token, json })).status);
        }
      }),
    );
    const last = await service.post({ type: 'last' }, { bearer });
    expect([201, 202]).toContain(last.status);
    const readModel = await service.host.engine.readModel();
    for (const writer of times(8)) {
      const filter = { workspaceIds: [1], entityIds: [`sandbox-${writer}`] };
      const { events } = await readModel.read({ filter, limit: 100 });
      expect(events.map(({ event }) => event.data['n'])).toEqual(times(25));
    }
  });
});
