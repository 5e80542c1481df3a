import type { EndpointState } from '../webhook-endpoint';
import { endpointOf, entryOf, leaseOf, MOST, placeOf, subjectOf, type OpenStore } from './samples';

/** What owners say of their endpoints. */
export function describeEndpoints(open: OpenStore): void {
  it('gives an endpoint back as it was made, to its own workspace alone (G8)', async () => {
    const [one, other] = [await open(), await open()];
    const endpoint = endpointOf(1);
    await one.create(endpoint, placeOf(7), MOST);
    expect(await other.find(1, endpoint.endpointId)).toEqual({
      endpoint,
      progress: { place: placeOf(7) },
      progressVersion: 1,
    });
    expect(await one.find(2, endpoint.endpointId)).toBeUndefined();
    expect(await one.update(2, endpoint.endpointId, { url: 'https://evil', updatedAt: 2 })).toBeUndefined();
    expect(await one.remove(2, endpoint.endpointId)).toBe(false);
    expect(await one.deliveries({ workspaceId: 2, endpointId: endpoint.endpointId, limit: 9 })).toBeUndefined();
    expect(await one.deadLetters({ workspaceId: 2, endpointId: endpoint.endpointId, limit: 9 })).toBeUndefined();
    const replay = { endpointId: endpoint.endpointId, deadLetterIds: 'all', replayAt: 1 } as const;
    expect(await one.replay({ workspaceId: 2, ...replay })).toBeUndefined();
    expect(await one.log(2, endpoint.endpointId, entryOf(1))).toBe(false);
    expect(await one.find(1, 'no \u0000 such')).toBeUndefined();
  });

  it('lists endpoints of a workspace by age, page by page', async () => {
    const store = await open();
    const endpoints = [1, 2, 3].map(() => endpointOf(1));
    for (const endpoint of [...endpoints, endpointOf(2)]) await store.create(endpoint, placeOf(0), MOST);
    const idsOf = async (after?: string) =>
      (await store.list({ workspaceId: 1, after, limit: 2 })).map(({ endpoint }) => endpoint.endpointId);
    const ids = endpoints.map(({ endpointId }) => endpointId);
    expect(await idsOf()).toEqual(ids.slice(0, 2));
    expect(await idsOf(ids[1])).toEqual(ids.slice(2));
    expect(await idsOf(ids[2])).toEqual([]);
  });

  it('makes no more than a workspace may have, however many ask at once (G9)', async () => {
    const [one, other] = [await open(), await open()];
    const made = await Promise.allSettled(
      Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? one : other).create(endpointOf(1), placeOf(0), 3)),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(made.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'conflict' } });
    await one.create(endpointOf(2), placeOf(0), 3);
  });

  it('changes what is named and nothing else', async () => {
    const store = await open();
    const endpoint = endpointOf(1);
    await store.create(endpoint, placeOf(7), MOST);
    const secrets = { current: 'whsec_dHdv', previous: { secret: 'whsec_b25l', until: 9 } };
    const changed = { ...endpoint, url: 'https://other.example', secrets, updatedAt: 2, version: 2 };
    const change = { url: 'https://other.example', secrets, updatedAt: 2 };
    expect(await store.update(1, endpoint.endpointId, change)).toMatchObject({ endpoint: changed });
    expect(await store.find(1, endpoint.endpointId)).toEqual({
      endpoint: changed,
      progress: { place: placeOf(7) },
      progressVersion: 1,
    });
  });

  it('loses none of several changes at once', async () => {
    const [one, other] = [await open(), await open()];
    const endpoint = endpointOf(1);
    await one.create(endpoint, placeOf(7), MOST);
    await Promise.all([
      one.update(1, endpoint.endpointId, { url: 'https://other.example', updatedAt: 2 }),
      other.update(1, endpoint.endpointId, { description: 'other', updatedAt: 2 }),
      one.update(1, endpoint.endpointId, { disabled: { reason: 'by_owner', at: 2 }, updatedAt: 2 }),
    ]);
    expect((await other.find(1, endpoint.endpointId))?.endpoint).toMatchObject({
      url: 'https://other.example',
      description: 'other',
      disabled: { reason: 'by_owner', at: 2 },
      version: 4,
    });
  });

  it('decides by what is there when the change is kept', async () => {
    const [one, other] = [await open(), await open()];
    const endpoint = endpointOf(1);
    await one.create(endpoint, placeOf(7), MOST);
    const append = (text: string) => (state: EndpointState) => ({
      description: `${state.endpoint.description}${text}`,
    });
    await Promise.all(
      ['a', 'b', 'c'].map((text, n) => (n === 1 ? other : one).update(1, endpoint.endpointId, append(text))),
    );
    const found = await one.find(1, endpoint.endpointId);
    expect([...(found?.endpoint.description ?? '')].slice(-3).sort()).toEqual(['a', 'b', 'c']);
    const refusal = () => {
      throw new Error('no');
    };
    await expect(one.update(1, endpoint.endpointId, refusal)).rejects.toThrow('no');
    expect(await one.find(1, endpoint.endpointId)).toEqual(found);
  });

  it('does not wait with what its owner changed, and keeps what its holder found meanwhile', async () => {
    const store = await open();
    const { endpoint, grant } = await leaseOf(store, endpointOf(1));
    const head = { subject: subjectOf(6), position: placeOf(6).position, attempts: 2, nextAttemptAt: 99 };
    await store.record(grant, { entry: entryOf(6), progress: { place: placeOf(5), head, failingSince: 3 } });
    const change = (more: object) => store.update(1, endpoint.endpointId, more);
    expect((await change({ dueAt: 9 }))?.progress.head?.nextAttemptAt).toBe(9);
    expect((await store.load(grant)).progress).toEqual({
      place: placeOf(5),
      head: { ...head, nextAttemptAt: 9 },
      failingSince: 3,
    });
    await change({ filter: { families: ['sandbox'] }, updatedAt: 4 });
    expect((await store.load(grant)).progress).toEqual({ place: placeOf(5), failingSince: 3 });
    await change({ reachedAt: 5 });
    expect((await store.load(grant)).progress).toEqual({ place: placeOf(5) });
  });

  it('lets an event have all its attempts again where an endpoint is enabled again', async () => {
    const store = await open();
    const { endpoint, grant } = await leaseOf(store, endpointOf(1));
    const head = { subject: subjectOf(6), position: placeOf(6).position, attempts: 2, nextAttemptAt: 99 };
    const progress = { place: placeOf(5), head, failingSince: 3 };
    await store.record(grant, { entry: entryOf(6), progress });
    expect((await store.update(1, endpoint.endpointId, { description: '', updatedAt: 4 }))?.progress).toEqual(progress);
    await store.update(1, endpoint.endpointId, { disabled: { reason: 'by_owner', at: 4 }, updatedAt: 4 });
    expect((await store.find(1, endpoint.endpointId))?.progress).toEqual(progress);
    await store.update(1, endpoint.endpointId, { disabled: null, updatedAt: 5 });
    const enabled = await store.find(1, endpoint.endpointId);
    expect(enabled?.progress).toEqual({ place: placeOf(5) });
    expect(enabled?.endpoint.disabled).toBeUndefined();
  });

  it('removes an endpoint with all that was about it', async () => {
    const store = await open();
    const { endpoint, grant } = await leaseOf(store, endpointOf(1));
    await store.record(grant, { entry: entryOf(6) });
    expect(await store.remove(1, endpoint.endpointId)).toBe(true);
    expect(await store.remove(1, endpoint.endpointId)).toBe(false);
    expect(await store.find(1, endpoint.endpointId)).toBeUndefined();
    expect(await store.deliveries({ workspaceId: 1, endpointId: endpoint.endpointId, limit: 9 })).toBeUndefined();
    await expect(store.record(grant, { entry: entryOf(7) })).rejects.toMatchObject({ code: 'conflict' });
  });
}
