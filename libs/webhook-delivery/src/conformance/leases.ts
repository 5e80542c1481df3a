import { toEpoch } from '@sluice/event-log';
import type { WebhookLease, WebhookStore } from '../webhook-store';
import {
  claimed,
  endpointOf,
  entryOf,
  heldAt,
  LEASE_MS,
  leaseOf,
  LOST,
  MOST,
  placeOf,
  subjectOf,
  type OpenStore,
} from './samples';

/** Asks until the lease of another one has run out. */
async function claimedLapsed(store: WebhookStore, holder: string): Promise<WebhookLease> {
  for (const end = performance.now() + 60_000; ;) {
    const [lease] = await store.claim({ holder, leaseMs: LEASE_MS, limit: 1 });
    if (lease !== undefined) return lease;
    if (performance.now() > end) throw new Error('the lease never lapsed');
  }
}

/** Who may deliver to an endpoint. */
export function describeLeases(open: OpenStore): void {
  const claim = (store: WebhookStore, holder: string, limit = 100) => store.claim({ holder, leaseMs: LEASE_MS, limit });

  it('grants each endpoint to one holder at a time, over all replicas', async () => {
    const stores = [await open(), await open()];
    for (let n = 0; n < 10; n++) await stores[0]?.create(endpointOf(1), placeOf(n), MOST);
    const grants = await Promise.all(
      Array.from({ length: 8 }, (_, n) => claim(stores[n % 2] as WebhookStore, `holder ${n}`, 3)),
    );
    const ids = grants.flat().map(({ grant }) => grant.endpointId);
    expect(new Set(ids).size).toBe(ids.length);
    const rest = await claim(stores[0] as WebhookStore, 'late');
    expect(ids.length + rest.length).toBe(10);
    expect(await claim(stores[1] as WebhookStore, 'later')).toEqual([]);
  });

  it('gives no grant for a disabled endpoint', async () => {
    const store = await open();
    const endpoint = endpointOf(1, { disabled: { reason: 'gone', at: 1 } });
    await store.create(endpoint, placeOf(0), MOST);
    expect(await claim(store, 'one')).toEqual([]);
    await store.update(1, endpoint.endpointId, { disabled: null, updatedAt: 2 });
    expect(await claim(store, 'one')).toHaveLength(1);
  });

  it('is free when its lease ran out, and the former holder changes nothing any more', async () => {
    const [one, other] = [await open(), await open()];
    const endpoint = endpointOf(1);
    await one.create(endpoint, placeOf(5), MOST);
    const [first] = await one.claim({ holder: 'one', leaseMs: 1, limit: 1 });
    if (first === undefined) throw new Error('no grant');
    const second = await claimedLapsed(other, 'other');
    expect(second.grant.fencingToken).toBeGreaterThan(first.grant.fencingToken);
    await other.record(second.grant, { entry: entryOf(6), progress: { place: placeOf(6) } });
    const zombie = { entry: entryOf(9), progress: { place: placeOf(9) } };
    await expect(one.record(first.grant, zombie)).rejects.toEqual(LOST);
    await expect(one.load(first.grant)).rejects.toEqual(LOST);
    await expect(one.replays(first.grant, 1)).rejects.toEqual(LOST);
    expect(await one.renew({ held: [heldAt(first.grant, 9)], leaseMs: 1 })).toEqual([]);
    await one.release([heldAt(first.grant, 9)]);
    expect((await other.load(second.grant)).progress).toEqual({ place: placeOf(6) });
    expect(await claim(one, 'one')).toEqual([]);
  });

  it('renews grants, keeps how far they are, and tells what changed behind the holder', async () => {
    const [one, other] = [await open(), await open()];
    const leases = [await leaseOf(one, endpointOf(1)), await leaseOf(one, endpointOf(1))];
    const [first, second] = leases.map(({ endpoint }) => endpoint.endpointId) as [string, string];
    await other.update(1, second, { disabled: { reason: 'by_owner', at: 2 }, updatedAt: 2 });
    const held = leases.map(({ grant }) => heldAt(grant, 8));
    const renewed = await one.renew({ held, leaseMs: LEASE_MS });
    expect([...renewed].sort((a, b) => a.version - b.version)).toEqual([
      { endpointId: first, version: 1, isEnabled: true, hasReplays: false },
      { endpointId: second, version: 2, isEnabled: false, hasReplays: false },
    ]);
    expect((await one.find(1, first))?.progress).toEqual({ place: placeOf(8) });
    expect(await one.renew({ held: [], leaseMs: LEASE_MS })).toEqual([]);
  });

  it('never moves back, and not by a place of another numbering', async () => {
    const store = await open();
    const { grant } = await leaseOf(store, endpointOf(1));
    const renew = async (place: ReturnType<typeof placeOf>) => {
      const { progressVersion } = await store.load(grant);
      await store.renew({ held: [{ grant, place, progressVersion }], leaseMs: LEASE_MS });
    };
    await renew(placeOf(3));
    await renew(placeOf(900, toEpoch('0000ffff')));
    expect((await store.load(grant)).progress.place).toEqual(placeOf(5));
    await store.record(grant, { entry: entryOf(1), progress: { place: placeOf(2, toEpoch('0000ffff')) } });
    await renew(placeOf(900));
    expect((await store.load(grant)).progress.place).toEqual(placeOf(2, toEpoch('0000ffff')));
  });

  it('keep with their place what is known of removals there', async () => {
    const store = await open();
    const endpoint = endpointOf(1);
    await store.create(endpoint, { ...placeOf(0), revision: 7 }, MOST);
    const { grant, progressVersion, progress } = await claimed(store, endpoint.endpointId);
    expect(progress.place).toEqual({ ...placeOf(0), revision: 7 });
    const renew = async (place: ReturnType<typeof placeOf>, version: number) => {
      await store.renew({ held: [{ grant, place, progressVersion: version }], leaseMs: LEASE_MS });
      return (await store.load(grant)).progress.place;
    };
    expect(await renew({ ...placeOf(3), revision: 8 }, progressVersion)).toEqual({ ...placeOf(3), revision: 8 });
    // Nobody is here any more.
    expect(await renew({ ...placeOf(2), revision: 9 }, progressVersion)).toEqual({ ...placeOf(3), revision: 8 });
    const head = { subject: subjectOf(6), position: placeOf(6).position, attempts: 1, nextAttemptAt: 7_500 };
    await store.record(grant, { entry: entryOf(6), progress: { place: { ...placeOf(4), revision: 9 }, head } });
    expect((await store.load(grant)).progress.place).toEqual({ ...placeOf(4), revision: 9 });
    const skipped = await store.skip(1, endpoint.endpointId, 1);
    expect(skipped?.progress.place).toEqual({ ...placeOf(6), revision: 9 });
    expect(await renew(placeOf(10), skipped?.progressVersion ?? 0)).toEqual(placeOf(10));
    const moved = await store.update(1, endpoint.endpointId, { place: { ...placeOf(0), revision: 9 }, updatedAt: 2 });
    expect(moved?.progress.place).toEqual({ ...placeOf(0), revision: 9 });
  });

  it('counts endpoints that nobody delivers to', async () => {
    const [one, other] = [await open(), await open()];
    await leaseOf(one, endpointOf(1));
    await one.create(endpointOf(1), placeOf(0), MOST);
    await one.create(endpointOf(1, { disabled: { reason: 'gone', at: 1 } }), placeOf(0), MOST);
    expect(await other.countUnattended(600_000)).toBe(0);
    for (const end = performance.now() + 60_000; (await other.countUnattended(0)) !== 1;)
      if (performance.now() > end) throw new Error('it is never unattended');
  });

  it('gives what was released to the next one at once, from where it was', async () => {
    const [one, other] = [await open(), await open()];
    const { grant, endpoint } = await leaseOf(one, endpointOf(1));
    await one.release([heldAt(grant, 7)]);
    const next = await claimed(other, endpoint.endpointId, 'other');
    expect(next).toMatchObject({ endpoint, progress: { place: placeOf(7) } });
    expect(next.grant.fencingToken).toBeGreaterThan(grant.fencingToken);
  });
}
