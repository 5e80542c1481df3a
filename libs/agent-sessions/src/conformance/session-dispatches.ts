import { until } from '@sluice/event-log/conformance';
import type { RunDispatch } from '../session-state';
import type { ClaimedDispatch, DispatchClaim, SessionStore } from '../session-store';
import { committed, LEASE_MS, SESSION, sessionOf, startOf, WORKSPACE, type OpenSessionStore } from './session-samples';

/** What engines are to be told, and who does. */
export function describeSessionDispatches(open: OpenSessionStore): void {
  const claim = (store: SessionStore, holder = 'one', leaseMs = LEASE_MS, limit = 10) =>
    store.claimDispatches({ holder, leaseMs, limit });

  /** Claims as soon as there is something to claim. */
  async function claimLapsed(store: SessionStore, holder: string, leaseMs = LEASE_MS): Promise<ClaimedDispatch> {
    let claimed: readonly ClaimedDispatch[] = [];
    await until(async () => (claimed = await claim(store, holder, leaseMs)).length > 0, 'a claim');
    return claimed[0] as ClaimedDispatch;
  }

  async function changesNothing(store: SessionStore, former: DispatchClaim): Promise<void> {
    expect(await store.renewDispatch(former, LEASE_MS)).toBe(false);
    expect(await store.retryDispatch(former, { delayMs: 0, isFailure: true })).toBe(false);
    expect(await store.finishDispatch(former)).toBe(false);
  }

  async function onlyClaim(store: SessionStore, holder = 'one', leaseMs = LEASE_MS): Promise<ClaimedDispatch> {
    const [claimed, ...others] = await claim(store, holder, leaseMs);
    if (!claimed || others.length > 0) throw new Error('not one claim');
    return claimed;
  }

  it('gives each dispatch to one process', async () => {
    const [one, other] = [await open(), await open()];
    expect(await claim(one)).toEqual([]);
    await committed(one, { dispatches: [startOf()] });
    const claimed = await onlyClaim(other);
    expect(claimed).toEqual({
      dispatchId: expect.any(Number),
      holder: 'one',
      workspaceId: WORKSPACE,
      sessionId: SESSION,
      dispatch: startOf(),
      attempt: 1,
      failures: 0,
      failingForMs: 0,
      createdAtMs: expect.any(Number),
    });
    expect(Math.abs(claimed.createdAtMs - Date.now())).toBeLessThan(600_000);
    expect(await claim(one, 'another')).toEqual([]);
    expect(await claim(one)).toEqual([]);
    expect(await one.finishDispatch(claimed)).toBe(true);
    expect(await one.finishDispatch(claimed)).toBe(false);
    expect(await claim(one, 'another')).toEqual([]);
  });

  it('gives those of one session one at a time, in the order of commits', async () => {
    const store = await open();
    const input: RunDispatch = { type: 'run.input', engine: 'eng_1', runId: 'srun_1', inputIds: ['sevt_2', 'sevt_3'] };
    const interrupt: RunDispatch = { type: 'run.interrupt', engine: 'eng_1', runId: 'srun_1', inputIds: [] };
    await committed(store, { dispatches: [startOf(), input] });
    await committed(store, { expectedVersion: 1, dispatches: [interrupt] });
    await committed(store, { expectedVersion: 2, dispatches: [startOf(2)] });
    for (const expected of [startOf(), input, interrupt, startOf(2)]) {
      const claimed = await onlyClaim(store);
      expect(claimed.dispatch).toEqual(expected);
      await store.finishDispatch(claimed);
    }
    expect(await claim(store)).toEqual([]);
    await committed(store, { expectedVersion: 3, dispatches: [startOf(3)] });
    expect((await onlyClaim(store)).dispatch).toEqual(startOf(3));
  });

  it('gives those of several sessions at once, as many as are asked for', async () => {
    const store = await open();
    const ids = ['sesn_1', 'sesn_2', 'sesn_3'];
    for (const id of ids) await committed(store, { state: sessionOf({ id }), dispatches: [startOf(), startOf(2)] });
    const first = await claim(store, 'one', LEASE_MS, 2);
    const rest = await claim(store, 'other', LEASE_MS, 2);
    expect([first.length, rest.length]).toEqual([2, 1]);
    expect([...first, ...rest].map(({ sessionId }) => sessionId).sort()).toEqual(ids);
  });

  it('gives no dispatch twice to many that claim at once', async () => {
    const replicas = [await open(), await open()];
    const count = 20;
    for (let n = 0; n < count; n++) {
      const state = sessionOf({ id: `sesn_${n}` });
      await committed(replicas[0] as SessionStore, { state, dispatches: [startOf(n), startOf(n + 1)] });
    }
    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, n) => claim(replicas[n % 2] as SessionStore, `holder ${n}`, LEASE_MS, 5)),
    );
    const claimed = claims.flat().map(({ sessionId }) => sessionId);
    expect(new Set(claimed).size).toBe(claimed.length);
    const rest = await claim(replicas[0] as SessionStore, 'last', LEASE_MS, count);
    expect(new Set([...claimed, ...rest.map(({ sessionId }) => sessionId)]).size).toBe(count);
  });

  it('gives a dispatch to another process when its claim lapsed, and the former one changes nothing any more', async () => {
    const [one, other] = [await open(), await open()];
    await committed(one, { dispatches: [startOf(), startOf(2)] });
    const first = await onlyClaim(one, 'one', 1);
    const second = await claimLapsed(other, 'other');
    expect(second).toMatchObject({ dispatchId: first.dispatchId, attempt: 2, dispatch: startOf() });
    await changesNothing(one, first);
    expect(await claim(one)).toEqual([]);
    expect(await other.finishDispatch(second)).toBe(true);
    expect((await onlyClaim(one)).dispatch).toEqual(startOf(2));
  });

  it('knows a claim from an earlier one of the same process', async () => {
    const store = await open();
    await committed(store, { dispatches: [startOf(), startOf(2)] });
    const first = await onlyClaim(store, 'one', 1);
    const second = await claimLapsed(store, 'one');
    expect(second).toMatchObject({ dispatchId: first.dispatchId, holder: 'one', attempt: 2 });
    await changesNothing(store, first);
    expect(await claim(store, 'other')).toEqual([]);
    expect(await store.renewDispatch(second, LEASE_MS)).toBe(true);
    expect(await store.finishDispatch(second)).toBe(true);
    expect((await onlyClaim(store)).dispatch).toEqual(startOf(2));
  });

  it('gives nothing again that the process has in hand, but gives it to others', async () => {
    const store = await open();
    await committed(store, { dispatches: [startOf()] });
    const first = await onlyClaim(store, 'one', 1);
    const except = [first.dispatchId, first.dispatchId + 1_000];
    await committed(store, { state: sessionOf({ id: 'sesn_2' }), dispatches: [startOf(2)] });
    const others = await store.claimDispatches({ holder: 'one', leaseMs: LEASE_MS, limit: 10, except });
    expect(others.map(({ sessionId }) => sessionId)).toEqual(['sesn_2']);
    expect(await store.claimDispatches({ holder: 'one', leaseMs: LEASE_MS, limit: 10, except })).toEqual([]);
    expect(await claimLapsed(store, 'other')).toMatchObject({ dispatchId: first.dispatchId, attempt: 2 });
  });

  it('counts what failed, and claims that lapsed, apart from what had to wait', async () => {
    const store = await open();
    await committed(store, { dispatches: [startOf()] });
    let claimed = await onlyClaim(store);
    for (let waits = 1; waits <= 3; waits++) {
      expect(await store.retryDispatch(claimed, { delayMs: 0, isFailure: false })).toBe(true);
      claimed = await claimLapsed(store, 'one');
    }
    expect(claimed).toMatchObject({ attempt: 4, failures: 0, failingForMs: 0 });
    expect(await store.retryDispatch(claimed, { delayMs: 5, isFailure: true })).toBe(true);
    claimed = await claimLapsed(store, 'one');
    expect(claimed).toMatchObject({ attempt: 5, failures: 1, failingForMs: expect.any(Number) });
    const { failingForMs } = claimed;
    expect([failingForMs >= 5, failingForMs < LEASE_MS]).toEqual([true, true]);
    expect(await store.retryDispatch(claimed, { delayMs: 0, isFailure: false })).toBe(true);
    const short = await claimLapsed(store, 'one', 1);
    expect(short).toMatchObject({ failures: 1 });
    claimed = await claimLapsed(store, 'other');
    expect(claimed).toMatchObject({ attempt: 7, failures: 2 });
    expect(claimed.failingForMs).toBeGreaterThanOrEqual(failingForMs);
  });

  it('keeps a claim that is renewed, also when it had lapsed and nobody took it', async () => {
    const store = await open();
    await committed(store, { dispatches: [startOf()] });
    const claimed = await onlyClaim(store, 'one', 1);
    expect(await store.renewDispatch(claimed, LEASE_MS)).toBe(true);
    expect(await claim(store, 'other')).toEqual([]);
    expect(await store.renewDispatch({ ...claimed, holder: 'other' }, LEASE_MS)).toBe(false);
    expect(await store.renewDispatch({ ...claimed, dispatchId: claimed.dispatchId + 1_000 }, LEASE_MS)).toBe(false);
  });

  it('gives a dispatch again after its delay, and none of its session before', async () => {
    const store = await open();
    await committed(store, { dispatches: [startOf(), startOf(2)] });
    const first = await onlyClaim(store);
    expect(await store.retryDispatch(first, { delayMs: LEASE_MS, isFailure: true })).toBe(true);
    expect(await claim(store)).toEqual([]);
    expect(await store.finishDispatch(first)).toBe(false);

    await committed(store, { state: sessionOf({ id: 'sesn_2' }), dispatches: [startOf(3)] });
    const soon = await onlyClaim(store);
    expect(await store.retryDispatch(soon, { delayMs: 1, isFailure: true })).toBe(true);
    expect(await claimLapsed(store, 'other')).toMatchObject({
      dispatchId: soon.dispatchId,
      attempt: 2,
      createdAtMs: soon.createdAtMs,
    });
  });
}
