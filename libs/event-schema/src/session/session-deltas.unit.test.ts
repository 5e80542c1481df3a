import { z } from 'zod';
import {
  engineReportEntrySchema,
  isSessionDelta,
  MAX_SESSION_DELTA_LENGTH,
  sessionDeltaSchema,
} from './session-deltas';

const start = { type: 'event_start', event: { type: 'agent.message', id: 'm1' } };
const delta = (content: object, more: object = {}) => ({
  type: 'event_delta',
  event_id: 'm1',
  delta: { type: 'content_delta', content, ...more },
});
const text = (length: number) => ({ type: 'text', text: 'a'.repeat(length) });

describe('deltas of session events', () => {
  it.each([
    start,
    { type: 'event_start', event: { type: 'agent.thinking', id: 't' } },
    delta(text(0)),
    delta(text(MAX_SESSION_DELTA_LENGTH), { index: 999 }),
  ])('takes %j', (given) => {
    expect(sessionDeltaSchema.parse(given)).toEqual(given);
    expect(isSessionDelta(engineReportEntrySchema.parse(given))).toBe(true);
  });

  it('leaves out what it does not know, so that nothing large hides in it', () => {
    expect(sessionDeltaSchema.parse({ ...start, more: 'x' })).toEqual(start);
  });

  it.each([
    { type: 'event_start', event: { type: 'agent.tool_use', id: 'm1' } },
    { type: 'event_start', event: { type: 'agent.message' } },
    { type: 'event_start', event: { type: 'agent.message', id: 'a\nb' } },
    { ...delta(text(1)), event_id: undefined },
    delta(text(MAX_SESSION_DELTA_LENGTH + 1)),
    delta({ type: 'image' }),
    delta(text(1), { index: 1000 }),
    delta(text(1), { index: -1 }),
    { type: 'event_end' },
  ])('refuses %j', (given) => {
    expect(sessionDeltaSchema.safeParse(given).success).toBe(false);
    expect(engineReportEntrySchema.safeParse(given).success).toBe(false);
  });

  it('keeps events of engines as they are checked without deltas', () => {
    const event = { type: 'agent.message', id: 'm1', content: [{ type: 'text', text: 'Hello' }], more: 1 };
    const parsed = engineReportEntrySchema.parse(event);
    expect(parsed).toEqual(event);
    expect(isSessionDelta(parsed)).toBe(false);
    let deep: unknown = 1;
    for (let level = 0; level < 200; level++) deep = [deep];
    for (const refused of [
      { ...event, sluice: {} },
      { ...event, deep },
      { type: 'user.message', content: [] },
    ]) {
      expect(engineReportEntrySchema.safeParse(refused).success).toBe(false);
    }
  });

  it('can be described', () => {
    expect(JSON.stringify(z.toJSONSchema(engineReportEntrySchema, { io: 'input', unrepresentable: 'any' }))).toContain(
      'event_delta',
    );
  });
});
