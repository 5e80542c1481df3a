import { blockOf, eventOf, grantOf, hashOf, journalOf, type OpenStore } from './samples';

/** What a commit changes, all of it or nothing. */
export function describeChainCommits(open: OpenStore): void {
  it('knows nothing of a chain at first', async () => {
    const store = await open();
    const grant = await grantOf(store);
    expect(await store.load(grant)).toEqual({
      cursor: undefined,
      journaled: [],
      halted: undefined,
      acceptsDeepReorg: false,
    });
    expect(await store.outbox(grant, 10)).toEqual([]);
    expect(await store.journals(1, 0)).toEqual([]);
    expect((await store.read(1, ['agent/0'])).size).toBe(0);
    expect(await store.due({ chainId: 1, kind: 'file', dueBefore: 1e15, limit: 10 })).toEqual([]);
  });

  it('changes everything together, and nothing of what a commit leaves out', async () => {
    const store = await open();
    const grant = await grantOf(store);
    const batchId = await store.commit(grant, {
      cursor: { number: 2, hash: hashOf(2) },
      changes: [{ key: 'agent/0', value: { owner: '0x01' } }],
      journals: [journalOf(1), journalOf(2)],
      outbox: [eventOf(1), eventOf(2)],
    });
    expect(batchId).toEqual(expect.any(Number));
    const state = {
      cursor: { number: 2, hash: hashOf(2) },
      journaled: [blockOf(1), blockOf(2)],
      halted: undefined,
      acceptsDeepReorg: false,
    };
    expect(await store.load(grant)).toEqual(state);
    expect(await store.commit(grant, {})).toBeUndefined();
    expect(await store.commit(grant, { outbox: [] })).toBeUndefined();
    expect(await store.load(grant)).toEqual(state);
    const other = await open();
    expect(await other.read(1, ['agent/0'])).toEqual(
      new Map([['agent/0', { key: 'agent/0', value: { owner: '0x01' } }]]),
    );
    expect(await other.read(2, ['agent/0'])).toEqual(new Map());
  });

  it('keeps journals as they were given, and gives the highest first', async () => {
    const store = await open();
    const grant = await grantOf(store);
    await store.commit(grant, { journals: [journalOf(9), journalOf(10), journalOf(11)] });
    expect(await store.journals(1, 9)).toEqual([journalOf(11), journalOf(10)]);
    expect(await store.journals(1, 11)).toEqual([]);
    expect(await store.journals(2, 0)).toEqual([]);
    const empty = { block: blockOf(12), before: [], emitted: [] };
    await store.commit(grant, { journals: [empty] });
    expect(await store.journals(1, 11)).toEqual([empty]);
  });

  it('forgets journals of undone blocks before it adds those of the blocks in their place', async () => {
    const store = await open();
    const grant = await grantOf(store);
    await store.commit(grant, { journals: [1, 2, 3, 4].map(journalOf), cursor: { number: 4, hash: hashOf(4) } });
    const other = { ...journalOf(3), block: { ...blockOf(3), hash: hashOf(333) } };
    await store.commit(grant, { dropJournalsAbove: 2, journals: [other], cursor: { number: 3, hash: hashOf(333) } });
    expect(await store.journals(1, 0)).toEqual([other, journalOf(2), journalOf(1)]);
    expect((await store.load(grant)).journaled).toEqual([blockOf(1), blockOf(2), other.block]);
  });

  it('forgets the journals of final blocks', async () => {
    const store = await open();
    const grant = await grantOf(store);
    await store.commit(grant, { journals: [1, 2, 3].map(journalOf) });
    await store.commit(grant, { dropJournalsUpTo: 2, journals: [journalOf(4)] });
    expect((await store.load(grant)).journaled.map(({ number }) => number)).toEqual([3, 4]);
  });

  it('puts a journal in the place of an earlier one of the same number', async () => {
    const store = await open();
    const grant = await grantOf(store);
    await store.commit(grant, { journals: [journalOf(1)] });
    const other = { ...journalOf(1), block: { ...blockOf(1), hash: hashOf(77) }, before: [] };
    await store.commit(grant, { journals: [other] });
    expect(await store.journals(1, 0)).toEqual([other]);
  });

  it('holds events until they are settled, batch by batch in the order of the commits', async () => {
    const store = await open();
    const grant = await grantOf(store);
    const ids: number[] = [];
    for (let n = 1; n <= 4; n++) {
      const batchId = await store.commit(grant, { outbox: [eventOf(n), eventOf(n + 100, 'a\u0000\u{1f41a}')] });
      ids.push(batchId ?? Number.NaN);
    }
    expect([...ids].sort((a, b) => a - b)).toEqual(ids);
    expect(new Set(ids).size).toBe(4);
    const batches = await store.outbox(grant, 3);
    expect(batches.map(({ batchId }) => batchId)).toEqual(ids.slice(0, 3));
    expect(batches[1]?.events).toEqual([eventOf(2), eventOf(102, 'a\u0000\u{1f41a}')]);
    await store.settle(grant, ids[1] as number);
    expect((await store.outbox(grant, 10)).map(({ batchId }) => batchId)).toEqual(ids.slice(2));
    await store.settle(grant, ids[3] as number);
    expect(await store.outbox(grant, 10)).toEqual([]);
    const next = await store.commit(grant, { outbox: [eventOf(5)] });
    expect(next).toBeGreaterThan(ids[3] as number);
  });

  it('hands the outbox over to the next holder', async () => {
    const [one, other] = [await open(), await open()];
    const grant = await grantOf(one);
    const batchId = await one.commit(grant, { outbox: [eventOf(1)] });
    await one.release(grant);
    const next = await grantOf(other, 1, 'other');
    expect(await other.outbox(next, 10)).toEqual([{ batchId, events: [eventOf(1)] }]);
    const later = await other.commit(next, { outbox: [eventOf(2)] });
    expect(later).toBeGreaterThan(batchId as number);
  });

  it('keeps chains apart', async () => {
    const store = await open();
    const [one, two] = [await grantOf(store, 1), await grantOf(store, 2)];
    const batchId = await store.commit(one, {
      cursor: { number: 1, hash: hashOf(1) },
      outbox: [eventOf(1)],
      journals: [journalOf(1)],
    });
    await store.commit(two, { dropJournalsAbove: 0, dropJournalsUpTo: 10 });
    await store.settle(two, (batchId as number) + 10);
    expect(await store.load(two)).toMatchObject({ cursor: undefined, journaled: [] });
    expect(await store.outbox(two, 10)).toEqual([]);
    expect(await store.outbox(one, 10)).toHaveLength(1);
    expect(await store.journals(1, 0)).toHaveLength(1);
  });
}
