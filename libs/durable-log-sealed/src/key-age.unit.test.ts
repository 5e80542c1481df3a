import { ageMs, KEY_AGE_FACTORS, thisMoment } from './key-age';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const HOUR_MS = 3_600_000;

it('grows with time', () => {
  const moment = thisMoment();
  expect(ageMs(moment)).toBe(0);
  jest.advanceTimersByTime(1_000);
  expect(ageMs(moment)).toBe(1_000);
});

it('is what the wall clock says where the monotonic one stood still, as on a machine that was paused', () => {
  const moment = thisMoment();
  jest.setSystemTime(Date.now() + HOUR_MS);
  expect(ageMs(moment)).toBe(HOUR_MS);
});

it('is what the monotonic clock says where the wall clock was set back', () => {
  const moment = thisMoment();
  jest.advanceTimersByTime(1_000);
  jest.setSystemTime(Date.now() - HOUR_MS);
  expect(ageMs(moment)).toBe(1_000);
});

it('has room for clocks that run a quarter slower between the last acknowledgement and an erasure', () => {
  const { refresh, acknowledge, ready } = KEY_AGE_FACTORS;
  expect(refresh).toBeLessThan(1);
  expect(acknowledge).toBeGreaterThan(1);
  expect(ready / acknowledge).toBeGreaterThanOrEqual(1.25);
});
