import { gzipSync } from 'node:zlib';
import { MAX_BATCH_EVENTS, MAX_EVENT_BYTES } from '@sluice/event-schema';
import { exchange, OPERATOR_KEY, startIngest, times, type IngestService } from './ingest-service';
import type { SendOptions } from '@sluice/engine/conformance';
import { registryEvent, UPDATED } from './registry-sample';

const PATH = '/v1/registry/events';

describe('POST /v1/registry/events under attack', () => {
  let service: IngestService;
  beforeAll(async () => {
    service = await startIngest({ env: { SLUICE_INGEST_MAX_BODY: '1MiB' } });
  });
  afterAll(() => service.stop());
  afterEach(async () => {
    expect((await post(UPDATED)).status).toBe(201);
  });

  const post = (json: unknown, options: SendOptions = {}) =>
    service.send(PATH, { key: OPERATOR_KEY, json, ...options });
  const reputation = registryEvent('reputation_change');
  const attestation = registryEvent('new_attestation');
  const registered = registryEvent('agent_registered');
  const classified = registryEvent('classification_complete');
  const received = registryEvent('feedback_received');
  const unvalidated = registryEvent('validation_response_reverted');
  const changed = (event: { type: string; data: object }, data: object) => ({
    ...event,
    data: { ...event.data, ...data },
  });

  it.each<[string, unknown]>([
    ['body', null],
    ['body', [UPDATED]],
    ['type', {}],
    ['type', { ...UPDATED, type: 'agent_deleted' }],
    ['type', { ...UPDATED, type: 'agent_updated\r\nevent: agent_registered' }],
    ['type', { ...UPDATED, type: '__proto__' }],
    ['type', { ...UPDATED, type: 'constructor' }],
    ['type', { ...UPDATED, type: 'execution.completed' }],
    ['type', { ...UPDATED, type: ['agent_updated'] }],
    ['data', { type: UPDATED.type }],
    ['data', { ...UPDATED, data: [] }],
    ['data', { ...UPDATED, data: null }],
    ['data', changed(UPDATED, { type: 'agent_registered' })],
    ['data', changed(UPDATED, { timestamp: '2024-01-03T12:00:00.000Z' })],
    ['data', changed(UPDATED, { extra: 1 })],
    ['data', changed(registered, UPDATED.data)],
    ['body', { ...UPDATED, workspaceId: 1 }],
    ['body', { ...UPDATED, family: 'sandbox' }],
    ['body', { ...UPDATED, entityId: '1:1' }],
    ['body', { ...UPDATED, sandboxId: 'sandbox-123' }],
    ['body', { ...UPDATED, id: 'mine' }],
    ['data.agentId', changed(UPDATED, { agentId: '1:1' })],
    ['data.agentId', changed(UPDATED, { agentId: '111551112:1' })],
    ['data.agentId', changed(UPDATED, { agentId: '11155111:' })],
    ['data.agentId', changed(UPDATED, { agentId: '11155111:01' })],
    ['data.agentId', changed(UPDATED, { agentId: '11155111:0x1' })],
    ['data.agentId', changed(UPDATED, { agentId: '11155111:1\n' })],
    ['data.agentId', changed(UPDATED, { agentId: '11155111:1\r\nid: forged' })],
    ['data.agentId', changed(UPDATED, { agentId: '11155111:١' })],
    ['data.agentId', changed(UPDATED, { agentId: `11155111:${'9'.repeat(79)}` })],
    ['data.agentId', changed(UPDATED, { agentId: 11_155_111 })],
    ['data.chainId', changed(UPDATED, { chainId: '11155111' })],
    ['data.chainId', changed(UPDATED, { chainId: -1 })],
    ['data.chainId', changed(UPDATED, { chainId: 1e300 })],
    ['data.changes', changed(UPDATED, { changes: 'description' })],
    ['data.changes', changed(UPDATED, { changes: times(1_001).map(String) })],
    ['data.changes[1]', changed(UPDATED, { changes: ['a', 7] })],
    ['data.changes[0]', changed(UPDATED, { changes: ['x'.repeat(501)] })],
    ['data.changes[0]', changed(UPDATED, { changes: ['\ud800'] })],
    ['data.previousScore', changed(reputation, { previousScore: '80' })],
    ['data.newScore', changed(reputation, { newScore: null })],
    ['data.feedbackCount', changed(reputation, { feedbackCount: 1.5 })],
    ['data.latestFeedback', changed(reputation, { latestFeedback: null })],
    ['data.latestFeedback.tags', changed(reputation, { latestFeedback: { score: 1 } })],
    ['data.score', changed(attestation, { score: 101 })],
    ['data.attestationUid', changed(attestation, { attestationUid: '0xabcd...ef01' })],
    ['data.attester', changed(attestation, { attester: `0x${'g'.repeat(40)}` })],
    ['data.owner', changed(registered, { owner: `0x${'1'.repeat(40)}\n` })],
    ['data.hasMcp', changed(registered, { hasMcp: 'true' })],
    ['data.skills[0]', changed(classified, { skills: ['code_generation'] })],
    ['data.skills[0].slug', changed(classified, { skills: [{ slug: 'a b', name: 'A' }] })],
    ['data.confidence', changed(classified, { confidence: 1.01 })],
    ['data.chain', changed(UPDATED, { chain: {} })],
    ['data.registration', changed(UPDATED, { registration: { owner: '0x' } })],
    ['data.registration.uri', changed(UPDATED, { registration: { uri: 'x'.repeat(2_049) } })],
    ['data.registration.metadata', changed(UPDATED, { registration: { metadata: { key: 'no hex' } } })],
    ['data', changed(UPDATED, { feedback: received.data.feedback })],
    ['data.feedback', { ...received, data: { agentId: '1:1', chainId: 1 } }],
    ['data.feedback.score', changed(received, { feedback: { ...received.data.feedback, score: 101 } })],
    ['data.feedback.value', changed(received, { feedback: { ...received.data.feedback, value: '1.5' } })],
    ['data.revertedEventId', changed(unvalidated, { revertedEventId: 'ABC' })],
    ['data.revertedEventId', changed(unvalidated, { revertedEventId: undefined })],
    ['timestamp', { ...UPDATED, timestamp: '2024-01-03T12:00:00.000Z' }],
    ['timestamp', { ...UPDATED, timestamp: -1 }],
    ['idempotencyKey', { ...UPDATED, idempotencyKey: '' }],
    ['events', { events: [] }],
    ['events[1]', { events: [UPDATED, null] }],
    ['events[1].data.agentId', { events: [UPDATED, changed(UPDATED, { agentId: '1:1' })] }],
    ['body', { events: [UPDATED], type: 'agent_updated' }],
  ])('refuses by 422 at %s, and stores nothing (%#)', async (where, json) => {
    const before = service.projection.logged.length;
    const { status, text, body } = await post(json);
    expect([status, body.code]).toEqual([422, 'invalid_event']);
    expect(body.where === where || body.where.startsWith(`${where}.`)).toBe(true);
    expect(text).not.toMatch(/[\r\n]/);
    expect(service.projection.logged).toHaveLength(before);
  });

  it('keeps hostile text of a name as it is, in one line', async () => {
    const name = 'a\r\n\r\nevent: forged\ndata: {}\u0000\u2028\u2029"}]\\ </script> 🐚';
    const { status, body } = await post(changed(registered, { name }));
    expect(status).toBe(201);
    const logged = service.projection.logged.find(({ id }) => id === body.data.eventId);
    expect(logged?.data).toEqual({ ...registered.data, name });
  });

  it.each([
    ['__proto__', '{"type":"agent_updated","__proto__":{},"data":{}}'],
    ['__proto__ in data', '{"type":"agent_updated","data":{"__proto__":{"agentId":"1:1"}}}'],
    ['half an object', '{"type":"agent_updated"'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ['nothing', ''],
  ])('refuses malformed JSON by 400: %s', async (_name, raw) => {
    const { status, body } = await service.send(PATH, { key: OPERATOR_KEY, raw });
    expect([status, body.code]).toEqual([400, 'invalid_json']);
  });

  it('takes no CloudEvent, in whatever mode, and no other content type', async () => {
    const event = { specversion: '1.0', id: 'a', source: '/registry/0/1:1', type: UPDATED.type, data: UPDATED.data };
    const binary = { 'ce-specversion': '1.0', 'ce-id': 'a', 'ce-source': '/x', 'ce-type': UPDATED.type };
    const answers = [
      await post(event, { contentType: 'application/cloudevents+json' }),
      await post([event], { contentType: 'application/cloudevents-batch+json' }),
      await post(UPDATED, { headers: binary }),
      await post(UPDATED, { contentType: 'text/plain' }),
      await post(UPDATED, { headers: { 'content-encoding': 'gzip' } }),
      await service.send(PATH, { key: OPERATOR_KEY, raw: gzipSync('{}'), headers: { 'content-encoding': 'br' } }),
    ];
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
      answers.map(() => [415, 'unsupported_media_type']),
    );
  });

  it('refuses what is too large by 413', async () => {
    const large = { changes: times(1_000).map(() => 'x'.repeat(500)) };
    const answer = await post(changed(UPDATED, large));
    expect([answer.status, answer.body.code]).toEqual([413, 'payload_too_large']);
    expect(JSON.stringify(large).length).toBeGreaterThan(MAX_EVENT_BYTES);
    const batch = { events: times(MAX_BATCH_EVENTS + 1).map(() => UPDATED) };
    expect((await post(batch)).status).toBe(413);
    const body = await service.send(PATH, { key: OPERATOR_KEY, raw: ' '.repeat(1024 * 1024 + 1) });
    expect(body.status).toBe(413);
  });

  it('refuses a parameter that it does not know, and a key that is too long', async () => {
    const send = (path: string, options: SendOptions = {}) =>
      service.send(path, { key: OPERATOR_KEY, json: UPDATED, ...options });
    expect((await send(`${PATH}?workspaceId=1`)).body.where).toBe('query.workspaceId');
    const headers = { 'idempotency-key': 'k'.repeat(257) };
    expect((await send(PATH, { headers })).body.where).toBe('headers.idempotency-key');
  });

  it.each(['no key', 'the key of a workspace'])(
    'turns a caller with %s away before it reads the body',
    async (caller) => {
      const credential = caller === 'no key' ? [] : [`X-API-Key: ${await service.key('admin')}`];
      const lines = [`POST ${PATH} HTTP/1.1`, 'Host: x', ...credential, 'Content-Type: application/json'];
      const announced = [...lines, 'Content-Length: 900000', 'Connection: close', '', ''].join('\r\n');
      expect(await exchange(service.url, announced)).toMatch(
        caller === 'no key' ? /^HTTP\/1\.1 401 / : /^HTTP\/1\.1 403 /,
      );
    },
  );
});
