import { blockOf, eventOf, grantOf, haltOf, LEASE_MS, LOST, type OpenStore } from './samples';
import type { ChainGrant, ChainStore } from '../chain-store';

/** Asks until the lease of another one has run out. */
async function acquireLapsed(store: ChainStore, chainId: number, holder: string): Promise<ChainGrant> {
  for (const end = performance.now() + 60_000; ;) {
    const grant = await store.acquire(chainId, holder, LEASE_MS);
    if (grant !== undefined) return grant;
    if (performance.now() > end) throw new Error('the lease never lapsed');
  }
}

/** Who may change what is known of a chain. */
export function describeChainGrants(open: OpenStore): void {
  it('grants a chain to one holder at a time, over all replicas', async () => {
    const [one, other] = [await open(), await open()];
    expect(await one.acquire(1, 'one', LEASE_MS)).toMatchObject({ chainId: 1, holder: 'one' });
    expect(await other.acquire(1, 'other', LEASE_MS)).toBeUndefined();
    expect(await other.acquire(2, 'other', LEASE_MS)).toMatchObject({ chainId: 2, holder: 'other' });
  });

  it('gives one of many who ask at once the grant', async () => {
    const replicas = [await open(), await open()];
    const holders = Array.from({ length: 12 }, (_, n) => `holder ${n}`);
    const grants = await Promise.all(
      holders.map((holder, n) => (replicas[n % 2] as ChainStore).acquire(1, holder, LEASE_MS)),
    );
    expect(grants.filter((grant) => grant !== undefined)).toHaveLength(1);
  });

  it('renews the grant of its holder under the same token', async () => {
    const store = await open();
    const first = await grantOf(store);
    expect(await store.acquire(1, 'one', LEASE_MS)).toEqual(first);
    expect(await store.commit(first, { cursor: blockOf(1) })).toBeUndefined();
  });

  it('is free when it was released, and the token rises', async () => {
    const [one, other] = [await open(), await open()];
    const first = await grantOf(one);
    await one.release(first);
    const second = await grantOf(other, 1, 'other');
    expect(second.fencingToken).toBeGreaterThan(first.fencingToken);
    await one.release(first);
    expect(await one.acquire(1, 'one', LEASE_MS)).toBeUndefined();
  });

  it('is free when its lease ran out, and the former holder changes nothing any more', async () => {
    const [one, other] = [await open(), await open()];
    const first = await one.acquire(1, 'one', 1);
    if (first === undefined) throw new Error('no grant');
    const second = await acquireLapsed(other, 1, 'other');
    expect(second.fencingToken).toBeGreaterThan(first.fencingToken);
    await other.commit(second, { cursor: blockOf(5), outbox: [eventOf(1)] });
    const changes = [{ key: 'agent/0', value: { owner: 'zombie' } }];
    await expect(one.commit(first, { cursor: blockOf(9), changes, outbox: [eventOf(2)] })).rejects.toEqual(LOST);
    await expect(one.load(first)).rejects.toEqual(LOST);
    await expect(one.outbox(first, 10)).rejects.toEqual(LOST);
    await expect(one.settle(first, 1)).rejects.toEqual(LOST);
    expect(await other.load(second)).toMatchObject({ cursor: { number: 5 } });
    expect((await other.read(1, ['agent/0'])).size).toBe(0);
    expect(await other.outbox(second, 10)).toHaveLength(1);
  });

  it('refuses a released grant', async () => {
    const store = await open();
    const grant = await grantOf(store);
    await store.release(grant);
    await expect(store.commit(grant, { cursor: blockOf(1) })).rejects.toEqual(LOST);
  });

  it('tells how each chain is coming on, as its present holder reported', async () => {
    const [one, other] = [await open(), await open()];
    expect(await one.statuses()).toEqual([]);
    const first = await grantOf(one, 7);
    await one.commit(first, { cursor: { number: 3, hash: blockOf(3).hash } });
    await one.report(first, { phase: 'live', head: 4 });
    const second = await grantOf(other, 3, 'other');
    expect(await one.statuses()).toEqual([
      expect.objectContaining({ chainId: 3, holder: 'other', cursor: undefined, halted: undefined }),
      {
        chainId: 7,
        cursor: { number: 3, hash: blockOf(3).hash },
        holder: 'one',
        halted: undefined,
        acceptsDeepReorg: false,
        report: { phase: 'live', head: 4 },
        reportedAt: expect.any(Number),
      },
    ]);
    await one.release(first);
    const third = await grantOf(other, 7, 'other');
    await other.report(third, { phase: 'backfill' });
    await one.report(first, { phase: 'of a zombie' });
    expect((await other.statuses())[1]).toMatchObject({ holder: 'other', report: { phase: 'backfill' } });
    expect(second.chainId).toBe(3);
  });

  it('remembers a halt, and an operator’s agreement until the halt is lifted', async () => {
    const store = await open();
    const grant = await grantOf(store);
    expect(await store.acceptDeepReorg(1)).toBe(false);
    expect(await store.acceptDeepReorg(99)).toBe(false);
    await store.commit(grant, { cursor: { number: 8, hash: blockOf(8).hash } });
    await store.commit(grant, { halted: haltOf(8) });
    expect(await store.load(grant)).toMatchObject({
      halted: haltOf(8),
      acceptsDeepReorg: false,
      cursor: { number: 8 },
    });
    expect(await (await open()).acceptDeepReorg(1)).toBe(true);
    expect(await store.acceptDeepReorg(1)).toBe(true);
    expect(await store.load(grant)).toMatchObject({ halted: haltOf(8), acceptsDeepReorg: true });
    expect(await store.statuses()).toMatchObject([{ halted: haltOf(8), acceptsDeepReorg: true }]);
    await store.commit(grant, { cursor: { number: 9, hash: blockOf(9).hash } });
    expect(await store.load(grant)).toMatchObject({ halted: haltOf(8), acceptsDeepReorg: true });
    await store.commit(grant, { halted: null });
    expect(await store.load(grant)).toMatchObject({ halted: undefined, acceptsDeepReorg: false });
    await store.commit(grant, { halted: haltOf(9) });
    expect(await store.load(grant)).toMatchObject({ halted: haltOf(9), acceptsDeepReorg: false });
  });
}
