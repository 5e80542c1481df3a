import { SESSION_SAMPLES } from '../conformance';
import { eventCatalogue } from '../catalogue/event-catalogue';
import { eventIdSchema } from '../envelope';
import {
  ENGINE_SESSION_EVENT_TYPES,
  isShownSessionEventType,
  LISTABLE_SESSION_EVENT_TYPES,
  OWN_SESSION_EVENT_TYPES,
  SENDABLE_SESSION_EVENT_TYPES,
  SESSION_EVENT_TYPES,
  STORED_SESSION_EVENT_TYPES,
} from './event-types';
import { sessionEventDataSchema, sessionTimeSchema } from './session-data';
import { sessionEnvelopeId, sessionEventIdSchema, sessionIdSchema } from './session-ids';
import { toSessionPayload } from './session-payload';

const HOSTILE_IDS = ['', 'a b', 'a\n', '\u0000', '../a', 'a/b', '"', '🐚', 'x'.repeat(129), '\ud800'];

/** Members that events of a type may leave out, beside `sluice`. */
const OPTIONAL = [
  ...['session_thread_id', 'deny_message', 'is_error', 'max_iterations', 'evaluated_permission', 'evaluation'],
  ...['to_agent_name', 'from_agent_name', 'stop_details', 'title', 'metadata', 'budget', 'agent', 'sluice'],
];

/** Members that are optional in other types. */
const REQUIRED: readonly (readonly [type: RegExp, field: string])[] = [
  [/^session\.thread_/, 'session_thread_id'],
  [/^span\./, 'is_error'],
];

function isOptional(type: string, field: string): boolean {
  // A tool may find nothing.
  if (field === 'content') return type.endsWith('_result');
  return OPTIONAL.includes(field) && !REQUIRED.some(([types, required]) => types.test(type) && required === field);
}

describe('the session family', () => {
  it('knows every type, with a description, and no other', () => {
    const known = eventCatalogue.all().filter(({ family }) => family === 'session');
    expect(known.map(({ type }) => type)).toEqual([...STORED_SESSION_EVENT_TYPES]);
    for (const { version, description } of known)
      expect([version, description]).toEqual([1, expect.stringMatching(/\.$/)]);
    expect(new Set(STORED_SESSION_EVENT_TYPES).size).toBe(44);
  });

  it('lists all that is shown but the deletion, and shows nothing of our own', () => {
    expect(SESSION_EVENT_TYPES.filter((type) => !LISTABLE_SESSION_EVENT_TYPES.some((one) => one === type))).toEqual([
      'session.deleted',
    ]);
    expect(SESSION_EVENT_TYPES.every(isShownSessionEventType)).toBe(true);
    expect([...OWN_SESSION_EVENT_TYPES, 'custom', 'constructor', ''].some(isShownSessionEventType)).toBe(false);
  });

  it('lets no engine say what only users, applications or the server say', () => {
    for (const type of ENGINE_SESSION_EVENT_TYPES) expect(type).toMatch(/^(agent\.|span\.|session\.(status_|error$))/);
    for (const type of SENDABLE_SESSION_EVENT_TYPES) expect(type).toMatch(/^(user|system)\./);
  });

  it.each(STORED_SESSION_EVENT_TYPES)('takes the data of %s, and requires what is not optional', (type) => {
    const schema = sessionEventDataSchema(type);
    const data = SESSION_SAMPLES[type];
    expect(schema.parse(data)).toEqual(data);
    for (const field of Object.keys(data)) {
      const { [field]: _removed, ...rest } = data;
      expect([field, schema.safeParse(rest).success]).toEqual([field, isOptional(type, field)]);
    }
  });

  it.each(STORED_SESSION_EVENT_TYPES)('keeps what it does not know in the data of %s', (type) => {
    const data = { ...SESSION_SAMPLES[type], extra: { deep: [1, null, '\u0000'] } };
    expect(sessionEventDataSchema(type).parse(data)).toEqual(data);
  });

  it.each(STORED_SESSION_EVENT_TYPES)('takes no other type and no hostile id in the data of %s', (type) => {
    const isTaken = (members: object) =>
      sessionEventDataSchema(type).safeParse({ ...SESSION_SAMPLES[type], ...members }).success;
    expect([isTaken({ type: 'user.nothing' }), isTaken({ type: 1 })]).toEqual([false, false]);
    for (const id of HOSTILE_IDS) expect([id, isTaken({ id })]).toEqual([id, false]);
    const mayWait = type.startsWith('user.') || type.startsWith('system.');
    expect([isTaken({ processed_at: null }), isTaken({ processed_at: 'now' })]).toEqual([mayWait, false]);
  });

  it.each([
    ['2026-01-31T09:30:00.000Z', true],
    ['1970-01-01T00:00:00.000Z', true],
    ['2026-01-31T09:30:00Z', false],
    ['2026-13-31T09:30:00.000Z', false],
    ['2026-01-31T24:30:00.000Z', false],
    ['2026-01-31T09:30:00.000+00:00', false],
    ['2026-01-31T09:30:00.000Z\n', false],
    ['٢٠٢٦-01-31T09:30:00.000Z', false],
  ])('takes %j as a time: %j', (time, isTaken) => {
    expect(sessionTimeSchema.safeParse(time).success).toBe(isTaken);
    if (isTaken) expect(new Date(Date.parse(time)).toISOString()).toBe(time);
  });
});

describe('the ids of sessions', () => {
  it.each([
    [`sesn_${'0'.repeat(32)}`, true],
    [`sesn_${'0'.repeat(31)}`, false],
    [`sesn_${'A'.repeat(32)}`, false],
    [`evt_${'0'.repeat(32)}`, false],
    [`sesn_${'0'.repeat(32)}\n`, false],
    ['', false],
  ])('%j: %j', (id, isTaken) => {
    expect(sessionIdSchema.safeParse(id).success).toBe(isTaken);
  });

  it('are those of events where they have up to 128 safe characters', () => {
    for (const id of ['a', 'sevt_01', 'toolu_01:A.b-c_', '.', 'x'.repeat(128)]) {
      expect([id, sessionEventIdSchema.safeParse(id).success]).toEqual([id, true]);
    }
    for (const id of HOSTILE_IDS) expect([id, sessionEventIdSchema.safeParse(id).success]).toEqual([id, false]);
  });

  it('give each event one envelope id, which no other event has', () => {
    const ids = [1, 2, 11].flatMap((workspace) =>
      ['a', 'b', '1'].flatMap((session) =>
        ['a', 'b', '1,b'].map((event) => sessionEnvelopeId(workspace, session, event)),
      ),
    );
    expect(new Set(ids).size).toBe(27);
    for (const id of ids) expect(eventIdSchema.safeParse(id).success).toBe(true);
    expect(sessionEnvelopeId(1, 'a', 'b')).toBe(sessionEnvelopeId(1, 'a', 'b'));
  });
});

describe('toSessionPayload', () => {
  it.each(STORED_SESSION_EVENT_TYPES)('shows all of %s but our notes, and leaves the data as it is', (type) => {
    const data = { ...SESSION_SAMPLES[type], sluice: { run_id: 'srun_secret' } };
    const { sluice: _notes, ...shown } = data;
    const text = JSON.stringify(data);
    expect(toSessionPayload(data)).toEqual(shown);
    expect(JSON.stringify(data)).toBe(text);
  });

  it('shows data without notes as it is', () => {
    const data = { id: 'a', type: 'agent.thinking', toString: 1 };
    expect(toSessionPayload(data)).toBe(data);
  });
});
