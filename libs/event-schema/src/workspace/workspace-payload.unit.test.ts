import fc from 'fast-check';
import { hostileName, jsonObject, safeName } from '../../test/arbitraries';
import { WORKSPACE_SAMPLES } from '../../test/workspace-samples';
import { WORKSPACE_EVENT_TYPES, workspaceDocumentName } from './event-types';
import { toWorkspacePayload, WORKSPACE_FORMATS } from './workspace-payload';

const OCCURRED_AT = Date.UTC(2024, 0, 16, 10);
const TIMESTAMP = '2024-01-16T10:00:00.000Z';
const eventOf = (type: string, data: Record<string, unknown>) => ({ type, data, occurredAt: OCCURRED_AT });

const changed = eventOf('task_status_changed', {
  task_id: 'task-abc123',
  old_status: 'pending',
  new_status: 'in_progress',
});

describe('toWorkspacePayload', () => {
  it('has the document form that the event stream shows', () => {
    const { name, data } = toWorkspacePayload(changed, 'document');
    expect([name, JSON.stringify(data)]).toEqual([
      'TaskStatusChanged',
      '{"type":"TaskStatusChanged","task_id":"task-abc123","old_status":"pending","new_status":"in_progress",' +
        `"timestamp":"${TIMESTAMP}"}`,
    ]);
  });

  it('has the core form: the name of the type, and the data alone', () => {
    expect(toWorkspacePayload(changed, 'core')).toEqual({ name: 'task_status_changed', data: changed.data });
  });

  it('has the envelope form: the name of the type, and the data in an envelope', () => {
    expect(JSON.stringify(toWorkspacePayload(changed, 'envelope'))).toBe(
      '{"name":"task_status_changed","data":{"type":"TaskStatusChanged","data":' +
        '{"task_id":"task-abc123","old_status":"pending","new_status":"in_progress"}}}',
    );
  });

  it.each(WORKSPACE_EVENT_TYPES)('tells all of %s in every form, but never the deadline', (type) => {
    const { deadline_at: _deadline, ...own } = { deadline_at: 0, ...WORKSPACE_SAMPLES[type] };
    const event = eventOf(type, { ...WORKSPACE_SAMPLES[type] });
    const name = workspaceDocumentName(type);
    expect(toWorkspacePayload(event, 'document')).toEqual({ name, data: { type: name, ...own, timestamp: TIMESTAMP } });
    expect(toWorkspacePayload(event, 'core')).toEqual({ name: type, data: own });
    expect(toWorkspacePayload(event, 'envelope')).toEqual({ name: type, data: { type: name, data: own } });
    for (const format of WORKSPACE_FORMATS) {
      expect(JSON.stringify(toWorkspacePayload(event, format))).not.toContain('deadline_at');
    }
    expect(event.data).toEqual(WORKSPACE_SAMPLES[type]);
  });

  it('is a name and one line of JSON, whatever is in the event', () => {
    const data = fc
      .tuple(jsonObject, fc.constantFrom(...Object.values(WORKSPACE_SAMPLES)), hostileName)
      .map(([any, sample, text]): Record<string, unknown> => ({
        ...sample,
        title: text,
        content: `${text}\r\n\r\nevent: forged\n`,
        deadline_at: 1,
        ...any,
      }));
    fc.assert(
      fc.property(safeName, data, fc.constantFrom(...WORKSPACE_FORMATS), (type, fields, format) => {
        const before = JSON.stringify(fields);
        const payload = toWorkspacePayload(eventOf(type, fields), format);
        const text = JSON.stringify(payload.data);
        expect(payload.name).not.toMatch(/[\s\p{C}]/u);
        expect(text).not.toMatch(/[\r\n\0]/);
        expect(JSON.stringify(fields)).toBe(before);
        const read = JSON.parse(text) as Record<string, unknown>;
        if (format === 'document') expect(read).toMatchObject({ type: payload.name, timestamp: TIMESTAMP });
      }),
      { numRuns: 500 },
    );
  });

  it('does not let the data say another type or time than the event', () => {
    const forged = eventOf('task_deleted', { type: 'TaskCreated', task_id: 'a', timestamp: 'never' });
    expect(JSON.stringify(toWorkspacePayload(forged, 'document').data)).toBe(
      `{"type":"TaskDeleted","task_id":"a","timestamp":"${TIMESTAMP}"}`,
    );
  });
});
