import { ERROR_TABLE } from '@sluice/event-log';
import { REGISTRY_EVENT_TYPES, WORKSPACE_FORMATS } from '@sluice/event-schema';
import { DETAILED_REGISTRY_SAMPLES } from '@sluice/event-schema/conformance';
import { sseChannels } from '../src/channels/sse-channels';
import { RESET_REASONS } from '../src/cursors';
import { STREAM_END_CODES } from '@sluice/event-streams';
import type { SseClient } from './sse-client';
import { registryEvent, sandboxEvent, startStreams, workspaceEvent, type StreamService } from './stream-service';

const UNHONOURABLE = 'cursor=1-00000000-5';

let service: StreamService;
let key: string;

beforeEach(async () => {
  service = await startStreams();
  key = await service.key();
});
afterEach(() => service.stop());

const framesOf = (client: SseClient) => client.outputs.flatMap((output) => (output.kind === 'event' ? [output] : []));
const payloadOf = (address: string, message: string) =>
  sseChannels.find((channel) => channel.address === address)?.messages[message]?.payload;
const namesOf = (client: SseClient) => framesOf(client).map(({ type }) => type);

/** What does not fit the schema that the channel has for it. What has a position is a recorded event, whatever its name. */
function misfits(client: SseClient, address: string): unknown[] {
  const messages = sseChannels.find((channel) => channel.address === address)?.messages;
  return framesOf(client).flatMap((frame) => {
    const data: unknown = JSON.parse(frame.data);
    const isRecorded = typeof data === 'object' && data !== null && 'position' in data;
    const parsed = messages?.[isRecorded ? 'event' : frame.type]?.payload.safeParse(data);
    return parsed?.success === true ? [] : [{ frame, fault: parsed?.error ?? 'not described' }];
  });
}

describe('every frame fits the schema that is published for it', () => {
  it('at /v1/stream', async () => {
    const client = await service.open(`?${UNHONOURABLE}`, { key });
    await service.record(sandboxEvent(), sandboxEvent({ type: 'end' }), workspaceEvent());
    await client.has('task_created');
    await service.stopServing();
    await client.closed();
    expect(namesOf(client)).toEqual(['reset', 'execution.completed', 'end', 'task_created', 'end']);
    expect(misfits(client, '/v1/stream')).toEqual([]);
    expect(misfits(client, '/api/events')).not.toEqual([]);
  });

  it('at /api/v1/events', async () => {
    const client = await service.openAt('/api/v1/events', { key, lastEventId: 'not-a-cursor' });
    await service.record(...REGISTRY_EVENT_TYPES.map((type) => registryEvent(type, DETAILED_REGISTRY_SAMPLES[type])));
    for (const type of REGISTRY_EVENT_TYPES) await client.has(type);
    await service.stopServing();
    await client.closed();
    expect(namesOf(client)).toEqual(['connected', 'reset', ...REGISTRY_EVENT_TYPES, 'end']);
    expect(misfits(client, '/api/v1/events')).toEqual([]);
  });

  it.each(WORKSPACE_FORMATS)('at /api/events, as %s', async (format) => {
    const client = await service.openAt(`/api/events?format=${format}&${UNHONOURABLE}`, { key });
    const run = { agent_id: 'CLAUDE_CODE', session_id: 's-1' };
    await service.record(
      workspaceEvent(),
      workspaceEvent('agent_spawned', { ...run, workdir: '/work', deadline_at: 1 }),
      workspaceEvent('agent_completed', { ...run, success: true }),
    );
    const names =
      format === 'document'
        ? ['TaskCreated', 'AgentSpawned', 'AgentCompleted']
        : ['task_created', 'agent_spawned', 'agent_completed'];
    await client.has(names.at(-1) ?? '');
    await service.stopServing();
    await client.closed();
    expect(namesOf(client)).toEqual(['reset', ...names, 'end']);
    expect(misfits(client, '/api/events')).toEqual([]);
  });
});

describe('the words of the server', () => {
  const cursor = '1-00000000-5';
  const more = { message: 'x', retryable: true, cursor, timestamp: '2026-01-01T00:00:00.000Z' };
  const letBy = (address: string, word: string, field: string, values: readonly string[]) =>
    values.filter((value) => payloadOf(address, word)?.safeParse({ ...more, type: word, [field]: value }).success);

  it.each(['/v1/stream', '/api/events', '/api/v1/events'])(
    'are no others than those that are said at %s',
    (address) => {
      const reasons = [...RESET_REASONS, 'invalid_cursor', 'overloaded'];
      const said = address === '/api/v1/events' ? [...RESET_REASONS, 'invalid_cursor'] : RESET_REASONS;
      expect(letBy(address, 'reset', 'reason', reasons)).toEqual(said);
      expect(letBy(address, 'end', 'code', Object.keys(ERROR_TABLE)).sort()).toEqual([...STREAM_END_CODES].sort());
    },
  );
});
