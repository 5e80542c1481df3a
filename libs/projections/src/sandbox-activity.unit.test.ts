import { recordEnvelope, SANDBOX_EVENT_TYPES, type RecordedEvent } from '@sluice/event-schema';
import { toPosition } from '@sluice/event-log';
import fc from 'fast-check';
import { changesOfKind, type SandboxActivityChange } from './change';
import { mergeChanges, projectEvent } from './project';

const FREE_TYPES = ['custom.event', 'execution', 'execution.started2', 'constructor', '__proto__', 'toString'];

/** What the documented types do; all others do nothing but say that the sandbox is there. */
const EFFECTS: Record<string, Partial<SandboxActivityChange>> = {
  'execution.started': { executionsStarted: 1 },
  'execution.completed': { executionsCompleted: 1 },
  'execution.failed': { executionsFailed: 1 },
  'execution.timeout': { executionsFailed: 1 },
  'system.ready': { status: 'ready' },
  'system.shutdown': { status: 'shut_down' },
  'system.error': { status: 'failed' },
};

function recorded(position: number, overrides: Partial<RecordedEvent>): RecordedEvent {
  const event = {
    id: '01a1fe01-6240-73e6-8f05-0efe9e01e202',
    family: 'sandbox' as const,
    entityId: 'sandbox-123',
    workspaceId: 1,
    type: 'custom',
    schemaVersion: 1,
    occurredAt: 1000 + position,
    data: {},
    ...overrides,
  };
  const recording = { position: toPosition(position), entitySequence: position, recordedAt: 1 };
  return recordEnvelope({ event, json: JSON.stringify(event) }, recording).event;
}

const history = fc
  .array(
    fc.record({
      type: fc.constantFrom(...SANDBOX_EVENT_TYPES, ...FREE_TYPES),
      entityId: fc.constantFrom('a', 'b', '__proto__', '1","a'),
      workspaceId: fc.integer({ min: 0, max: 2 }),
    }),
    { maxLength: 40 },
  )
  .map((events) => events.map((event, index) => recorded(index + 1, event)));

const fold = (events: readonly RecordedEvent[]) =>
  changesOfKind('sandbox_activity', mergeChanges(events.flatMap(projectEvent)));
const byRow = (changes: readonly SandboxActivityChange[]) =>
  new Map(changes.map((change) => [JSON.stringify([change.workspaceId, change.sandboxId]), change]));

describe('what one event means', () => {
  it.each([...SANDBOX_EVENT_TYPES, ...FREE_TYPES])('%s', (type) => {
    const event = recorded(7, { type });
    expect(projectEvent(event)).toEqual([
      {
        kind: 'sandbox_activity',
        workspaceId: 1,
        sandboxId: 'sandbox-123',
        executionsStarted: 0,
        executionsCompleted: 0,
        executionsFailed: 0,
        lastPosition: 7,
        lastOccurredAt: 1007,
        ...(Object.hasOwn(EFFECTS, type) ? EFFECTS[type] : {}),
      },
    ]);
  });

  it('is the same each time, does not depend on data, and leaves the event as it is', () => {
    fc.assert(
      fc.property(history, fc.dictionary(fc.string(), fc.jsonValue()), (events, data) => {
        const text = JSON.stringify(events);
        expect(events.flatMap(projectEvent)).toEqual(events.map((event) => ({ ...event, data })).flatMap(projectEvent));
        expect(JSON.stringify(events)).toBe(text);
      }),
    );
  });

  it.each(['registry', 'session', 'workspace'] as const)('is nothing in the %s family', (family) => {
    expect(projectEvent(recorded(1, { family, type: 'execution.started' }))).toEqual([]);
  });
});

describe('what a batch means', () => {
  it('is one change for each sandbox of each workspace, with all of its counts', () => {
    fc.assert(
      fc.property(history, (events) => {
        const changes = fold(events);
        expect(byRow(changes).size).toBe(changes.length);
        for (const change of changes) {
          const own = events.filter(
            ({ entityId, workspaceId }) => entityId === change.sandboxId && workspaceId === change.workspaceId,
          );
          const count = (...types: string[]) => own.filter(({ type }) => types.includes(type)).length;
          const statuses = own.flatMap(({ type }) =>
            Object.hasOwn(EFFECTS, type) ? (EFFECTS[type]?.status ?? []) : [],
          );
          expect(change).toEqual({
            kind: 'sandbox_activity',
            workspaceId: change.workspaceId,
            sandboxId: change.sandboxId,
            ...(statuses.length === 0 ? {} : { status: statuses.at(-1) }),
            executionsStarted: count('execution.started'),
            executionsCompleted: count('execution.completed'),
            executionsFailed: count('execution.failed', 'execution.timeout'),
            lastPosition: own.at(-1)?.position,
            lastOccurredAt: own.at(-1)?.occurredAt,
          });
        }
      }),
    );
  });

  it('does not depend on how the history is cut into batches, so a rebuild gives the same rows (G10)', () => {
    fc.assert(
      fc.property(history, fc.array(fc.nat(40), { maxLength: 5 }), (events, cuts) => {
        const ends = [...cuts.filter((cut) => cut < events.length), events.length].sort((a, b) => a - b);
        const batches = ends.map((end, index) => events.slice(ends[index - 1] ?? 0, end));
        const merged = changesOfKind('sandbox_activity', mergeChanges(batches.flatMap(fold)));
        expect(byRow(merged)).toEqual(byRow(fold(events)));
      }),
    );
  });

  it('is nothing for an empty one', () => {
    expect(mergeChanges([])).toEqual([]);
  });
});
