import { grantOf, type OpenStore } from './samples';
import { MAX_DUE_CHAIN_DOCUMENTS, type ChainDocumentChange, type JsonObject } from '../chain-store';

/** Documents, and when something is to be done about them. */
export function describeChainDocuments(open: OpenStore): void {
  it('keeps any JSON as it is, under any key', async () => {
    const store = await open();
    const grant = await grantOf(store);
    const value: JsonObject = {
      text: 'a\u0000\u001f\u2028 \u{1f41a}"\\',
      number: 2 ** 53 - 1,
      half: 0.5,
      none: null,
      yes: true,
      list: [1, 'two', [], {}],
      nested: { __proto__x: {}, '': '', ключ: 'ß' },
      // A key of anybody's, not the prototype of anything.
      named: Object.fromEntries([['__proto__', 'x']]),
    };
    const keys = [
      `feedback/${'9'.repeat(78)}/0x${'ab'.repeat(20)}/${'9'.repeat(20)}`,
      `agent/${'x'.repeat(500)}`,
      'a/%_\'"\\',
    ];
    await store.commit(grant, { changes: keys.map((key) => ({ key, value })) });
    const found = await store.read(1, [...keys, 'agent/none']);
    expect(found).toEqual(new Map(keys.map((key) => [key, { key, value }])));
    for (const document of found.values()) expect(Object.keys(document.value['named'] ?? {})).toEqual(['__proto__']);
  });

  it('replaces documents whole, and removes them', async () => {
    const store = await open();
    const grant = await grantOf(store);
    const change = (changes: readonly ChainDocumentChange[]) => store.commit(grant, { changes });
    await change([
      { key: 'file/0', value: { a: 1 }, dueAt: 5 },
      { key: 'file/1', value: { a: 1 }, dueAt: 5 },
    ]);
    await change([
      { key: 'file/0', value: { b: 2 } },
      { key: 'file/1', value: null },
      { key: 'file/2', value: null },
    ]);
    expect(await store.read(1, ['file/0', 'file/1', 'file/2'])).toEqual(
      new Map([['file/0', { key: 'file/0', value: { b: 2 } }]]),
    );
    expect(await store.due({ chainId: 1, kind: 'file', dueBefore: 1e15, limit: 10 })).toEqual([]);
    await change([{ key: 'file/1', value: { c: 3 }, dueAt: 0 }]);
    expect(await store.due({ chainId: 1, kind: 'file', dueBefore: 0, limit: 10 })).toEqual([
      { key: 'file/1', value: { c: 3 }, dueAt: 0 },
    ]);
  });

  it('gives what is due of a kind, the earliest first', async () => {
    const store = await open();
    const grant = await grantOf(store);
    const other = await grantOf(store, 2);
    const dueAt = 1_795_000_000_000;
    const value = {};
    await store.commit(grant, {
      changes: [
        { key: 'file/0', value, dueAt: dueAt + 2 },
        { key: 'file/1', value, dueAt: dueAt + 1 },
        { key: 'file/2', value, dueAt: dueAt + 3 },
        { key: 'file/3', value, dueAt: dueAt + 4 },
        { key: 'file/4', value },
        { key: 'files/5', value, dueAt },
        { key: 'reach/6', value, dueAt },
      ],
    });
    await store.commit(other, { changes: [{ key: 'file/7', value, dueAt }] });
    const due = async (dueBefore: number, limit = 10) =>
      (await store.due({ chainId: 1, kind: 'file', dueBefore, limit })).map(({ key }) => key);
    expect(await due(dueAt + 3)).toEqual(['file/1', 'file/0', 'file/2']);
    expect(await due(dueAt + 3, 2)).toEqual(['file/1', 'file/0']);
    expect(await due(dueAt)).toEqual([]);
  });

  it('takes many changes in one commit, and gives a bounded number of due ones', async () => {
    const store = await open();
    const grant = await grantOf(store);
    const keys = Array.from({ length: MAX_DUE_CHAIN_DOCUMENTS + 500 }, (_, n) => `file/${n}`);
    await store.commit(grant, { changes: keys.map((key, n) => ({ key, value: { n }, dueAt: n })) });
    expect((await store.read(1, keys)).size).toBe(keys.length);
    const due = await store.due({ chainId: 1, kind: 'file', dueBefore: 1e15, limit: 1_000_000 });
    expect(due).toHaveLength(MAX_DUE_CHAIN_DOCUMENTS);
    expect(due[0]).toEqual({ key: 'file/0', value: { n: 0 }, dueAt: 0 });
  });

  it('gives no one a document to change', async () => {
    const store = await open();
    const grant = await grantOf(store);
    const value = { list: [1] };
    await store.commit(grant, { changes: [{ key: 'agent/0', value }] });
    value.list.push(2);
    expect((await store.read(1, ['agent/0'])).get('agent/0')?.value).toEqual({ list: [1] });
  });
}
