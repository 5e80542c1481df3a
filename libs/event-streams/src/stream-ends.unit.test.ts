import { endError, type EndReason } from '@sluice/delivery';
import { SluiceError } from '@sluice/event-log';
import { streamEnd } from './stream-ends';

const REASONS = { slow_subscriber: true, shutting_down: true, failed: true } as const satisfies Record<
  Exclude<EndReason, 'closed'>,
  true
>;

it.each(Object.keys(REASONS) as (keyof typeof REASONS)[])('calls an end of the feed as the feed does: %s', (reason) => {
  expect(streamEnd(endError(reason) as SluiceError)).toBe(reason);
});

it('takes an end that nobody was promised for a fault', () => {
  expect(() => streamEnd(new SluiceError('rate_limited', 'x'))).toThrow('no stream ends with rate_limited');
});
