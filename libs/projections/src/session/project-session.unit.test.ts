import { toPosition } from '@sluice/event-log';
import { OWN_SESSION_EVENT_TYPES, recordEnvelope, SESSION_EVENT_TYPES, type RecordedEvent } from '@sluice/event-schema';
import { SESSION_SAMPLES } from '@sluice/event-schema/conformance';
import { queued, running, sessionEnvelope } from '../conformance/session-envelope';
import { mergeSessionEvents } from './merge-session-events';
import { projectSession } from './project-session';

const recorded = (envelope: ReturnType<typeof sessionEnvelope>, position = 1): RecordedEvent =>
  recordEnvelope(envelope, { position: toPosition(position), entitySequence: position, recordedAt: 1 }).event;

describe('projectSession', () => {
  it.each(SESSION_EVENT_TYPES)('adds %s to the history of its session', (type) => {
    const data = SESSION_SAMPLES[type];
    const [change, ...more] = projectSession(recorded(sessionEnvelope(data), 7));
    expect(more).toEqual([]);
    expect(change?.added).toEqual([
      {
        position: 7,
        id: data.id,
        type,
        processedAtMs: data.processed_at === null ? null : Date.parse(data.processed_at),
        data,
      },
    ]);
  });

  it.each(OWN_SESSION_EVENT_TYPES)('adds nothing for %s, which is ours alone', (type) => {
    expect(projectSession(recorded(sessionEnvelope(SESSION_SAMPLES[type])))).toEqual([]);
  });

  it('copies no data, and gives the same each time', () => {
    const event = recorded(sessionEnvelope(running('r', ['a', 'b'], 4)));
    const text = JSON.stringify(event);
    const [change] = projectSession(event);
    expect(change?.added[0]?.data).toBe(event.data);
    expect(change?.processed.size).toBe(2);
    expect(projectSession(event)).toEqual([change]);
    expect(JSON.stringify(event)).toBe(text);
  });

  it.each([
    null,
    1,
    [],
    {},
    { processed_inputs: 'a' },
    { processed_inputs: { a: 1 } },
    { processed_inputs: [1, null] },
  ])('processes nothing by notes that are none: %j', (sluice) => {
    const { event } = sessionEnvelope(running('r', []));
    const [change] = projectSession(recorded({ event: { ...event, data: { ...event.data, sluice } }, json: '{}' }));
    expect(change?.processed.size).toBe(0);
  });

  it('adds nothing for data without an id', () => {
    const { event } = sessionEnvelope(queued('a'));
    expect(projectSession(recorded({ event: { ...event, data: {} }, json: '{}' }))).toEqual([]);
  });
});

describe('mergeSessionEvents', () => {
  it('comes to one change for each session of each workspace', () => {
    const places = [
      { workspaceId: 1, entityId: 'a' },
      { workspaceId: 2, entityId: 'a' },
      { workspaceId: 1, entityId: 'b' },
    ];
    const events = [...places, ...places].map((place, n) => recorded(sessionEnvelope(queued(`m${n}`), place), n + 1));
    const merged = mergeSessionEvents(events.flatMap(projectSession));
    expect(
      merged.map(({ workspaceId, sessionId, added }) => [workspaceId, sessionId, added.map(({ id }) => id)]),
    ).toEqual([
      [1, 'a', ['m0', 'm3']],
      [2, 'a', ['m1', 'm4']],
      [1, 'b', ['m2', 'm5']],
    ]);
  });
});
