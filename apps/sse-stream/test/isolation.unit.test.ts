import { encodeCursor } from '@sluice/event-log';
import { PUBLIC_WORKSPACE_ID, type EventFamily } from '@sluice/event-schema';
import fc from 'fast-check';
import type { SseClient } from './sse-client';
import { registryEvent, sandboxEvent, startStreams, workspaceEvent, type StreamService } from './stream-service';

const SECRET = 'of-workspace-two';

/** What callers of workspace 1 may ask, on purpose or to find something out. */
const entityId = fc.constantFrom(SECRET, `task/${SECRET}`, 'sandbox-123', '11155111:1234', `sandbox-123,${SECRET}`);
const workspaceId = fc.constantFrom('1', '1', '1', '0', '2');
const family = fc
  .subarray(['sandbox', 'registry', 'session', 'workspace'], { minLength: 1 })
  .map((families) => families.join());
const questions = fc.oneof(
  ask('/v1/stream', {
    family,
    entityId,
    types: fc.constantFrom('task_created', 'execution.*', 'task_created,x'),
    workspaceId,
  }),
  ask('/v1/stream', { family, workspaceId }),
  ask('/v1/stream', { family }),
  ask('/api/v1/events', {
    agentIds: fc.constantFrom(SECRET, '11155111:1234', '2', '11155111:1234,2:2'),
    chainIds: fc.constantFrom('2', '11155111', '0'),
    eventTypes: fc.constantFrom('task_created', 'reputation_change', 'task_created,reputation_change'),
    workspaceId,
    family,
  }),
  ask('/api/events', { format: fc.constantFrom('document', 'core', 'envelope'), workspaceId, family, entityId }),
);

function ask(door: string, parameters: Record<string, fc.Arbitrary<string>>): fc.Arbitrary<string> {
  const query = fc.record(parameters, { requiredKeys: [] });
  return query.map((given) => `${door}?${new URLSearchParams(given as Record<string, string>).toString()}`);
}

describe('workspace 2, to everybody of workspace 1 (G8)', () => {
  let service: StreamService;
  let credentials: readonly { readonly key?: string; readonly bearer?: string }[];
  let cursors: readonly string[];
  beforeEach(async () => {
    service = await startStreams({ heartbeatMs: 3_600_000 });
    const recorded = await service.record(registryEvent(), ...foreign(), sandboxEvent(), workspaceEvent());
    const { epoch } = await (await service.host.engine.readModel()).head();
    cursors = ['earliest', ...recorded.map(({ event }) => encodeCursor({ epoch, position: event.position }))];
    const key = await service.key({ limits: { connections: 1_000, requestsPerSecond: 1_000, burst: 1_000 } });
    const access = await service.host.access();
    const minted = await access.mintStreamToken(await access.authenticateApiKey(key), {});
    credentials = [{ key }, { bearer: minted.accessToken }, { bearer: await service.token() }];
  });
  afterEach(() => service.stop());

  it('is not there, by any filter, cursor or door, in the past and live', async () => {
    const opened: { readonly client: SseClient; readonly asked: string }[] = [];
    await fc.assert(
      fc.asyncProperty(
        questions,
        fc.constantFrom(...cursors),
        fc.constantFrom(...credentials),
        async (question, cursor, caller) => {
          const asked = `${question}&lastEventId=${cursor}`;
          const client = await service.openAt(asked, caller);
          opened.push({ client, asked });
          expect([200, 400, 401, 403, 429]).toContain(client.status);
        },
      ),
      { numRuns: 200 },
    );
    await service.record(...foreign(), sandboxEvent(), registryEvent());
    // What waits is written before the end, so all that anybody is shown has come when all are closed.
    await service.stopServing();
    for (const { client } of opened) await client.closed();
    const shown = opened.flatMap(({ client, asked }) =>
      client.outputs.flatMap((output) =>
        output.kind === 'event' && !['connected', 'end'].includes(output.type) ? [`${asked}: ${output.data}`] : [],
      ),
    );
    expect(shown.length).toBeGreaterThan(100);
    // The secret may stand in what was asked, never in what was answered.
    for (const each of shown) expect(each.slice(each.indexOf(': '))).not.toMatch(/of-workspace-two|"workspaceId":2/);
  });

  it('is not told of by errors', async () => {
    const [caller] = credentials;
    const texts = await Promise.all(
      ['2', '3'].map(async (workspaceId) => {
        const headers = { 'x-request-id': 'same' };
        const client = await service.open(`?workspaceId=${workspaceId}`, { ...caller, headers });
        await client.closed();
        return `${client.status} ${client.text}`;
      }),
    );
    expect(texts[0]).toBe(texts[1]);
  });
});

function foreign() {
  const over = { workspaceId: 2, entityId: 'sandbox-123', data: { SECRET } };
  const families: readonly EventFamily[] = ['sandbox', 'session', 'registry'];
  return [
    workspaceEvent('task_created', { task_id: SECRET, title: SECRET }, { ...over, entityId: `task/${SECRET}` }),
    ...families.map((family) => sandboxEvent({ ...over, family, type: 'task_created' })),
    sandboxEvent({ ...over, family: 'registry', type: 'reputation_change', entityId: '11155111:1234' }),
    sandboxEvent(over),
    // What the public workspace has beside registry events is nobody's but the platform's.
    ...(['sandbox', 'session', 'workspace'] as const).map((family) =>
      sandboxEvent({ ...over, workspaceId: PUBLIC_WORKSPACE_ID, family, type: 'task_created' }),
    ),
  ];
}
