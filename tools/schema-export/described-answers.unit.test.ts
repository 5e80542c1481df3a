import { until } from '@sluice/event-log/conformance';
import { DescribedCalls } from './described-calls';
import { OPERATOR_KEY } from './described-process';

/** Streams and upgrades: their messages are held against schemas by the tests of sse-stream. */
const STREAMS = ['/v1/stream', '/api/v1/events', '/api/events', '/ws', '/v1/socket'];

/** Their operations are called by a test of their own. */
const OTHER_APPS = ['sessions', 'webhooks'];

let calls: DescribedCalls;
const call: DescribedCalls['call'] = (...parameters) => calls.call(...parameters);

beforeAll(async () => {
  calls = await DescribedCalls.start();
});
afterAll(() => calls.stop());

describe('what is answered is what the document says', () => {
  it('for the process itself', async () => {
    await call('GET', '/health', 200, { key: '' });
    await call('GET', '/ready', 200, { key: '' });
    await call('GET', '/metrics', 200, { key: '' });
    await call('GET', '/openapi.json', 200, { key: '' });
    await call('GET', '/asyncapi.json', 200, { key: '' });
  });

  it('for writing and reading events', async () => {
    const event = { type: 'execution.completed', sandboxId: 'sandbox-123', data: { exitCode: 0 } };
    const stored = await call('POST', '/events', 201, { body: event });
    await call('POST', '/events', 201, { body: { events: [event, event] }, query: '?ack=log' });
    await call('POST', '/events', 201, { body: { ...event, idempotencyKey: 'a' } });
    await call('POST', '/events', 409, { body: { ...event, idempotencyKey: 'a', data: {} } });
    await call('POST', '/events', 422, { body: { type: 'a b' } });
    await call('POST', '/events', 400, { body: event, query: '?ack=maybe' });
    await call('POST', '/events', 401, { body: event, key: 'sk_none' });
    await call('POST', '/events', 415, { body: event, headers: { 'content-type': 'text/plain' } });
    const path = { sandboxId: 'sandbox-123' };
    await call('GET', '/events/{sandboxId}', 200, { params: path, query: '?limit=1' });
    await call('GET', '/events/{sandboxId}', 400, { params: path, query: '?limit=0' });
    await call('GET', '/v1/events', 200, { query: '?limit=1' });
    await call('GET', '/v1/events', 200, { headers: { accept: 'application/cloudevents-batch+json' } });
    const { eventId } = stored.data;
    await call('GET', '/v1/events/{eventId}', 200, { params: { eventId } });
    await call('GET', '/v1/events/{eventId}', 200, {
      params: { eventId },
      headers: { accept: 'application/cloudevents+json' },
    });
    await call('GET', '/v1/events/{eventId}', 404, { params: { eventId: crypto.randomUUID() } });
    await call('GET', '/v1/entities', 200, { query: '?limit=1' });
    await call('GET', '/v1/sandboxes/{sandboxId}', 200, { params: path });
    await call('GET', '/v1/sandboxes/{sandboxId}', 404);
    await call('GET', '/v1/stats', 200);
    await call('GET', '/v1/stats', 200, { key: OPERATOR_KEY });
  });

  it('for registry events and stream tokens', async () => {
    const event = {
      type: 'agent_updated',
      data: { agentId: '11155111:1', chainId: 11155111, changes: ['name'] },
    };
    await call('POST', '/v1/registry/events', 201, { body: event, key: OPERATOR_KEY });
    await call('POST', '/v1/registry/events', 403, { body: event });
    await call('POST', '/v1/registry/events', 422, { body: { ...event, type: 'gossip' }, key: OPERATOR_KEY });
    const params = { agentId: '11155111:1' };
    const owner = `0x${'12'.repeat(20)}`;
    const registered = {
      agentId: '11155111:1',
      chainId: 11155111,
      name: 'An agent',
      owner,
      hasMcp: true,
      hasA2a: false,
    };
    const clientAddress = `0x${'34'.repeat(20)}`;
    const feedback = {
      source: 'registry',
      clientAddress,
      feedbackIndex: '1',
      score: 90,
      isRating: false,
      tags: ['uptime'],
    };
    const about = { agentId: '11155111:1', chainId: 11155111 };
    const events = [
      { type: 'agent_registered', data: registered },
      { type: 'feedback_received', data: { ...about, feedback } },
    ];
    await call('POST', '/v1/registry/events', 201, { body: { events }, key: OPERATOR_KEY });
    await call('GET', '/api/v1/agents', 200);
    await call('GET', '/api/v1/agents', 400, { query: '?limit=0' });
    await call('GET', '/api/v1/agents', 401, { key: 'sk_none' });
    await call('GET', '/api/v1/agents/{agentId}', 200, { params });
    await call('GET', '/api/v1/agents/{agentId}', 404, { params: { agentId: '1:1' } });
    await call('GET', '/api/v1/agents/{agentId}/feedback', 200, { params });
    await call('GET', '/api/v1/agents/{agentId}/feedback', 404, { params: { agentId: '1:1' } });
    await call('GET', '/api/v1/agents/{agentId}/events', 200, { params });
    await call('HEAD', '/api/v1/events', 200);
    await call('GET', '/api/v1/events/info', 200);
    await call('GET', '/api/v1/events/info', 401, { key: '' });
    await call('POST', '/v1/stream-tokens', 201, { body: { scope: { families: ['registry'] } } });
    await call('POST', '/v1/stream-tokens', 400, { body: { scope: { families: ['weather'] } } });
    await call('GET', '/v1/stream', 400, { query: '?cursor=none' });
    await call('GET', '/api/v1/events', 400, { query: '?strict=true&nonsense=1' });
    await call('GET', '/api/v1/events', 401, { key: 'sk_none' });
    await call('GET', '/api/events', 400, { query: '?format=poem' });
    await call('GET', '/ws', 426);
    await call('GET', '/v1/socket', 426);
  });

  it('for watched chains', async () => {
    const params = { chainId: '1' };
    await call('GET', '/v1/chains', 200);
    await call('GET', '/v1/chains', 400, { query: '?x=1' });
    await call('GET', '/v1/chains/{chainId}', 404, { params });
    await call('POST', '/v1/chains/{chainId}/accept-reorg', 403, { params });
    await call('POST', '/v1/chains/{chainId}/accept-reorg', 404, { params, key: OPERATOR_KEY });
  });

  it('for administration', async () => {
    await call('GET', '/v1/admin/lag', 200, { key: OPERATOR_KEY });
    await call('GET', '/v1/admin/lag', 403);
    const { keyId } = await call('POST', '/v1/admin/keys', 201, { body: { role: 'reader', name: 'other' } });
    await call('GET', '/v1/admin/keys', 200);
    await call('DELETE', '/v1/admin/keys/{keyId}', 200, { params: { keyId } });
    await call('DELETE', '/v1/admin/keys/{keyId}', 404, { params: { keyId } });
    await call('POST', '/v1/admin/tokens', 201, { body: { sandboxId: 'sandbox-123' } });
    await call('GET', '/v1/admin/parked', 200);
    await call('POST', '/v1/admin/parked/replay', 200, { body: { parkedIds: [1] } });
    await call('GET', '/v1/admin/rebuild', 200, { key: OPERATOR_KEY });
    await call('DELETE', '/v1/admin/rebuild', 409, { key: OPERATOR_KEY });
    await call('POST', '/v1/admin/rebuild', 403);
    await call('POST', '/v1/admin/rebuild', 202, { key: OPERATOR_KEY, body: { positions: 'keep' } });
    await call('GET', '/v1/admin/rebuild', 200, { key: OPERATOR_KEY });
    await until(
      async () => (await call('GET', '/v1/admin/rebuild', 200, { key: OPERATOR_KEY })).rebuild.finishedAt !== undefined,
      'the rebuild is over',
    );
    await call('DELETE', '/v1/admin/rebuild/old', 200, { key: OPERATOR_KEY });
    const entity = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-123' };
    await call('POST', '/v1/admin/erasures', 403, { body: entity });
    await call('POST', '/v1/admin/erasures', 400, { key: OPERATOR_KEY, body: { ...entity, fields: ['no pointer'] } });
    await call('POST', '/v1/admin/erasures', 404, { key: OPERATOR_KEY, body: { ...entity, entityId: 'unknown' } });
    const { erasure } = await call('POST', '/v1/admin/erasures', 202, { key: OPERATOR_KEY, body: entity });
    await call('POST', '/v1/admin/erasures', 409, { key: OPERATOR_KEY, body: entity });
    await call('GET', '/v1/admin/erasures', 200, { key: OPERATOR_KEY });
    const { erasureId } = erasure;
    await call('GET', '/v1/admin/erasures/{erasureId}', 200, {
      key: OPERATOR_KEY,
      params: { erasureId: `${erasureId}` },
    });
    await call('GET', '/v1/admin/erasures/{erasureId}', 404, { key: OPERATOR_KEY, params: { erasureId: '999' } });
    await call('DELETE', '/v1/admin/erasures/{erasureId}', 404, { key: OPERATOR_KEY, params: { erasureId: '999' } });
    const byDefault = { family: 'session', maxAgeSeconds: null };
    await call('PUT', '/v1/admin/retention', 403, { body: byDefault });
    await call('PUT', '/v1/admin/retention', 400, { key: OPERATOR_KEY, body: { ...byDefault, maxAgeSeconds: 60 } });
    await call('PUT', '/v1/admin/retention', 200, { key: OPERATOR_KEY, body: byDefault });
    const own = { workspaceId: 1, family: 'sandbox', maxAgeSeconds: 86_400 };
    await call('PUT', '/v1/admin/retention', 200, { key: OPERATOR_KEY, body: own });
    await call('GET', '/v1/admin/retention', 200, { key: OPERATOR_KEY });
    await call('DELETE', '/v1/admin/retention', 200, { key: OPERATOR_KEY, query: '?workspaceId=1&family=sandbox' });
    await call('DELETE', '/v1/admin/retention', 400, { key: OPERATOR_KEY });
  });

  it('for tasks', async () => {
    const { id } = await call('POST', '/api/tasks', 201, { body: { title: 'New task' } });
    await call('POST', '/api/tasks', 400, { body: {} });
    await call('GET', '/api/tasks', 200);
    await call('GET', '/api/tasks/{id}', 200, { params: { id } });
    await call('GET', '/api/tasks/{id}', 404);
    await call('PATCH', '/api/tasks/{id}', 200, { params: { id }, body: { status: 'in_progress' } });
    await call('PUT', '/api/tasks/{id}', 200, { params: { id }, body: { title: 'Newer' } });
    await call('DELETE', '/api/tasks/{id}', 200, { params: { id } });
  });

  it('for sessions and agents', async () => {
    await call('GET', '/api/agents', 200);
    const spawn = { params: { id: 'CLAUDE_CODE' }, body: { prompt: 'hello', workdir: '/work' } };
    const { session_id: spawned } = await call('POST', '/api/agents/{id}/spawn', 200, spawn);
    await call('POST', '/api/agents/{id}/spawn', 404, { ...spawn, params: { id: 'NOBODY' } });
    await call('POST', '/api/agents/{id}/stop', 404, { params: { id: 'CLAUDE_CODE' }, body: { session_id: 'none' } });
    const { id } = await call('POST', '/api/sessions', 201, { body: { agent_id: 'CLAUDE_CODE' } });
    await call('GET', '/api/sessions', 200);
    await call('GET', '/api/sessions/{id}', 200, { params: { id: spawned } });
    await call('PATCH', '/api/sessions/{id}', 200, { params: { id }, body: { title: 'Mine' } });
    await call('POST', '/api/sessions/{id}/message', 200, { params: { id }, body: { content: 'hello' } });
    await call('GET', '/api/sessions/{id}/messages', 200, { params: { id } });
    await call('DELETE', '/api/sessions/{id}', 200, { params: { id } });
  });

  it('for group chats', async () => {
    const body = { name: 'Team', created_by: 'ann', workspace_path: '/work' };
    const { group_chat: chat } = await call('POST', '/api/group-chats', 201, { body });
    const params = { id: chat.id };
    await call('GET', '/api/group-chats', 200);
    await call('GET', '/api/group-chats/{id}', 200, { params });
    await call('GET', '/api/group-chats/{id}', 404);
    await call('PATCH', '/api/group-chats/{id}', 200, { params, body: { name: 'The team' } });
    const member = { type: 'human', member_id: 'bob', display_name: 'Bob' };
    await call('POST', '/api/group-chats/{id}/members', 201, { params, body: member });
    await call('GET', '/api/group-chats/{id}/members', 200, { params });
    const { id: sessionId } = await call('POST', '/api/group-chats/{id}/sessions', 201, { params, body: {} });
    await call('GET', '/api/group-chats/{id}/sessions', 200, { params });
    const messages = '/api/group-chats/{id}/sessions/{sessionId}/messages';
    const message = { content: 'hello', sender_id: 'ann', sender_name: 'Ann' };
    await call('POST', messages, 201, { params: { ...params, sessionId }, body: message });
    await call('GET', messages, 200, { params: { ...params, sessionId } });
    await call('DELETE', '/api/group-chats/{id}/members/{memberId}', 200, { params: { ...params, memberId: 'bob' } });
    await call('DELETE', '/api/group-chats/{id}', 200, { params });
  });

  it('for cron jobs', async () => {
    const body = { name: 'Nightly', job_type: 'agent', message: 'hello', every: 86_400 };
    const { id } = await call('POST', '/api/cron', 201, { body });
    const params = { id };
    await call('POST', '/api/cron', 409, { body: { ...body, id, name: 'Another' } });
    await call('GET', '/api/cron', 200);
    await call('GET', '/api/cron/{id}', 200, { params });
    await call('PATCH', '/api/cron/{id}', 200, { params, body: { name: 'Daily' } });
    await call('POST', '/api/cron/{id}/disable', 200, { params });
    await call('POST', '/api/cron/{id}/enable', 200, { params });
    await call('POST', '/api/cron/{id}/run', 200, { params });
    await call('DELETE', '/api/cron/{id}', 200, { params });
    await call('GET', '/api/cron/{id}', 404, { params });
  });

  it('for what webhooks were sent', async () => {
    const params = { endpointId: `whk_${'0'.repeat(32)}` };
    await call('GET', '/v1/webhook-deliveries/{endpointId}', 404, { params });
    await call('GET', '/v1/webhook-deliveries/{endpointId}', 400);
    const { endpointId } = await call('POST', '/v1/webhooks', 201, { body: { url: 'https://hooks.example/in' } });
    await call('GET', '/v1/webhook-deliveries/{endpointId}', 200, { params: { endpointId } });
    await call('POST', '/v1/webhooks/{endpointId}/test', 200, { params: { endpointId } });
    await call('GET', '/v1/webhook-deliveries/{endpointId}', 200, { params: { endpointId } });
  });

  it('and every operation was tried', () => {
    expect(
      calls.untried(({ path, 'x-sluice-app': app }) => !STREAMS.includes(path) && !OTHER_APPS.includes(app)),
    ).toEqual([]);
  });
});
