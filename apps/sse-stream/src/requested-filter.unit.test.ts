import type { ApiKeyPrincipal, Principal, StreamScope } from '@sluice/access';
import { compileFilter, SluiceError, toPosition, type EventFilter } from '@sluice/event-log';
import { EVENT_FAMILIES, recordEnvelope } from '@sluice/event-schema';
import fc from 'fast-check';
import { registryEvent } from '../test/events';
import { toEventFilter, type WantedEvents } from './requested-filter';

const reader: ApiKeyPrincipal = { kind: 'api_key', keyId: 'k', workspaceId: 1, role: 'reader', limits: {} };
const operator: ApiKeyPrincipal = { ...reader, workspaceId: null, role: 'operator' };
const sandbox: Principal = { kind: 'sandbox', sandboxId: 's', workspaceId: 1, expiresAt: Infinity };
const local: Principal = { kind: 'local', workspaceId: 1 };
const stream = (scope: StreamScope): Principal => ({
  kind: 'stream',
  keyId: 'k',
  workspaceId: 1,
  scope,
  expiresAt: Infinity,
  limits: {},
});

describe('toEventFilter', () => {
  it.each<[string, Principal, WantedEvents, object]>([
    ['nothing named: the whole workspace', reader, {}, { workspaceIds: [1] }],
    ['the own workspace by name', reader, { workspaceId: 1 }, { workspaceIds: [1] }],
    ['a family', reader, { families: ['session'] }, { workspaceIds: [1], families: ['session'] }],
    [
      'registry events, which are public',
      reader,
      { families: ['registry'], chainIds: [1, 5] },
      { workspaceIds: [0], families: ['registry'], entityIdPrefixes: ['1:', '5:'] },
    ],
    [
      'registry events beside others',
      reader,
      { families: ['sandbox', 'registry'] },
      { workspaceIds: [1, 0], families: ['sandbox', 'registry'] },
    ],
    [
      'registry events to an operator, who need not say where',
      operator,
      { families: ['registry'] },
      { workspaceIds: [0] },
    ],
    ['another workspace to an operator', operator, { workspaceId: 7 }, { workspaceIds: [7] }],
    ['local callers: their workspace', local, { families: ['workspace'] }, { workspaceIds: [1] }],
    ['local callers: registry events', local, { families: ['registry'] }, { workspaceIds: [0] }],
    ['a sandbox: itself', sandbox, {}, { workspaceIds: [1], families: ['sandbox'], entityIds: ['s'] }],
    [
      'a stream token: its scope',
      stream({ families: ['registry'], types: ['agent_updated'], chainIds: [5] }),
      {},
      { workspaceIds: [0], families: ['registry'], types: ['agent_updated'], entityIdPrefixes: ['5:'] },
    ],
    [
      'a stream token: less than its scope',
      stream({ families: ['registry', 'workspace'], types: ['a', 'b'] }),
      { families: ['workspace'], types: ['b'] },
      { workspaceIds: [1], families: ['workspace'], types: ['b'] },
    ],
    ['a stream token of all: its workspace', stream({}), {}, { workspaceIds: [1] }],
  ])('shows %s', (_name, principal, wanted, filter) => {
    expect(toEventFilter(principal, wanted, 'query')).toMatchObject(filter);
  });

  it.each<[string, Principal, WantedEvents, string]>([
    ['a foreign workspace', reader, { workspaceId: 2 }, 'unauthorized'],
    [
      'a foreign workspace beside registry events',
      reader,
      { workspaceId: 2, families: ['registry', 'sandbox'] },
      'unauthorized',
    ],
    ['the public workspace without the family', reader, { workspaceId: 0 }, 'unauthorized'],
    ['other families of the public workspace', reader, { workspaceId: 0, families: ['sandbox'] }, 'unauthorized'],
    ['no workspace to an operator', operator, {}, 'invalid_request'],
    [
      'no workspace to an operator, beside registry events',
      operator,
      { families: ['registry', 'sandbox'] },
      'invalid_request',
    ],
    ['registry events to a sandbox', sandbox, { families: ['registry'] }, 'unauthorized'],
    ['another sandbox', sandbox, { entityIds: ['s', 't'] }, 'unauthorized'],
    ['an empty list of sandboxes', sandbox, { entityIds: [] }, 'forbidden'],
    ['a foreign workspace with an empty list of entities', reader, { workspaceId: 2, entityIds: [] }, 'unauthorized'],
    ['a family beyond the scope', stream({ families: ['registry'] }), { families: ['workspace'] }, 'forbidden'],
    ['a type beyond the scope', stream({ types: ['a'] }), { types: ['a', 'b'] }, 'forbidden'],
    ['an entity beyond the scope', stream({ entityIds: ['a'] }), { entityIds: ['b'] }, 'forbidden'],
    ['a chain beyond the scope', stream({ chainIds: [1] }), { chainIds: [11] }, 'forbidden'],
    ['a foreign workspace by a stream token', stream({}), { workspaceId: 2 }, 'unauthorized'],
    [
      'a foreign workspace and registry events by a stream token',
      stream({}),
      { workspaceId: 2, families: ['sandbox'] },
      'unauthorized',
    ],
  ])('refuses %s (G8)', (_name, principal, wanted, code) => {
    expect(() => toEventFilter(principal, wanted, 'query')).toThrow(expect.objectContaining({ code }));
  });

  it('shows of the public workspace nothing but registry events, whatever is asked (G8)', () => {
    const asked = fc.option(fc.subarray([...EVENT_FAMILIES]), { nil: undefined });
    const asking = fc.constantFrom(reader, local, sandbox, stream({}), stream({ families: ['registry', 'workspace'] }));
    const recording = { position: toPosition(1), entitySequence: 1, recordedAt: 1 };
    const { event } = recordEnvelope(registryEvent(), recording);
    fc.assert(
      fc.property(asking, asked, fc.constantFrom(undefined, 0, 1), (principal, families, workspaceId) => {
        let filter: EventFilter;
        try {
          filter = toEventFilter(principal, { families, workspaceId }, 'query');
        } catch (error) {
          expect(error).toBeInstanceOf(SluiceError);
          return;
        }
        const shown = EVENT_FAMILIES.filter((family) => compileFilter(filter)({ ...event, family }));
        expect(['registry', undefined]).toContain(shown[0]);
        expect(shown.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('never shows more than one workspace and the public one, whatever is asked', () => {
    const families = [undefined, ['registry'], ['sandbox'], ['registry', 'session', 'workspace']] as const;
    for (const principal of [reader, local, stream({})]) {
      for (const each of families) {
        for (const workspaceId of [undefined, 0, 1, 2]) {
          try {
            const filter = toEventFilter(principal, { families: each, workspaceId }, 'query');
            expect(filter.workspaceIds).not.toContain(2);
            expect(filter.workspaceIds.includes(0)).toBe(each?.includes('registry' as never) ?? false);
          } catch (error) {
            expect(error).toMatchObject({ code: 'unauthorized' });
          }
        }
      }
    }
  });
});
