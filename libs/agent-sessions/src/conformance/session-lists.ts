import { MAX_LISTED_BYTES } from '../page-size';
import type { SessionState } from '../session-state';
import type { ListSessions, SessionStore } from '../session-store';
import { committed, runOf, sessionOf, WORKSPACE, type OpenSessionStore } from './session-samples';

/** Sessions of workspace 7 by id; two are made in the same millisecond. */
const SESSIONS: Readonly<Record<string, Partial<SessionState>>> = {
  sesn_d: { createdAtMs: 1_000, status: 'idle', run: null },
  sesn_b: { createdAtMs: 2_000, status: 'running' },
  sesn_c: { createdAtMs: 2_000, status: 'terminated', archivedAtMs: 9, run: null },
  sesn_a: { createdAtMs: 3_000, status: 'rescheduling', agent: { ...sessionOf().agent, version: 4 } },
  sesn_e: { createdAtMs: 4_000, status: 'idle', run: null, agent: { ...sessionOf().agent, id: 'agent_2' } },
};

/** Pages of sessions, and which ones are overdue. */
export function describeSessionLists(open: OpenSessionStore): void {
  async function filled(): Promise<SessionStore> {
    const store = await open();
    for (const [id, state] of Object.entries(SESSIONS)) {
      await committed(store, { state: sessionOf({ id, ...state }) });
    }
    const foreign = { workspaceId: WORKSPACE + 1, state: sessionOf({ workspaceId: WORKSPACE + 1, id: 'sesn_f' }) };
    await committed(store, foreign);
    return store;
  }
  const ids = async (store: SessionStore, query: Partial<ListSessions>) => {
    const { states } = await store.list({
      workspaceId: WORKSPACE,
      order: 'ascending',
      limit: 10,
      includeArchived: true,
      ...query,
    });
    return states.map(({ id }) => id.slice('sesn_'.length)).join('');
  };

  it('lists the sessions of a workspace in the order of creation and then id (G8)', async () => {
    const store = await filled();
    expect(await ids(store, {})).toBe('dbcae');
    expect(await ids(store, { order: 'descending' })).toBe('eacbd');
    expect(await ids(store, { workspaceId: WORKSPACE + 1 })).toBe('f');
    expect(await ids(store, { workspaceId: WORKSPACE + 2 })).toBe('');
    const query = { workspaceId: WORKSPACE, order: 'ascending', limit: 1, includeArchived: true } as const;
    const first = sessionOf({ id: 'sesn_d', ...SESSIONS['sesn_d'] });
    expect(await store.list(query)).toEqual({ states: [first], hasMore: true });
  });

  it('lists each session once when pages follow one another', async () => {
    const store = await filled();
    for (const order of ['ascending', 'descending'] as const) {
      const found: string[] = [];
      for (let after: ListSessions['after']; ;) {
        const { states, hasMore } = await store.list({
          workspaceId: WORKSPACE,
          order,
          limit: 2,
          includeArchived: true,
          ...(after && { after }),
        });
        found.push(...states.map(({ id }) => id));
        after = states.at(-1);
        if (!hasMore) break;
      }
      const ascending = ['sesn_d', 'sesn_b', 'sesn_c', 'sesn_a', 'sesn_e'];
      expect(found).toEqual(order === 'ascending' ? ascending : ascending.reverse());
    }
  });

  it.each<[Partial<ListSessions>, string]>([
    [{ includeArchived: false }, 'dbae'],
    [{ agentId: 'agent_1' }, 'dbca'],
    [{ agentId: 'agent_1', includeArchived: false, order: 'descending' }, 'abd'],
    [{ agentId: 'agent_1', agentVersion: 4 }, 'a'],
    [{ agentVersion: 4 }, 'dbcae'],
    [{ agentId: 'agent_9' }, ''],
    [{ agentId: 'agent_\u0000' }, ''],
    [{ statuses: ['idle'] }, 'de'],
    [{ statuses: ['idle', 'running', 'idle'] }, 'dbe'],
    [{ statuses: ['terminated'], includeArchived: false }, ''],
    [{ statuses: [] }, ''],
    [{ statuses: ['idle', 'running'], agentId: 'agent_1', order: 'descending' }, 'bd'],
    [{ createdAfterMs: 2_000 }, 'ae'],
    [{ createdFromMs: 2_000 }, 'bcae'],
    [{ createdBeforeMs: 2_000 }, 'd'],
    [{ createdUpToMs: 2_000 }, 'dbc'],
    [{ createdFromMs: 2_000, createdBeforeMs: 4_000, includeArchived: false }, 'ba'],
    [{ createdFromMs: 1_000.5, createdUpToMs: 1e16 }, 'bcae'],
    [{ after: { createdAtMs: 2_000, id: 'sesn_b' } }, 'cae'],
    [{ after: { createdAtMs: 2_000, id: 'sesn_bb' }, order: 'descending' }, 'bd'],
    [{ after: { createdAtMs: 2_500, id: '' }, limit: 1 }, 'a'],
  ])('lists what is asked for: %j', async (query, expected) => {
    expect(await ids(await filled(), query)).toBe(expected);
  });

  it('lists no more at once than fits into a page', async () => {
    const store = await open();
    const system = 'x'.repeat(MAX_LISTED_BYTES / 2 - 10_000);
    for (const [n, id] of ['sesn_a', 'sesn_b', 'sesn_c'].entries()) {
      const agent = { ...sessionOf().agent, system: `${system}${n}` };
      await committed(store, { state: sessionOf({ id, createdAtMs: n, agent }) });
    }
    const query = { workspaceId: WORKSPACE, order: 'ascending', limit: 10, includeArchived: true } as const;
    const first = await store.list(query);
    expect([first.states.map(({ id }) => id), first.hasMore]).toEqual([['sesn_a', 'sesn_b'], true]);
    const after = first.states.at(-1);
    const last = await store.list({ ...query, ...(after && { after }) });
    expect([last.states.map(({ id }) => id), last.hasMore]).toEqual([['sesn_c'], false]);
  });

  it('lists a session by what it is now', async () => {
    const store = await filled();
    const archived = sessionOf({ id: 'sesn_d', ...SESSIONS['sesn_d'], archivedAtMs: 5, status: 'terminated' });
    await committed(store, { state: archived, expectedVersion: 1 });
    expect(await ids(store, { includeArchived: false })).toBe('bae');
    expect(await ids(store, { statuses: ['terminated'] })).toBe('dc');
  });

  it('tells which runs are past their deadline, the earliest first', async () => {
    const store = await open();
    const deadlines = { sesn_a: 3_000, sesn_b: 1_000, sesn_c: 2_000, sesn_d: undefined };
    for (const [id, deadlineMs] of Object.entries(deadlines)) {
      await committed(store, { state: sessionOf({ id, run: runOf({ deadlineMs }) }) });
    }
    await committed(store, { state: sessionOf({ id: 'sesn_e', run: null }) });
    const of = (sessionId: string) => ({ workspaceId: WORKSPACE, sessionId });
    expect(await store.overdueRuns(999, 10)).toEqual([]);
    expect(await store.overdueRuns(2_000, 10)).toEqual([of('sesn_b'), of('sesn_c')]);
    expect(await store.overdueRuns(1e15, 2)).toEqual([of('sesn_b'), of('sesn_c')]);
    await committed(store, {
      state: sessionOf({ id: 'sesn_b', run: runOf({ deadlineMs: 9_000 }) }),
      expectedVersion: 1,
    });
    await committed(store, { state: sessionOf({ id: 'sesn_c', run: null }), expectedVersion: 1 });
    expect(await store.overdueRuns(8_999, 10)).toEqual([of('sesn_a')]);
    await committed(store, { state: undefined, sessionId: 'sesn_a', expectedVersion: 1 });
    expect(await store.overdueRuns(9_000, 10)).toEqual([of('sesn_b')]);
  });
}
