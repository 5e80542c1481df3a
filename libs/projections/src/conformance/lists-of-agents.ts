import type { EncodedEnvelope } from '@sluice/event-schema';
import { agentCursorOf } from '../registry/agent-order';
import { MAX_LISTED_AGENTS, type AgentRecord, type AgentSort, type ListAgents } from '../registry/agents';
import type { CurrentAgentHarness } from './agent-harness';
import { about, addressOf, file, rated, registered, updated } from './agent-samples';

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const classOf = (slug: string) => ({ slug, name: slug });

/** Names whose order differs by bytes, by case and by units of UTF-16. */
const NAMES = ['beta', 'Alpha', 'alphabet', 'Ωmega', '\u{1f41a}', '\uffee', 'ALPHA', 'a_b', 'a%b', 'zeta', 'İ', 'beta'];
/** Undefined: no rating. */
const SCORES = [50, undefined, 100, 0, 50, undefined, 99.99, 50, 1, undefined, 50, 33.33];

/** Twelve agents of three chains: agent n is the nth that was made. */
function twelve(): readonly EncodedEnvelope[] {
  const idOf = (n: number) => `${[1, 10, 8453][n % 3]}:${n}`;
  return NAMES.flatMap((name, n) => {
    const agentId = idOf(n);
    const score = SCORES[n];
    const endpoints = { ...(n % 2 && { mcpEndpoint: 'm' }), ...(n % 4 && { a2aEndpoint: 'a' }) };
    const active = [true, false, undefined][n % 3];
    const summary = file(name, { ...endpoints, ...(active !== undefined && { active }) });
    const owner = addressOf(n % 2);
    return [
      registered(agentId, { name, owner, hasMcp: n % 2 > 0, hasA2a: n % 4 > 0, registration: { file: summary } }),
      ...(score === undefined ? [] : [rated(agentId, score, n + 1)]),
      ...(n % 2 ? [about(agentId, 'reachability_update', { mcpReachable: n > 5, a2aReachable: n > 3 })] : []),
      ...(n < 8 ? [classified(agentId, [['audio'], ['legal', 'audio'], [], ['energy']][n % 4] ?? [])] : []),
    ];
  });
}

const classified = (agentId: string, slugs: readonly string[]) =>
  about(agentId, 'classification_complete', {
    skills: slugs.map(classOf),
    domains: slugs.map((slug) => classOf(`${slug}_domain`)),
    confidence: 1,
  });

/** How agents are listed. */
export function describeListsOfAgents(current: CurrentAgentHarness): void {
  const list = (query: Partial<ListAgents> = {}) =>
    current().agents.list({ sort: 'registered', order: 'ascending', limit: 100, ...query });
  const tokens = async (query: Partial<ListAgents> = {}) => (await list(query)).map(({ tokenId }) => Number(tokenId));

  /** All pages of a list. */
  async function paged(
    query: Partial<ListAgents> & { sort: AgentSort; limit: number },
  ): Promise<readonly AgentRecord[]> {
    const all: AgentRecord[] = [];
    for (let pages = 0; pages < 50; pages++) {
      const last = all.at(-1);
      const page = await list({ ...query, ...(last && { after: agentCursorOf(last, query.sort) }) });
      all.push(...page);
      if (page.length < query.limit) return all;
    }
    throw new Error('more pages than there can be');
  }

  describe('with twelve agents', () => {
    beforeEach(() => current().record(twelve()));

    it('sorts them by each order, both ways', async () => {
      const order = 'descending';
      expect(await tokens()).toEqual(range(0, 11));
      expect(await tokens({ order })).toEqual(range(0, 11).reverse());
      expect(await tokens({ sort: 'updated' })).toEqual(range(0, 11));
      await current().record([updated('10:4', { wallet: addressOf(1) })]);
      expect(await tokens({ sort: 'updated' })).toEqual([...range(0, 3), ...range(5, 11), 4]);
      const byName = [8, 7, 1, 6, 2, 0, 11, 10, 9, 3, 5, 4];
      expect(await tokens({ sort: 'name' })).toEqual(byName);
      expect(await tokens({ sort: 'name', order })).toEqual([...byName].reverse());
      const byScore = [3, 8, 11, 0, 4, 7, 10, 6, 2];
      const unscored = [1, 5, 9];
      expect(await tokens({ sort: 'score' })).toEqual([...byScore, ...unscored]);
      expect(await tokens({ sort: 'score', order })).toEqual([...byScore.reverse(), ...unscored.reverse()]);
    });

    it.each(
      (['registered', 'updated', 'score', 'name'] as const).flatMap((sort) =>
        (['ascending', 'descending'] as const).flatMap((order) =>
          [1, 2, 5, 12].map((limit) => ({ sort, order, limit })),
        ),
      ),
    )('gives all of them in pages of $limit by $sort, $order', async (query) => {
      const whole = await list({ ...query, limit: 100 });
      expect(whole).toHaveLength(12);
      expect(await paged(query)).toEqual(whole);
      const some = { ...query, hasMcp: true };
      expect(await paged(some)).toEqual(await list({ ...some, limit: 100 }));
    });

    it('lists those that meet every condition', async () => {
      expect(await tokens({ chainIds: [1] })).toEqual([0, 3, 6, 9]);
      expect(await tokens({ chainIds: [10, 8453, 5] })).toEqual([1, 2, 4, 5, 7, 8, 10, 11]);
      expect(await tokens({ owner: addressOf(1).replace('a', 'A') })).toEqual([1, 3, 5, 7, 9, 11]);
      expect(await tokens({ name: 'ALPHA' })).toEqual([1, 2, 6]);
      expect(await tokens({ name: 'ha' })).toEqual([1, 2, 6]);
      expect(await tokens({ name: '%' })).toEqual([8]);
      expect(await tokens({ name: '_' })).toEqual([7]);
      expect(await tokens({ name: 'İ' })).toEqual([10]);
      expect(await tokens({ name: '' })).toEqual(range(0, 11));
      expect(await tokens({ hasMcp: true })).toEqual([1, 3, 5, 7, 9, 11]);
      expect(await tokens({ hasMcp: false, hasA2a: true })).toEqual([2, 6, 10]);
      expect(await tokens({ mcpReachable: true })).toEqual([7, 9, 11]);
      expect(await tokens({ mcpReachable: false })).toEqual([1, 3, 5]);
      expect(await tokens({ a2aReachable: true, mcpReachable: false })).toEqual([5]);
      expect(await tokens({ active: true })).toEqual([0, 3, 6, 9]);
      expect(await tokens({ active: false })).toEqual([1, 4, 7, 10]);
      expect(await tokens({ skills: ['audio'] })).toEqual([0, 1, 4, 5]);
      expect(await tokens({ skills: ['energy', 'legal'] })).toEqual([1, 3, 5, 7]);
      expect(await tokens({ domains: ['legal_domain'], skills: ['audio'] })).toEqual([1, 5]);
      expect(await tokens({ minScore: 50 })).toEqual([0, 2, 4, 6, 7, 10]);
      expect(await tokens({ minScore: 0, maxScore: 33.33 })).toEqual([3, 8, 11]);
      expect(await tokens({ maxScore: 50, sort: 'score', order: 'descending' })).toEqual([10, 7, 4, 0, 11, 8, 3]);
      expect(await tokens({ minFeedback: 8 })).toEqual([7, 8, 10, 11]);
      expect(await tokens({ chainIds: [1], name: 'alpha', active: true })).toEqual([6]);
      expect(await tokens({ chainIds: [], skills: [], domains: [] })).toEqual(range(0, 11));
    });

    it('lists none by what none can have', async () => {
      for (const nobody of ['\u0000', "' OR true --", 'x'.repeat(10_000), '\\', '{}']) {
        expect(await tokens({ owner: nobody })).toEqual([]);
        expect(await tokens({ skills: [nobody] })).toEqual([]);
        expect(await tokens({ domains: [nobody, 'audio_domain'] })).toEqual([0, 1, 4, 5]);
        if (nobody !== '\u0000') expect(await tokens({ name: nobody })).toEqual([]);
      }
      for (const none of [1.5, NaN, Infinity, -1, 1e300]) expect(await tokens({ chainIds: [none] })).toEqual([]);
      for (const none of [1e300, Infinity]) expect(await tokens({ minScore: none })).toEqual([]);
      for (const none of [1e300, Infinity]) expect(await tokens({ minFeedback: none })).toEqual([]);
      expect(await tokens({ limit: 0 })).toEqual([]);
    });

    it('goes on where a page ended although its last agent is gone or came to stand elsewhere', async () => {
      const [, second] = await list({ sort: 'score', limit: 2 });
      if (!second) throw new Error('no second agent');
      await current().record([rated(second.agentId, 100, 5)]);
      const query = { sort: 'score', after: agentCursorOf(second, 'score') } as const;
      expect(await tokens(query)).toEqual([11, 0, 4, 7, 10, 6, 2, 8, 1, 5, 9]);
      const { agentId, name, owner } = second;
      const revertedEventId = '01a1fe01-6240-73e6-8f05-0efe9e01e202';
      await current().record([about(agentId, 'agent_registration_reverted', { name, owner, revertedEventId })]);
      expect(await tokens(query)).toEqual([11, 0, 4, 7, 10, 6, 2, 1, 5, 9]);
    });

    it.each([
      ['registered', 'x'],
      ['registered', 1.5],
      ['updated', null],
      ['score', 'x'],
      ['score', NaN],
      ['name', 5],
      ['name', null],
    ] as const)('refuses a cursor that is none of the list by %s: %j', async (sort, key) => {
      await expect(list({ sort, after: { key, position: 1 } })).rejects.toMatchObject({ code: 'invalid_cursor' });
      await expect(list({ sort, after: { key: 1, position: 0.5 } })).rejects.toMatchObject({ code: 'invalid_cursor' });
    });
  });

  it('sorts long names, and never gives more than a page (G9)', async () => {
    const names = range(1, MAX_LISTED_AGENTS + 20).map((n) => `${'\u{1f41a}'.repeat(490)}${1000 - n}`);
    await current().record(names.map((name, n) => registered(`1:${n}`, { name })));
    const page = await tokens({ sort: 'name', limit: 1_000_000 });
    expect(page).toEqual(range(20, MAX_LISTED_AGENTS + 19).reverse());
    expect((await paged({ sort: 'name', limit: 150 })).map(({ tokenId }) => Number(tokenId))).toEqual(
      range(0, MAX_LISTED_AGENTS + 19).reverse(),
    );
  });
}
