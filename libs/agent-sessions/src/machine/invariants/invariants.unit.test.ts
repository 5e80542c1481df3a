import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  customResult,
  message,
  SessionWorld,
  uses,
  waitingWorld,
  waitsFor,
  working,
} from '../../../test/session-world';
import type { SessionEventBody } from '../../session-event';
import { checkSessionInvariants, SESSION_INVARIANTS } from './invariants';
import { checkSessionState } from './state-invariants';

const TIME = '2026-01-02T03:04:05.000Z';
const LATER = '2026-01-02T03:04:06.000Z';

let made = 0;
const event = (type: string, fields: object = {}): SessionEventBody => ({
  id: `sevt_${++made}`,
  type,
  processed_at: TIME,
  ...fields,
});
const said = (fields: object = {}): SessionEventBody => event('user.message', fields);
const running = (fields: object = {}): SessionEventBody => event('session.status_running', fields);
const idle = (type = 'end_turn', fields: object = {}): SessionEventBody =>
  event('session.status_idle', { stop_reason: { type, ...fields }, stop_details: null });
const waits = (...ids: readonly string[]): SessionEventBody => idle('requires_action', { event_ids: ids });
const uses1 = (): SessionEventBody => event('agent.custom_tool_use', { id: 'tool_1' });
const uses2 = (): SessionEventBody => event('agent.custom_tool_use', { id: 'tool_2' });
const answers = (id: string, type = 'user.custom_tool_result'): SessionEventBody =>
  event(type, { [type === 'user.custom_tool_result' ? 'custom_tool_use_id' : 'tool_use_id']: id, result: 'allow' });

/** Lists that break one invariant each, and no other. */
const BROKEN: Readonly<Record<string, readonly (() => readonly SessionEventBody[])[]>> = {
  S1: [() => [said(), running(), event('agent.message', { id: 'a' }), event('agent.message', { id: 'a' })]],
  S2: [
    () => [said(), running(), event('session.created')],
    () => [event('session.archived'), event('session.archived')],
    () => [event('session.deleted'), event('session.updated')],
  ],
  S3: [
    () => [idle()],
    () => [said(), running(), idle(), idle()],
    () => [event('session.status_rescheduled')],
    () => [said(), said(), running(), event('session.status_terminated'), event('session.status_terminated')],
  ],
  S4: [
    () => [event('agent.message')],
    () => [event('span.model_request_start')],
    () => [event('session.error')],
    () => [said(), running(), event('session.status_rescheduled'), event('agent.message')],
  ],
  S5: [
    () => [event('session.archived'), event('user.interrupt')],
    () => [said(), running(), event('session.status_terminated'), event('user.interrupt')],
  ],
  S6: [
    () => [said(), running(), idle('bored')],
    () => [said(), running(), event('session.status_idle', { stop_details: null })],
    () => [said(), running(), event('session.status_idle', { stop_reason: { type: 'end_turn' } })],
  ],
  S7: [
    () => [said(), running(), event('user.interrupt')],
    () => [said(), running(), event('user.interrupt'), idle('retries_exhausted')],
  ],
  S8: [
    () => [said({ processed_at: null })],
    () => [said(), running(), said({ processed_at: null }), idle()],
    () => [event('user.define_outcome', { outcome_id: 'outc_1' })],
  ],
  S9: [() => [running()]],
  S10: [
    () => [said(), running(), waits('nothing')],
    () => [said(), running(), event('agent.message', { id: 'a' }), waits('a')],
    () => [said(), running(), waits()],
    () => [said(), running(), uses1(), waits('tool_1', 'tool_1')],
  ],
  S11: [
    () => [said(), running(), answers('nothing')],
    () => [said(), running(), uses1(), answers('tool_1', 'user.tool_confirmation')],
    () => [said(), running(), uses1(), idle(), answers('tool_1')],
  ],
  S12: [
    () => [said(), running(), uses1(), answers('tool_1'), answers('tool_1')],
    () => {
      const confirms = () => answers('tool_1', 'user.tool_confirmation');
      return [said(), running(), event('agent.tool_use', { id: 'tool_1' }), confirms(), confirms()];
    },
  ],
  S13: [
    () => [said(), running(), uses1(), waits('tool_1'), answers('tool_1')],
    () => [said(), running(), uses1(), uses2(), waits('tool_1', 'tool_2'), answers('tool_1'), running()],
    () => {
      const uses3 = event('agent.custom_tool_use', { id: 'tool_3' });
      const asked = waits('tool_1', 'tool_2', 'tool_3');
      return [said(), running(), uses1(), uses2(), uses3, asked, answers('tool_1'), waits('tool_2')];
    },
    () => [said(), running(), uses1(), answers('tool_1'), waits('tool_1')],
  ],
  S14: [() => [said(), running(), uses1(), waits('tool_1'), answers('tool_1'), running(), waits('tool_1')]],
  S15: [
    () => [said({ processed_at: null }), running()],
    () => [said(), running(), said()],
    () => [said(), running({ processed_at: LATER })],
    () => [said(), event('system.message', { processed_at: null }), running()],
  ],
  S16: [
    () => [said(), running(), event('agent.message', { processed_at: null })],
    () => [said({ processed_at: LATER }), running({ processed_at: LATER }), event('agent.message')],
    () => [said(), running(), event('agent.message', { processed_at: 'soon' })],
  ],
  S17: [() => [said(), running(), event('user.interrupt'), idle(), event('system.message')]],
  S18: [
    () => [event('user.define_outcome'), running()],
    () => [
      event('user.define_outcome', { outcome_id: 'a' }),
      event('user.define_outcome', { outcome_id: 'a' }),
      running(),
    ],
  ],
};

describe('the invariants of a session', () => {
  it.each(SESSION_INVARIANTS.map(({ id, text }) => [id, text]))('%s is seen to be broken: %s', (id) => {
    const lists = BROKEN[id] ?? [];
    expect(lists.length).toBeGreaterThan(0);
    for (const list of lists) {
      const faults = checkSessionInvariants(list());
      expect(faults.map((fault) => fault.split(':')[0])).toContain(id);
      expect(faults.filter((fault) => !fault.startsWith(`${id}:`))).toEqual([]);
    }
  });

  it('numbers them without a hole, and the document has each with its words', () => {
    expect(SESSION_INVARIANTS.map(({ id }) => id)).toEqual(SESSION_INVARIANTS.map((_, index) => `S${index + 1}`));
    const document = readFileSync(join(__dirname, '../../../../../docs/protocol/sessions.md'), 'utf8');
    const words = document.replaceAll(/\s+/g, ' ');
    for (const { id, text } of SESSION_INVARIANTS) expect(words).toContain(`**${id}** ${text}`);
  });

  it('finds nothing in the events of a session that is right', () => {
    const world = waitingWorld('tool_1', 'tool_2');
    world.send(message());
    world.send(customResult('tool_2'));
    world.send(customResult('tool_1'));
    world.report(uses('tool_3'));
    world.send(customResult('tool_3'));
    world.report(waitsFor('tool_3'));
    expect(checkSessionInvariants(world.events)).toEqual([]);
    expect(checkSessionInvariants([])).toEqual([]);
    expect(checkSessionInvariants(world.events.filter(({ type }) => type !== 'session.created'))).toEqual([]);
  });

  it('stays fast with as many events as a session can have', () => {
    const turns = Array.from({ length: 15_000 }, (_, n) => [
      said(),
      running(),
      event('agent.custom_tool_use', { id: `tool_${n}` }),
      waits(`tool_${n}`),
      answers(`tool_${n}`),
      running(),
      idle(),
    ]).flat();
    expect(checkSessionInvariants(turns)).toEqual([]);
  });
});

describe('the invariants of a state', () => {
  it('finds nothing in states that are right, and what is wrong in others', () => {
    for (const world of [new SessionWorld(), working(), waitingWorld('tool_1')]) {
      expect(checkSessionState(world.session)).toEqual([]);
    }
    const { session } = working();
    expect(checkSessionState({ ...session, run: null })).toContain('A session that works has a run');
    expect(checkSessionState({ ...session, status: 'terminated' })).toContain(
      'A terminated session has no run and no queue',
    );
    expect(checkSessionState({ ...session, status: 'idle' })).toContain(
      'Something is pending exactly while the run waits for the user',
    );
    expect(checkSessionState({ ...session, archivedAtMs: 1, status: 'idle' })).toContain(
      'Nobody is waited for in an archived session',
    );
    expect(checkSessionState({ ...session, updatedAtMs: 0 })).toEqual(['Times do not run backwards']);
  });
});
