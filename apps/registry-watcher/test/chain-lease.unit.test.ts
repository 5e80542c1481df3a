import { MemoryChainStore, type ChainGrant, type ChainStore } from '@sluice/agent-registry';
import { SluiceError } from '@sluice/event-log';
import { ChainLeaseKeeper } from '../src/chain/chain-lease';
import { until } from './support/watch-process';

/** Long enough that a busy machine does not lose it by the way; a renewal comes after a third. */
const LEASE_MS = 900;
/** For those who are to lose it. */
const SHORT_LEASE_MS = 90;

type LeaseStore = Pick<ChainStore, 'acquire' | 'release'>;
const keeperOf = (store: LeaseStore, holder: string, leaseMs = LEASE_MS, faults: unknown[] = []) =>
  new ChainLeaseKeeper({ store, chainId: 1, holder, leaseMs, onFault: (error) => void faults.push(error) });

it('has one holder at a time, which keeps it by renewing', async () => {
  let now = 0;
  let asked = 0;
  const store = new MemoryChainStore(() => now);
  const counted: LeaseStore = {
    acquire: (...parameters) => {
      asked++;
      return store.acquire(...parameters);
    },
    release: (grant) => store.release(grant),
  };
  const lease = await keeperOf(counted, 'one').acquire();
  const other = keeperOf(store, 'two');
  for (let renewals = 1; renewals <= 3; renewals++) {
    await until(() => asked === 1 + renewals, 'a renewal');
    // Without the renewal before, it would be over by the second time.
    now += LEASE_MS * 0.9;
    expect((await other.acquire())?.grant).toBeUndefined();
  }
  expect(lease?.signal.aborted).toBe(false);
  await lease?.release();
  expect(lease?.signal.aborted).toBe(true);
  const next = await other.acquire();
  expect(next?.grant.fencingToken).toBeGreaterThan(lease?.grant.fencingToken ?? 0);
  await next?.release();
});

it('is lost by its own clock while the store cannot be asked', async () => {
  const store = new MemoryChainStore();
  const faults: unknown[] = [];
  let isDown = false;
  const acquire = async (chainId: number, holder: string, leaseMs: number): Promise<ChainGrant | undefined> => {
    if (isDown) throw new SluiceError('read_model_unavailable', 'away');
    return store.acquire(chainId, holder, leaseMs);
  };
  const failing = { acquire, release: (grant: ChainGrant) => store.release(grant) };
  const lease = await keeperOf(failing, 'one', SHORT_LEASE_MS, faults).acquire();
  isDown = true;
  await until(() => lease?.signal.aborted === true, 'the lease is lost');
  expect(faults.length).toBeGreaterThan(0);
});

it('is lost by its own clock while the store does not answer', async () => {
  const store = new MemoryChainStore();
  let asked = 0;
  const acquire = (...parameters: Parameters<ChainStore['acquire']>) =>
    asked++ === 0 ? store.acquire(...parameters) : new Promise<never>(() => undefined);
  const lease = await keeperOf({ acquire, release: (grant) => store.release(grant) }, 'one', SHORT_LEASE_MS).acquire();
  await until(() => lease?.signal.aborted === true, 'the lease is lost');
});

it('is lost at once when another one has got it', async () => {
  let now = 0;
  const store = new MemoryChainStore(() => now);
  const lease = await keeperOf(store, 'one').acquire();
  now += LEASE_MS + 1;
  const other = await keeperOf(store, 'two').acquire();
  expect(other?.grant.holder).toBe('two');
  await until(() => lease?.signal.aborted === true, 'the lease is lost');
  // It has nothing to give back: the other one keeps it.
  await lease?.release();
  expect((await keeperOf(store, 'three').acquire())?.grant).toBeUndefined();
  await other?.release();
});

it('does not take the right again with a renewal that was on its way', async () => {
  const store = new MemoryChainStore();
  let answer: () => void = () => undefined;
  let asked = 0;
  const acquire = async (chainId: number, holder: string, leaseMs: number) => {
    if (asked++ > 0) await new Promise<void>((resolve) => (answer = resolve));
    return store.acquire(chainId, holder, leaseMs);
  };
  const lease = await keeperOf({ acquire, release: (grant) => store.release(grant) }, 'one').acquire();
  await until(() => asked === 2, 'a renewal');
  const released = lease?.release();
  answer();
  await released;
  const next = await keeperOf(store, 'two').acquire();
  expect(next?.grant.holder).toBe('two');
  await next?.release();
});
