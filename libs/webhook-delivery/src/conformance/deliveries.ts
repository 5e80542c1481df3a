import type { NewDeadLetter } from '../delivery-log';
import type { WebhookRetention, WebhookStore } from '../webhook-store';
import { claimed, endpointOf, entryOf, heldAt, leaseOf, letterOf, placeOf, subjectOf, type OpenStore } from './samples';

/** As it is asked to be sent again. */
function letter(position: number): NewDeadLetter {
  return { eventId: `event ${position}`, eventType: 'agent.message', position, attempts: 0 };
}

/** What was sent, and what was given up. */
export function describeDeliveries(open: OpenStore & ((retention?: WebhookRetention) => Promise<WebhookStore>)): void {
  it('keeps what came of an attempt, all of it', async () => {
    const [one, other] = [await open(), await open()];
    const { grant, endpoint } = await leaseOf(one, endpointOf(1));
    const head = { subject: subjectOf(6), position: placeOf(6).position, attempts: 1, nextAttemptAt: 7_500 };
    const failed = entryOf(6, { outcome: 'failed', status: 500, nextAttemptAt: 7_500 });
    await one.record(grant, { entry: failed, progress: { place: placeOf(5), head, failingSince: 6_000 } });
    expect((await other.find(1, endpoint.endpointId))?.progress).toEqual({
      place: placeOf(5),
      head,
      failingSince: 6_000,
    });
    await one.record(grant, { entry: entryOf(6), progress: { place: placeOf(6) } });
    expect((await one.load(grant)).progress).toEqual({ place: placeOf(6) });
    const disabled = { reason: 'gone', at: 8 } as const;
    await one.record(grant, { entry: entryOf(7, { outcome: 'disabled' }), disabled });
    expect((await other.find(1, endpoint.endpointId))?.endpoint).toEqual({ ...endpoint, disabled });
    const query = { workspaceId: 1, endpointId: endpoint.endpointId };
    expect(await other.deliveries({ ...query, limit: 9 })).toEqual([
      { ...entryOf(7, { outcome: 'disabled' }), deliveryId: 3 },
      { ...entryOf(6), deliveryId: 2 },
      { ...failed, deliveryId: 1 },
    ]);
    expect(await other.deliveries({ ...query, before: 3, limit: 1 })).toMatchObject([{ deliveryId: 2 }]);
    expect(await other.deliveries({ ...query, before: 1, limit: 1 })).toEqual([]);
  });

  it('logs a test without a grant, in the same order', async () => {
    const store = await open();
    const { grant, endpoint } = await leaseOf(store, endpointOf(1));
    await store.record(grant, { entry: entryOf(1) });
    expect(await store.log(1, endpoint.endpointId, entryOf(2, { kind: 'ping' }))).toBe(true);
    await store.record(grant, { entry: entryOf(3) });
    const kept = await store.deliveries({ workspaceId: 1, endpointId: endpoint.endpointId, limit: 9 });
    expect(kept?.map(({ deliveryId, kind }) => [deliveryId, kind])).toEqual([
      [3, 'event'],
      [2, 'ping'],
      [1, 'event'],
    ]);
  });

  it('keeps dead letters until they are delivered, and sends again what is asked for', async () => {
    const [one, other] = [await open(), await open()];
    const { grant, endpoint } = await leaseOf(one, endpointOf(1));
    for (const position of [6, 7, 8])
      await one.record(grant, { entry: entryOf(position, { outcome: 'dead' }), deadLetter: letterOf(position) });
    const query = { workspaceId: 1, endpointId: endpoint.endpointId };
    const letters = await other.deadLetters({ ...query, limit: 9 });
    expect(letters).toEqual([8, 7, 6].map((n) => ({ ...letterOf(n), deadLetterId: n - 5, deadAt: n * 1_000 })));
    expect(await other.deadLetters({ ...query, before: 2, limit: 9 })).toMatchObject([{ deadLetterId: 1 }]);

    expect(await one.replays(grant, 9)).toEqual([]);
    expect(await other.replay({ ...query, deadLetterIds: [3, 99], replayAt: 50 })).toBe(1);
    expect(await other.replay({ ...query, deadLetterIds: [], replayAt: 50 })).toBe(0);
    expect(await other.replay({ ...query, deadLetterIds: 'all', replayAt: 60 })).toBe(2);
    expect(await other.replay({ ...query, deadLetterIds: 'all', replayAt: 70 })).toBe(0);
    expect((await one.replays(grant, 9)).map(({ deadLetterId, replayAt }) => [deadLetterId, replayAt])).toEqual([
      [3, 50],
      [1, 60],
      [2, 60],
    ]);
    const [renewed] = await one.renew({ held: [heldAt(grant, 5)], leaseMs: 600_000 });
    expect(renewed?.hasReplays).toBe(true);

    const entry = entryOf(8, { kind: 'replay' });
    await one.record(grant, { entry, replayed: { deadLetterId: 3, isDelivered: true } });
    await one.record(grant, { entry, replayed: { deadLetterId: 1, isDelivered: false } });
    expect((await one.replays(grant, 9)).map(({ deadLetterId }) => deadLetterId)).toEqual([2]);
    const left = await one.deadLetters({ ...query, limit: 9 });
    expect(left?.map(({ deadLetterId, replayAt }) => [deadLetterId, replayAt])).toEqual([
      [2, 60],
      [1, undefined],
    ]);
    await one.release([heldAt(grant, 5)]);
    expect((await claimed(other, endpoint.endpointId)).hasReplays).toBe(true);
  });

  it('keeps an attempt once, and nothing that follows from another progress', async () => {
    const [one, other] = [await open(), await open()];
    const { grant, endpoint, progressVersion } = await leaseOf(one, endpointOf(1));
    const attempt = { entry: entryOf(6), progress: { place: placeOf(6) }, progressVersion };
    expect(await one.record(grant, attempt)).toBe(true);
    // As after an answer of the store that was lost on the way.
    expect(await one.record(grant, attempt)).toBe(false);
    const after = await one.load(grant);
    expect(after).toMatchObject({ progress: { place: placeOf(6) }, progressVersion: progressVersion + 1 });
    await other.update(1, endpoint.endpointId, { place: placeOf(2), updatedAt: 2 });
    const late = { entry: entryOf(7), progress: { place: placeOf(7) }, deadLetter: letterOf(7) };
    expect(await one.record(grant, { ...late, progressVersion: after.progressVersion })).toBe(false);
    expect(await one.renew({ held: [heldAt(grant, 9, after.progressVersion)], leaseMs: 600_000 })).toHaveLength(1);
    expect((await one.load(grant)).progress).toEqual({ place: placeOf(2) });
    const query = { workspaceId: 1, endpointId: endpoint.endpointId, limit: 9 };
    expect(await one.deliveries(query)).toHaveLength(1);
    expect(await one.deadLetters(query)).toEqual([]);
  });

  it('makes a dead letter of what an owner does not wait for', async () => {
    const [one, other] = [await open(), await open()];
    const { grant, endpoint } = await leaseOf(one, endpointOf(1));
    const { endpointId } = endpoint;
    await expect(other.skip(1, endpointId, 9)).rejects.toMatchObject({ code: 'conflict' });
    expect(await other.skip(2, endpointId, 9)).toBeUndefined();
    const head = { subject: subjectOf(6), position: placeOf(6).position, attempts: 2, nextAttemptAt: 99 };
    const progress = { place: placeOf(5), head, failingSince: 3, failedAt: 4 };
    await one.record(grant, { entry: entryOf(6, { outcome: 'failed' }), progress });
    const skipped = await other.skip(1, endpointId, 9_000);
    expect(skipped?.progress).toEqual({ place: placeOf(6), failingSince: 3, failedAt: 4 });
    expect(await one.load(grant)).toEqual(skipped);
    expect(skipped?.endpoint.version).toBe(endpoint.version + 1);
    const query = { workspaceId: 1, endpointId, limit: 9 };
    expect(await one.deadLetters(query)).toEqual([{ ...letter(6), attempts: 2, deadLetterId: 2, deadAt: 9_000 }]);
    expect(await one.deliveries(query)).toMatchObject([{ outcome: 'dead', error: 'skipped', eventId: 'event 6' }, {}]);
    expect(await one.record(grant, { entry: entryOf(6), progressVersion: 2 })).toBe(false);
  });

  it('lets events be sent once more, so many at a time, until that is cancelled', async () => {
    const [one, other] = [await open(), await open()];
    const { grant, endpoint } = await leaseOf(one, endpointOf(1));
    const { endpointId } = endpoint;
    const redeliver = (positions: readonly number[], workspaceId = 1) =>
      other.redeliver({ workspaceId, endpointId, letters: positions.map(letter), replayAt: 50, mostWaiting: 3 });
    expect(await redeliver([1], 2)).toBeUndefined();
    expect(await redeliver([])).toBe(0);
    expect(await redeliver([2, 1])).toBe(2);
    expect(await redeliver([])).toBe(2);
    await expect(redeliver([3, 4])).rejects.toMatchObject({ code: 'conflict' });
    expect(await redeliver([3])).toBe(3);
    expect(await one.replays(grant, 9)).toEqual(
      [2, 1, 3].map((n, at) => ({ ...letter(n), deadLetterId: at + 1, deadAt: 50, replayAt: 50 })),
    );
    expect(await other.cancelReplays(2, endpointId)).toBeUndefined();
    expect(await other.cancelReplays(1, endpointId)).toBe(3);
    expect(await other.cancelReplays(1, endpointId)).toBe(0);
    expect(await one.replays(grant, 9)).toEqual([]);
    expect(await one.deadLetters({ workspaceId: 1, endpointId, limit: 9 })).toHaveLength(3);
  });

  it('finds deliveries by their outcome and their event', async () => {
    const store = await open();
    const { grant, endpoint } = await leaseOf(store, endpointOf(1));
    // What an application answers is no field of the entry.
    const answer = '"outcome":"failed","eventId":"event 2"';
    for (const [n, outcome] of [
      [1, 'failed'],
      [1, 'delivered'],
      [2, 'failed'],
      [3, 'delivered'],
    ] as const)
      await store.record(grant, { entry: entryOf(n, { outcome, answer }) });
    const find = async (more: object) =>
      (await store.deliveries({ workspaceId: 1, endpointId: endpoint.endpointId, limit: 9, ...more }))?.map(
        ({ deliveryId }) => deliveryId,
      );
    expect(await find({ outcome: 'failed' })).toEqual([3, 1]);
    expect(await find({ eventId: 'event 1' })).toEqual([2, 1]);
    expect(await find({ eventId: 'event 1', outcome: 'failed' })).toEqual([1]);
    expect(await find({ outcome: 'failed', before: 3 })).toEqual([1]);
    expect(await find({ eventId: 'event%' })).toEqual([]);
    expect(await find({ eventId: 'no \u0000 such' })).toEqual([]);
  });

  it('keeps the newest of each endpoint (G9)', async () => {
    const store = await open({ deliveriesPerEndpoint: 3, deadLettersPerEndpoint: 2 });
    const { grant, endpoint } = await leaseOf(store, endpointOf(1));
    const { grant: otherGrant, endpoint: other } = await leaseOf(store, endpointOf(1));
    await store.record(otherGrant, { entry: entryOf(1), deadLetter: letterOf(1) });
    for (let n = 1; n <= 5; n++) await store.record(grant, { entry: entryOf(n), deadLetter: letterOf(n) });
    await store.log(1, endpoint.endpointId, entryOf(6));
    const query = { workspaceId: 1, endpointId: endpoint.endpointId, limit: 9 };
    expect((await store.deliveries(query))?.map(({ deliveryId }) => deliveryId)).toEqual([6, 5, 4]);
    expect((await store.deadLetters(query))?.map(({ deadLetterId }) => deadLetterId)).toEqual([5, 4]);
    expect(await store.deliveries({ ...query, endpointId: other.endpointId })).toHaveLength(1);
    expect(await store.deadLetters({ ...query, endpointId: other.endpointId })).toHaveLength(1);
  });

  it('forgets what is old, so many at a time', async () => {
    const store = await open();
    const { grant, endpoint } = await leaseOf(store, endpointOf(1));
    for (let n = 1; n <= 4; n++) await store.record(grant, { entry: entryOf(n), deadLetter: letterOf(n) });
    const prune = { deliveriesBefore: 4_000, deadLettersBefore: 2_000, limit: 2 };
    expect(await store.prune(prune)).toEqual({ deliveries: 2, deadLetters: 1 });
    expect(await store.prune(prune)).toEqual({ deliveries: 1, deadLetters: 0 });
    expect(await store.prune(prune)).toEqual({ deliveries: 0, deadLetters: 0 });
    const query = { workspaceId: 1, endpointId: endpoint.endpointId, limit: 9 };
    expect((await store.deliveries(query))?.map(({ deliveryId }) => deliveryId)).toEqual([4]);
    expect((await store.deadLetters(query))?.map(({ deadLetterId }) => deadLetterId)).toEqual([4, 3, 2]);
  });
}
