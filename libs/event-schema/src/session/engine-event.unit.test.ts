import { Ajv2020 } from 'ajv/dist/2020';
import fc from 'fast-check';
import { z } from 'zod';
import { nearly } from '../../test/nearly';
import { ENGINE_SESSION_SAMPLES } from '../conformance';
import { MAX_DATA_DEPTH } from '../limits';
import { engineSessionEventSchema } from './engine-event';
import {
  ENGINE_SESSION_EVENT_TYPES,
  OWN_SESSION_EVENT_TYPES,
  SENDABLE_SESSION_EVENT_TYPES,
  STORED_SESSION_EVENT_TYPES,
} from './event-types';
import { sessionEventDataSchema } from './session-data';
import { RETRY_STATUSES, SESSION_ERROR_TYPES } from './session-outcomes';

const isTaken = (event: unknown) => engineSessionEventSchema.safeParse(event).success;

/** An object with so many levels of objects, itself included. */
const nested = (levels: number): object =>
  JSON.parse(`${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`) as object;

describe('engineSessionEventSchema', () => {
  it.each(ENGINE_SESSION_EVENT_TYPES)('takes %s as it came, also what it does not know', (type) => {
    const event = { ...ENGINE_SESSION_SAMPLES[type], extra: { deep: [1, null, '\u0000', '\ud800'] }, toString: 1 };
    expect(engineSessionEventSchema.parse(event)).toEqual(event);
    const { id: _id, ...anonymous } = event;
    expect(engineSessionEventSchema.parse(anonymous)).toEqual(anonymous);
  });

  it.each(ENGINE_SESSION_EVENT_TYPES)('of %s takes nothing that could not be stored', (type) => {
    const server = { id: 'sevt_1', processed_at: '2026-01-31T09:30:00.000Z' };
    let taken = 0;
    fc.assert(
      fc.property(nearly(ENGINE_SESSION_SAMPLES[type]), (event) => {
        const parsed = engineSessionEventSchema.safeParse(event);
        if (!parsed.success || parsed.data.type !== type) return;
        taken++;
        expect([event, sessionEventDataSchema(type).safeParse({ ...parsed.data, ...server }).success]).toEqual([
          event,
          true,
        ]);
      }),
      { numRuns: 300 },
    );
    expect(taken).toBeGreaterThan(0);
  });

  it('takes no type of users, applications or the server', () => {
    const others = STORED_SESSION_EVENT_TYPES.filter((type) => !ENGINE_SESSION_EVENT_TYPES.some((one) => one === type));
    expect(others).toEqual(expect.arrayContaining([...SENDABLE_SESSION_EVENT_TYPES, ...OWN_SESSION_EVENT_TYPES]));
    for (const type of [...others, 'event_start', 'event_delta', '', 'constructor']) {
      expect([type, isTaken({ type, content: [{ type: 'text', text: 'a' }] })]).toEqual([type, false]);
    }
    for (const none of [null, [], 'agent.thinking', {}]) expect(isTaken(none)).toBe(false);
  });

  it.each(['', 'a b', 'a/b', '🐚', 'x'.repeat(129), null, 1])('takes no event with the id %j', (id) => {
    expect(isTaken({ type: 'agent.thinking', id })).toBe(false);
  });

  it('takes no notes of ours', () => {
    expect(isTaken({ type: 'session.status_running', sluice: { processed_inputs: ['a'] } })).toBe(false);
    expect(isTaken({ type: 'session.status_running', sluice: null })).toBe(false);
  });

  it('gives back no prototype that an engine chose', () => {
    const event = JSON.parse('{"type":"agent.thinking","__proto__":{"id":"forged"}}') as unknown;
    const parsed = engineSessionEventSchema.parse(event);
    expect([parsed.id, Object.getPrototypeOf(parsed)]).toEqual([undefined, Object.prototype]);
  });

  it('takes what can be encoded again, however deep it is otherwise', () => {
    const used = (levels: number) => isTaken({ type: 'agent.tool_use', name: 'a', input: nested(levels) });
    expect([used(MAX_DATA_DEPTH - 1), used(MAX_DATA_DEPTH), used(5_000)]).toEqual([true, false, false]);
  });

  it('takes an idle session only with its reason', () => {
    const idle = (members: object) => isTaken({ type: 'session.status_idle', ...members });
    const reason = (type: string, members = {}) => idle({ stop_reason: { type, ...members } });
    expect(['end_turn', 'retries_exhausted', 'budget_reached', 'refusal'].map((type) => reason(type))).toEqual(
      Array(4).fill(true),
    );
    expect([idle({}), idle({ stop_reason: null }), idle({ stop_reason: 'end_turn' }), reason('bored')]).toEqual(
      Array(4).fill(false),
    );
    const waits = (ids?: unknown) => reason('requires_action', ids === undefined ? {} : { event_ids: ids });
    expect([waits(['a']), waits(['a', 'b'])]).toEqual([true, true]);
    expect([waits(), waits([]), waits('a'), waits([1]), waits(['a b'])]).toEqual(Array(5).fill(false));
  });

  it.each(SESSION_ERROR_TYPES)('takes the error %s with its message and what follows from it', (type) => {
    const own = { mcp_server_name: 'a', credential_id: 'b', vault_id: 'c', repository_url: null };
    const failed = (error: object) => isTaken({ type: 'session.error', error });
    for (const status of RETRY_STATUSES) {
      const error = { type, message: '', retry_status: { type: status }, ...own };
      expect([status, failed(error)]).toEqual([status, true]);
      expect([failed({ ...error, message: undefined }), failed({ ...error, retry_status: undefined })]).toEqual([
        false,
        false,
      ]);
      expect([
        failed({ ...error, type: 'other_error' }),
        failed({ ...error, retry_status: { type: 'later' } }),
      ]).toEqual([false, false]);
    }
    const bare = failed({ type, message: 'a', retry_status: { type: 'terminal' } });
    expect(bare).toBe(!/^(mcp|credential)_/.test(type));
  });

  it('is a JSON Schema too, which takes what it takes', () => {
    const isValid = new Ajv2020({ strict: false }).compile(z.toJSONSchema(engineSessionEventSchema, { io: 'input' }));
    for (const type of ENGINE_SESSION_EVENT_TYPES)
      expect([type, isValid(ENGINE_SESSION_SAMPLES[type])]).toEqual([type, true]);
    expect([isValid({ type: 'session.status_idle' }), isValid({ type: 'agent.thinking', sluice: {} })]).toEqual([
      false,
      false,
    ]);
  });
});
