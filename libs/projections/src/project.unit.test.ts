import { recordEnvelope, type RecordedEvent } from '@sluice/event-schema';
import { toPosition } from '@sluice/event-log';
import { changesOfKind } from './change';
import { mergeChanges, projectEvent } from './project';

let position = 0;
function recorded(type: string, overrides: Partial<RecordedEvent> = {}): RecordedEvent {
  position++;
  const event = {
    id: '01a1fe01-6240-73e6-8f05-0efe9e01e202',
    family: 'sandbox' as const,
    entityId: 'sandbox-123',
    workspaceId: 1,
    type,
    schemaVersion: 1,
    occurredAt: 1000 + position,
    data: {},
    ...overrides,
  };
  const recording = { position: toPosition(position), entitySequence: position, recordedAt: 1 };
  return recordEnvelope({ event, json: JSON.stringify(event) }, recording).event;
}

const fold = (...events: RecordedEvent[]) => mergeChanges(events.flatMap(projectEvent));

beforeEach(() => {
  position = 0;
});

it('counts executions and keeps the newest status of a sandbox', () => {
  const changes = fold(
    recorded('system.ready'),
    recorded('execution.started'),
    recorded('execution.started'),
    recorded('execution.completed'),
    recorded('execution.timeout'),
    recorded('system.error'),
    recorded('custom.event'),
  );
  expect(changes).toEqual([
    {
      kind: 'sandbox_activity',
      workspaceId: 1,
      sandboxId: 'sandbox-123',
      status: 'failed',
      executionsStarted: 2,
      executionsCompleted: 1,
      executionsFailed: 1,
      lastPosition: 7,
      lastOccurredAt: 1007,
    },
  ]);
});

it('keeps sandboxes and workspaces apart', () => {
  const changes = fold(
    recorded('system.ready'),
    recorded('system.ready', { entityId: 'other' }),
    recorded('system.ready', { workspaceId: 2 }),
  );
  expect(
    changesOfKind('sandbox_activity', changes).map(({ workspaceId, sandboxId }) => [workspaceId, sandboxId]),
  ).toEqual([
    [1, 'sandbox-123'],
    [1, 'other'],
    [2, 'sandbox-123'],
  ]);
});

it('takes a free type for what it is, even when it has the name of an object property', () => {
  expect(fold(recorded('constructor'))[0]).toMatchObject({ executionsStarted: 0, executionsCompleted: 0 });
});

it('gives the same changes however a batch is cut', () => {
  const events = ['system.ready', 'execution.started', 'execution.failed', 'execution.started'].map((type) =>
    recorded(type),
  );
  const whole = fold(...events);
  const parts = mergeChanges([...fold(...events.slice(0, 2)), ...fold(...events.slice(2))]);
  expect(parts).toEqual(whole);
});

it('means nothing by a free type of the session family', () => {
  const data = { id: 'a', type: 'agent_registered', processed_at: null };
  expect(projectEvent(recorded('agent_registered', { family: 'session', data }))).toEqual([]);
});
