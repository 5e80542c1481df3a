import fc from 'fast-check';
import { toEpoch, toPosition } from '@sluice/event-log';
import { assertRetryPolicy, failedAttempts, judgeAttempt, retryAfterMs, type AttemptResult } from './retry-policy';
import type { EndpointProgress } from './webhook-endpoint';

const EPOCH = toEpoch('0000abcd');
const placeOf = (position: number) => ({ epoch: EPOCH, position: toPosition(position) });
const policy = {
  delaysMs: [5_000, 30_000, 120_000],
  jitter: 0.2,
  maxRetryAfterMs: 3_600_000,
  disableAfterMs: 86_400_000,
};
const START: EndpointProgress = { place: placeOf(4) };
const answered = (status: number, more: object = {}): AttemptResult => ({
  kind: 'answered',
  status,
  durationMs: 1,
  ...more,
});
const TIMEOUT: AttemptResult = { kind: 'unanswered', error: 'timeout', durationMs: 1 };

function judge(before: EndpointProgress, result: AttemptResult, nowMs = 1_000, random = 0.5) {
  const attempted = { place: placeOf(5), failedBefore: failedAttempts(before, toPosition(5)) };
  return judgeAttempt(before, attempted, result, policy, { nowMs, random: () => random });
}

describe('judgeAttempt', () => {
  it.each([200, 202, 204, 299])('moves on after %i', (status) => {
    const before = { ...START, head: { position: toPosition(5), attempts: 2, nextAttemptAt: 1 }, failingSince: 1 };
    expect(judge(before, answered(status))).toEqual({ outcome: 'delivered', progress: { place: placeOf(5) } });
  });

  it.each([TIMEOUT, answered(100), answered(301), answered(400), answered(404), answered(429), answered(500)])(
    'tries again after %j',
    (result) => expect(judge(START, result).outcome).toBe('failed'),
  );

  it('waits as the schedule says, then gives the event up and goes on (G7)', () => {
    let progress = START;
    const waits: number[] = [];
    for (const nowMs of [1_000, 2_000, 3_000]) {
      const verdict = judge(progress, TIMEOUT, nowMs);
      if (verdict.outcome !== 'failed') throw new Error(verdict.outcome);
      waits.push(verdict.nextAttemptAt - nowMs);
      progress = verdict.progress;
      expect(progress).toMatchObject({ place: placeOf(4), failingSince: 1_000 });
    }
    expect(waits).toEqual(policy.delaysMs);
    expect(judge(progress, TIMEOUT, 4_000)).toEqual({
      outcome: 'dead',
      progress: { place: placeOf(5), failingSince: 1_000 },
    });
  });

  it('spreads its waits, and waits longer where it is asked to, within bounds', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(10_000_000), (random, askedMs) => {
        const verdict = judge(START, answered(503, { retryAfterMs: askedMs }), 0, random);
        if (verdict.outcome !== 'failed') throw new Error(verdict.outcome);
        const waitMs = verdict.nextAttemptAt;
        expect(waitMs).toBeGreaterThanOrEqual(Math.max(4_000, Math.min(askedMs, policy.maxRetryAfterMs)));
        expect(waitMs).toBeLessThanOrEqual(Math.max(6_000, Math.min(askedMs, policy.maxRetryAfterMs)));
      }),
    );
  });

  it('counts the attempts of another event from one on', () => {
    const before = { ...START, head: { position: toPosition(9), attempts: 3, nextAttemptAt: 1 }, failingSince: 1 };
    expect(judge(before, TIMEOUT).progress.head).toMatchObject({ position: 5, attempts: 1 });
  });

  it('disables what is gone, and what did nothing but fail for too long, and keeps its place', () => {
    const progress = { place: placeOf(4), failingSince: 1_000 };
    expect(judge(START, answered(410))).toEqual({ outcome: 'disabled', reason: 'gone', progress });
    const since = { ...START, failingSince: 1_000 };
    expect(judge(since, TIMEOUT, 1_000 + 86_399_999).outcome).toBe('failed');
    expect(judge(since, TIMEOUT, 1_000 + 86_400_000)).toEqual({ outcome: 'disabled', reason: 'failing', progress });
  });
});

describe('retryAfterMs', () => {
  const nowMs = Date.UTC(2026, 0, 1);
  it.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['', undefined],
    ['7', 7_000],
    [' 0 ', 0],
    ['-7', undefined],
    ['7.5', undefined],
    ['soon', undefined],
    ['99999999999', undefined],
    ['Thu, 01 Jan 2026 00:00:09 GMT', 9_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ])('reads %j as %j', (header, expected) => expect(retryAfterMs(header, nowMs)).toBe(expected));
});

describe('assertRetryPolicy', () => {
  it('takes the shipped one and refuses what is no schedule', () => {
    expect(() => assertRetryPolicy(policy)).not.toThrow();
    for (const wrong of [{ delaysMs: [] }, { delaysMs: [-1] }, { delaysMs: Array(31).fill(1) }, { jitter: 2 }])
      expect(() => assertRetryPolicy({ ...policy, ...wrong })).toThrow(
        expect.objectContaining({ code: 'configuration' }),
      );
  });
});
