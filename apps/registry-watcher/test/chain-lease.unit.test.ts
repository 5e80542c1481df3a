import { MemoryChainStore, type ChainGrant, type ChainStore } from '@sluice/agent-registry';
import { SluiceError } from '@sluice/event-log';
import { ChainLeaseKeeper } from '../src/chain/chain-lease';

/** A renewal comes after a third. */
const LEASE_MS = 900;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());
const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

type LeaseStore = Pick<ChainStore, 'acquire' | 'release'>;
const keeperOf = (store: LeaseStore, holder: string, faults: unknown[] = []) =>
  new ChainLeaseKeeper({ store, chainId: 1, holder, leaseMs: LEASE_MS, onFault: (error) => void faults.push(error) });

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
    await pass(LEASE_MS / 3);
    expect(asked).toBe(1 + renewals);
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
  const lease = await keeperOf(failing, 'one', faults).acquire();
  isDown = true;
  await pass(LEASE_MS - 1);
  expect(lease?.signal.aborted).toBe(false);
  await pass(1);
  expect(lease?.signal.aborted).toBe(true);
  expect(faults.length).toBeGreaterThan(0);
});

it('is lost by its own clock while the store does not answer', async () => {
  const store = new MemoryChainStore();
  let asked = 0;
  const acquire = (...parameters: Parameters<ChainStore['acquire']>) =>
    asked++ === 0 ? store.acquire(...parameters) : new Promise<never>(() => undefined);
  const lease = await keeperOf({ acquire, release: (grant) => store.release(grant) }, 'one').acquire();
  await pass(LEASE_MS - 1);
  expect(lease?.signal.aborted).toBe(false);
  await pass(1);
  expect(lease?.signal.aborted).toBe(true);
});

it('is lost at once when another one has got it', async () => {
  let now = 0;
  const store = new MemoryChainStore(() => now);
  const lease = await keeperOf(store, 'one').acquire();
  now += LEASE_MS + 1;
  const other = await keeperOf(store, 'two').acquire();
  expect(other?.grant.holder).toBe('two');
  await pass(LEASE_MS / 3);
  expect(lease?.signal.aborted).toBe(true);
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
  await pass(LEASE_MS / 3);
  expect(asked).toBe(2);
  const released = lease?.release();
  answer();
  await released;
  const next = await keeperOf(store, 'two').acquire();
  expect(next?.grant.holder).toBe('two');
  await next?.release();
});
