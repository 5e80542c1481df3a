import type { EventEnvelope } from '@sluice/event-schema';
import { MAX_SESSION_EVENT_IDS } from '../session/session-events';
import { processedAt, queued, running, said, SESSION_ID, sessionEnvelope as event } from './session-envelope';
import { eventsOf, idsOf, type CurrentSessionHarness } from './session-harness';
import { OCCURRED_AT } from './workspace-envelope';

const OTHER_SESSION_ID = `sesn_${'0'.repeat(31)}2`;

/** What events leave in the history of a session. */
export function describeSessionEventsOfEvents(current: CurrentSessionHarness): void {
  const find = (id: string, sessionId = SESSION_ID, workspaceId = 1) =>
    current().events.find(workspaceId, sessionId, id);
  const timeOf = async (id: string) => (await find(id))?.processedAtMs;

  it('lets inputs wait until an event says that they are processed', async () => {
    await current().record([event(queued('m1')), event(queued('m2')), event(queued('m3'))]);
    expect(await find('m1')).toMatchObject({ processedAtMs: null, payload: queued('m1') });
    await current().record([event(running('r1', ['m1', 'm3'], 7))]);
    expect(await find('m1')).toEqual({
      position: 1,
      id: 'm1',
      type: 'user.message',
      processedAtMs: OCCURRED_AT + 7,
      payload: { ...queued('m1'), processed_at: processedAt(7) },
    });
    expect([await timeOf('m2'), await timeOf('m3')]).toEqual([null, OCCURRED_AT + 7]);
  });

  it('keeps the first time at which an input was processed', async () => {
    await current().record([event(queued('m1')), event(running('r1', ['m1'], 7)), event(running('r2', ['m1'], 9))]);
    await current().record([event(running('r3', ['m1', 'r1', 'none'], 11))]);
    expect([await timeOf('m1'), await timeOf('r1')]).toEqual([OCCURRED_AT + 7, OCCURRED_AT + 7]);
    expect(await idsOf(current())).toEqual(['m1', 'r1', 'r2', 'r3']);
  });

  it('processes nothing that comes later, nor anything of another session (G8)', async () => {
    await current().record([
      event(queued('m2'), { entityId: OTHER_SESSION_ID }),
      event(queued('m2'), { workspaceId: 2 }),
    ]);
    await current().record([event(running('r1', ['m1', 'm2'], 7)), event(queued('m1'))]);
    await current().record([event(queued('m2'))]);
    expect([await timeOf('m1'), await timeOf('m2')]).toEqual([null, null]);
    expect((await find('m2', OTHER_SESSION_ID))?.processedAtMs).toBeNull();
    expect((await find('m2', SESSION_ID, 2))?.processedAtMs).toBeNull();
  });

  it('keeps sessions and workspaces apart (G8)', async () => {
    const places: readonly Partial<EventEnvelope>[] = [{}, { entityId: OTHER_SESSION_ID }, { workspaceId: 2 }];
    await current().record(places.map((place, n) => event(said('same', n, `of ${n}`), place)));
    await current().record([event(said('own'), { workspaceId: 2 })]);
    const textOf = async (sessionId: string, workspaceId: number) =>
      (await eventsOf(current(), { sessionId, workspaceId })).map(({ payload }) => payload['content']);
    const text = (n: number) => [{ type: 'text', text: `of ${n}` }];
    expect(await textOf(SESSION_ID, 1)).toEqual([text(0)]);
    expect(await textOf(OTHER_SESSION_ID, 1)).toEqual([text(1)]);
    expect(await textOf(SESSION_ID, 2)).toEqual([text(2), [{ type: 'text', text: 'own' }]]);
    expect(await textOf(OTHER_SESSION_ID, 2)).toEqual([]);
    expect(await find('own')).toBeUndefined();
    expect(await current().events.byIds(1, SESSION_ID, ['own', 'same'])).toHaveLength(1);
  });

  it('never shows our notes', async () => {
    await current().record([event(queued('m1')), event(running('r1', ['m1']))]);
    const shown = [
      ...(await eventsOf(current())),
      await find('r1'),
      ...(await current().events.byIds(1, SESSION_ID, ['r1'])),
    ];
    expect(JSON.stringify(shown)).not.toContain('sluice');
    expect(await find('r1')).toMatchObject({
      payload: { type: 'session.status_running', processed_at: processedAt(0) },
    });
  });

  it('shows what the sessions API knows, and neither types of our own, free ones nor other families', async () => {
    const time = { processed_at: processedAt(0) };
    await current().record([
      event({ id: 'own1', type: 'session.created', ...time }),
      event(said('e1')),
      event({ id: 'own2', type: 'session.archived', ...time }),
      event({ id: 'free', type: 'custom.event', ...time }),
      event({ id: 'free2', type: 'constructor', ...time }),
      event(said('e2'), { family: 'sandbox' }),
      event({ id: 'e3', type: 'session.deleted', ...time }),
    ]);
    expect(await idsOf(current())).toEqual(['e1', 'e3']);
    for (const id of ['own1', 'own2', 'free', 'free2', 'e2']) expect(await find(id)).toBeUndefined();
  });

  it('keeps the first of two events with one id', async () => {
    await current().record([event(said('a', 0, 'first')), event(said('a', 1, 'second'))]);
    await current().record([event(said('b')), event(said('a', 2, 'third'))]);
    expect(await idsOf(current())).toEqual(['a', 'b']);
    expect(await find('a')).toMatchObject({ position: 1, payload: { content: [{ text: 'first' }] } });
  });

  it('means nothing by an event that is known', async () => {
    const message = event(queued('m1'));
    const begun = event(running('r1', ['m1'], 3));
    await current().record([message, message, begun]);
    await current().record([begun, message]);
    expect(await idsOf(current())).toEqual(['m1', 'r1']);
    expect(await timeOf('m1')).toBe(OCCURRED_AT + 3);
  });

  it('finds events by their ids, in the order in which they were recorded', async () => {
    await current().record(['c', 'a', 'b', 'd'].map((id) => event(said(id))));
    const found = async (ids: readonly string[]) =>
      (await current().events.byIds(1, SESSION_ID, ids)).map(({ id }) => id);
    expect(await found(['a', 'b', 'c'])).toEqual(['c', 'a', 'b']);
    expect(await found(['b', 'none', 'b', '\u0000', 'd'])).toEqual(['b', 'd']);
    expect(await found([])).toEqual([]);
    const padding = Array.from({ length: MAX_SESSION_EVENT_IDS - 1 }, (_, n) => `none${n}`);
    expect(await found([...padding, 'a', 'b'])).toEqual(['a']);
    expect(await current().events.byIds(1, OTHER_SESSION_ID, ['a'])).toEqual([]);
    for (const id of ['', '\u0000', '__proto__', 'x'.repeat(100_000)]) expect(await find(id)).toBeUndefined();
  });

  it('gives back every text and every member as it came (G7)', async () => {
    const texts = ['\u0000', '\\u0000', '\ud800', '"\\\'', 'null', '', '🐚\n\r\u2028', '$1 %s'];
    const data = texts.map((text, n) => ({ ...said(`e${n}`, n, text), extra: { [text]: [null, 1.5, text] } }));
    await current().record(data.map((one) => event(one)));
    expect((await eventsOf(current())).map(({ payload }) => payload)).toEqual(data);
  });
}
