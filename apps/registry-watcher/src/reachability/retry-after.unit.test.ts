import { retryAfterMs } from './retry-after';

const NOW_MS = Date.UTC(2026, 0, 1);

it.each<[string | null | undefined, number | undefined]>([
  ['0', 0],
  ['2', 2_000],
  [' 7 ', 7_000],
  ['99999999999999999999999', 60_000],
  ['Thu, 01 Jan 2026 00:00:05 GMT', 5_000],
  ['Thu, 01 Jan 2099 00:00:05 GMT', 60_000],
  ['Thu, 01 Jan 1970 00:00:05 GMT', 0],
  ['soon', undefined],
  ['', undefined],
  [null, undefined],
  [undefined, undefined],
])('reads Retry-After %j as %j', (header, waitMs) => {
  expect(retryAfterMs(header, 60_000, NOW_MS)).toBe(waitMs);
});
