import { PUBLIC_WORKSPACE_ID, type EncodedEnvelope } from '@sluice/event-schema';
import type { EventFilter } from '../filter';
import type { ReadModel } from '../ports/read-model';
import { sandboxEnvelope } from './tools';

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

const record = (model: ReadModel, envelopes: readonly EncodedEnvelope[]) =>
  model.record({ envelopes, parked: [], checkpoints: new Map() });

/** What a ReadModel gives by a filter. */
export function describeFilters(current: () => ReadModel): void {
  it('filters by workspace, family, entity and types', async () => {
    const types = ['execution.started', 'execution.completed', 'executions', 'file.read'];
    await record(
      current(),
      types.map((type) => sandboxEnvelope({ type })),
    );
    await record(
      current(),
      types.map((type) => sandboxEnvelope({ type, workspaceId: 2 })),
    );
    await record(
      current(),
      types.map((type) => sandboxEnvelope({ type, family: 'session', entityId: 's_%\\1' })),
    );
    const positions = async (filter: Parameters<ReadModel['read']>[0]['filter']) =>
      (await current().read({ filter, limit: 100 })).events.map(({ event }) => event.position);
    expect(await positions({ workspaceIds: [2] })).toEqual([5, 6, 7, 8]);
    expect(await positions({ workspaceIds: [1, 2] })).toEqual(range(1, 12));
    expect(await positions({ workspaceIds: [] })).toEqual([]);
    expect(await positions({ workspaceIds: [1], families: ['session'] })).toEqual([9, 10, 11, 12]);
    expect(await positions({ workspaceIds: [1], types: ['execution.*', 'file.read'] })).toEqual([1, 2, 4, 9, 10, 12]);
    expect(
      await positions({ workspaceIds: [1, 2], families: ['session'], entityIds: ['s_%\\1'], types: ['executions'] }),
    ).toEqual([11]);
    expect(await positions({ workspaceIds: [1], types: ['%.*'] })).toEqual([]);
  });

  it('shows of the public workspace, beside others, nothing but registry events (G8)', async () => {
    const places = [PUBLIC_WORKSPACE_ID, 1].flatMap((workspaceId) =>
      (['sandbox', 'registry', 'workspace'] as const).map((family) => ({ workspaceId, family })),
    );
    await record(
      current(),
      places.map((place) => sandboxEnvelope(place)),
    );
    const positions = async (filter: EventFilter) =>
      (await current().read({ filter, limit: 100 })).events.map(({ event }) => event.position);
    const both = [1, PUBLIC_WORKSPACE_ID];
    expect(await positions({ workspaceIds: both, families: ['registry', 'workspace'] })).toEqual([2, 5, 6]);
    expect(await positions({ workspaceIds: both })).toEqual([2, 4, 5, 6]);
    expect(await positions({ workspaceIds: both, families: ['workspace'] })).toEqual([6]);
    expect(await positions({ workspaceIds: [PUBLIC_WORKSPACE_ID] })).toEqual([1, 2, 3]);
  });

  it('filters by how an entity id begins', async () => {
    const agents = ['1:7', '11:7', '1:77', '1', '11155111:1', '1%7', '1_7', '🐚🐚'];
    await record(
      current(),
      agents.map((entityId) => sandboxEnvelope({ entityId })),
    );
    await record(current(), [sandboxEnvelope({ entityId: '1:7', workspaceId: 2 })]);
    const positions = async (entityIdPrefixes: readonly string[], others: Partial<EventFilter> = {}) => {
      const filter = { workspaceIds: [1], entityIdPrefixes, ...others };
      return (await current().read({ filter, limit: 100 })).events.map(({ event }) => event.position as number);
    };
    expect(await positions(['1:'])).toEqual([1, 3]);
    expect(await positions(['1:', '11155111:'])).toEqual([1, 3, 5]);
    expect(await positions(['11155111:', 'x', '1:7', '11:'])).toEqual([1, 2, 3, 5]);
    expect(await positions([''])).toEqual(range(1, 8));
    expect(await positions(['1%'])).toEqual([6]);
    expect(await positions(['1_'])).toEqual([7]);
    expect(await positions(['🐚'])).toEqual([8]);
    expect(await positions(['2:'])).toEqual([]);
    expect(await positions(['1:'], { entityIds: ['1:7', '11:7'] })).toEqual([1]);
    expect(await positions(['1:'], { families: ['session'] })).toEqual([]);
    expect(await positions(['1:'], { workspaceIds: [2] })).toEqual([9]);
    expect(await positions(['1:'], { workspaceIds: [1, 2], types: ['execution.*'] })).toEqual([1, 3, 9]);
    const many = Array.from({ length: 1_000 }, (_, chain) => `${chain + 2}:`);
    expect(await positions(many)).toEqual([2]);
  });

  it('finds nothing by a filter that has an empty list', async () => {
    await record(current(), [sandboxEnvelope()]);
    for (const field of ['workspaceIds', 'families', 'entityIds', 'entityIdPrefixes', 'types']) {
      const page = await current().read({ filter: { workspaceIds: [1], [field]: [] }, limit: 10 });
      expect([field, page]).toEqual([field, { events: [], complete: true, floor: 0, lost: 0, revision: 0 }]);
    }
  });
}
