import type { Principal } from './principal';
import { TOKEN_LEEWAY_SECONDS } from './tokens/token-claims';
import { whenExpired } from './when-expired';

const START = 1_800_000_000_000;
const LEEWAY_MS = TOKEN_LEEWAY_SECONDS * 1000;
const sandbox = (expiresAt: number): Principal => ({ kind: 'sandbox', sandboxId: 's', workspaceId: 1, expiresAt });
const key = (expiresAt?: number): Principal => ({
  kind: 'api_key',
  keyId: 'k',
  workspaceId: 1,
  role: 'reader',
  limits: {},
  expiresAt,
});

describe('whenExpired', () => {
  beforeEach(() => jest.useFakeTimers({ now: START }));
  afterEach(() => jest.useRealTimers());

  const watch = (principal: Principal) => {
    const firedAt: number[] = [];
    return { firedAt, ...whenExpired(principal, () => firedAt.push(Date.now())) };
  };

  it.each([
    ['a minute', 60_000],
    ['an hour', 3_600_000],
    ['thirty days, beyond 2^31 ms', 30 * 86_400_000],
    ['a year', 365 * 86_400_000],
  ])('calls back once, when the leeway is over: %s', (_, ttlMs) => {
    const { firedAt } = watch(sandbox(START + ttlMs));
    jest.advanceTimersByTime(ttlMs + LEEWAY_MS - 1);
    expect(firedAt).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(firedAt).toEqual([START + ttlMs + LEEWAY_MS]);
    jest.advanceTimersByTime(ttlMs);
    expect(firedAt).toHaveLength(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('calls back soon, but later, for what is over already', () => {
    const { firedAt } = watch(sandbox(START - 1_000_000));
    expect(firedAt).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(firedAt).toHaveLength(1);
  });

  it('notices a clock that was set on', () => {
    const { firedAt } = watch(sandbox(START + 86_400_000));
    jest.setSystemTime(START + 2 * 86_400_000);
    jest.advanceTimersByTime(3_600_000);
    expect(firedAt).toHaveLength(1);
  });

  it('can be cancelled, at first and after long', () => {
    const early = watch(sandbox(START + 60_000));
    early.cancel();
    early.cancel();
    const late = watch(sandbox(START + 30 * 86_400_000));
    jest.advanceTimersByTime(20 * 86_400_000);
    late.cancel();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(20 * 86_400_000);
    expect([...early.firedAt, ...late.firedAt]).toEqual([]);
    late.cancel();
  });

  it('watches keys that end, without leeway, and no others', () => {
    const ending = watch(key(START + 1000));
    const endless = watch(key());
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(1000);
    expect(ending.firedAt).toEqual([START + 1000]);
    endless.cancel();
    expect(endless.firedAt).toEqual([]);
  });
});
