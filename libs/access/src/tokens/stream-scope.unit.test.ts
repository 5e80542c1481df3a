import fc from 'fast-check';
import { MAX_SCOPE_VALUES, narrowToScope, streamScopeSchema, type StreamScope } from './stream-scope';

const SCOPE: StreamScope = { families: ['registry', 'workspace'], types: ['a', 'b'], chainIds: [1, 8453] };

describe('narrowToScope', () => {
  it('gives the scope to who wants nothing in particular', () => {
    expect(narrowToScope(SCOPE, {}, 'query')).toEqual(SCOPE);
    expect(narrowToScope({}, {}, 'query')).toEqual({});
  });

  it('gives what is wanted, where it is within the scope', () => {
    const wanted: StreamScope = { families: ['registry'], types: ['b'], chainIds: [8453], entityIds: ['8453:1'] };
    expect(narrowToScope(SCOPE, wanted, 'query')).toEqual(wanted);
    expect(narrowToScope({}, wanted, 'query')).toEqual(wanted);
    expect(narrowToScope(SCOPE, { types: ['a'] }, 'query')).toEqual({ ...SCOPE, types: ['a'] });
    expect(narrowToScope(SCOPE, { types: [] }, 'query')).toEqual({ ...SCOPE, types: [] });
  });

  const PREFIX: StreamScope = { types: ['execution.*', 'a.b.*', 'exact', '.*'] };

  it.each([
    'execution.completed',
    'execution.',
    'execution.a.b',
    'execution.*',
    'execution.step.*',
    'a.b.c',
    'a.b.c.*',
    'exact',
    '.*',
    '.hidden',
  ])('gives %j, which a prefix of the scope covers', (type) => {
    expect(narrowToScope(PREFIX, { types: [type] }, 'query')).toEqual({ types: [type] });
  });

  it.each(['execution', 'executions', 'execution*', 'Execution.x', 'a.*', 'a.b', 'a.bc', '*', 'exact.*', 'exact.x'])(
    'refuses %j, which no prefix of the scope covers',
    (type) => {
      expect(() => narrowToScope(PREFIX, { types: ['exact', type] }, 'query')).toThrow(
        expect.objectContaining({ code: 'forbidden', where: 'query.types' }),
      );
    },
  );

  it('takes prefixes as prefixes in types alone', () => {
    const scope: StreamScope = { entityIds: ['task.*'] };
    expect(() => narrowToScope(scope, { entityIds: ['task.1'] }, 'query')).toThrow('beyond the scope');
  });

  it('gives no type that the scope itself would not show', () => {
    const type = fc.stringMatching(/^[ab.*]{0,5}$/);
    fc.assert(
      fc.property(fc.array(type, { minLength: 1 }), type, type, (types, wanted, of) => {
        const shows = (filter: readonly string[]) =>
          filter.some((each) => (each.endsWith('.*') ? of.startsWith(each.slice(0, -1)) : of === each));
        try {
          narrowToScope({ types }, { types: [wanted] }, 'query');
        } catch {
          return;
        }
        if (shows([wanted])) expect(shows(types)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['families', { families: ['registry', 'sandbox'] }],
    ['types', { types: ['a', 'c'] }],
    ['types', { types: ['A'] }],
    ['chainIds', { chainIds: [11155111] }],
  ] satisfies [string, StreamScope][])('refuses %s beyond the scope: %j', (field, wanted) => {
    expect(() => narrowToScope(SCOPE, wanted, 'filter')).toThrow(
      expect.objectContaining({ code: 'forbidden', where: `filter.${field}` }),
    );
  });

  it('refuses entities beyond the scope, those of the object among them', () => {
    for (const entityId of ['task/2', '__proto__', 'constructor', 'task/1 ']) {
      expect(() => narrowToScope({ entityIds: ['task/1'] }, { entityIds: [entityId] }, 'query')).toThrow(
        expect.objectContaining({ code: 'forbidden', where: 'query.entityIds' }),
      );
    }
  });
});

describe('streamScopeSchema', () => {
  it.each([
    [{}],
    [{ families: ['registry'], entityIds: ['1:22'], types: ['agent_registered'], chainIds: [1, 11155111] }],
  ])('takes %j', (scope) => {
    expect(streamScopeSchema.parse(scope)).toEqual(scope);
  });

  it.each([
    [{ families: [] }],
    [{ families: ['everything'] }],
    [{ families: 'registry' }],
    [{ entityIds: ['a\nb'] }],
    [{ types: [''] }],
    [{ chainIds: [0] }],
    [{ chainIds: [-1] }],
    [{ chainIds: [1.5] }],
    [{ chainIds: ['1'] }],
    [{ types: Array.from({ length: MAX_SCOPE_VALUES + 1 }, (_, n) => `t${n}`) }],
    [{ workspaceIds: [1] }],
    [null],
    [[]],
  ])('refuses %j', (scope) => {
    expect(streamScopeSchema.safeParse(scope).success).toBe(false);
  });
});
