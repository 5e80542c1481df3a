import fc from 'fast-check';
import { toEpoch, toPosition } from '@sluice/event-log';
import {
  assertRetryPolicy,
  failedAttempts,
  judgeAttempt,
  reachedProgress,
  retryAfterMs,
  type AttemptResult,
} from './retry-policy';
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

const subject = { id: 'e', type: 'sandbox.ready', workspaceId: 1, family: 'sandbox', entityId: 'a' } as const;

function judge(before: EndpointProgress, result: AttemptResult, nowMs = 1_000, random = 0.5, position = 5) {
  const attempted = { place: placeOf(position), subject, failedBefore: failedAttempts(before, toPosition(position)) };
  return judgeAttempt(before, attempted, result, policy, { nowMs, random: () => random });
}

describe('judgeAttempt', () => {
  it.each([200, 202, 204, 299])('moves on after %i', (status) => {
    const before = {
      ...START,
      head: { subject, position: toPosition(5), attempts: 2, nextAttemptAt: 1 },
      failingSince: 1,
    };
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
      progress: { place: placeOf(5), failingSince: 1_000, failedAt: 4_000 },
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
    const before = {
      ...START,
      head: { subject, position: toPosition(9), attempts: 3, nextAttemptAt: 1 },
      failingSince: 1,
    };
    expect(judge(before, TIMEOUT).progress.head).toMatchObject({ position: 5, attempts: 1 });
  });

  it('disables what is gone, and what did nothing but fail for too long, and keeps its place', () => {
    const progress = { place: placeOf(4), failingSince: 1_000, failedAt: 1_000 };
    expect(judge(START, answered(410))).toEqual({ outcome: 'disabled', reason: 'gone', progress });
    const head = { subject, position: toPosition(5), attempts: 2, nextAttemptAt: 1 };
    const since = { ...START, head, failingSince: 1_000, failedAt: 1_000 };
    const dueAgo = (lateMs: number, nowMs: number) => ({ ...since, head: { ...head, nextAttemptAt: nowMs - lateMs } });
    expect(judge(dueAgo(0, 1_000 + 86_399_999), TIMEOUT, 1_000 + 86_399_999).outcome).toBe('failed');
    const failedAt = 1_000 + 86_400_000;
    const disabled = { outcome: 'disabled', reason: 'failing', progress: { ...progress, failedAt } };
    expect(judge(dueAgo(0, failedAt), TIMEOUT, failedAt)).toEqual(disabled);
    expect(judge(dueAgo(1, failedAt), TIMEOUT, failedAt).outcome).toBe('failed');
  });

  it('keeps a notice that was not told where it disables: its place is behind what it tells of (G5)', () => {
    const notice = { id: 'n', type: 'webhook.reset', occurredAt: 1, reason: 'r', requested: 'a', at: 'b' } as const;
    const before = { ...START, head: { subject: notice, position: toPosition(4), attempts: 2, nextAttemptAt: 900 } };
    const attempted = { place: placeOf(4), subject: notice, failedBefore: 2 };
    expect(judgeAttempt(before, attempted, answered(410), policy, { nowMs: 1_000, random: () => 0.5 })).toEqual({
      outcome: 'disabled',
      reason: 'gone',
      progress: {
        place: placeOf(4),
        head: { subject: notice, position: 4, attempts: 0, nextAttemptAt: 1_000 },
        failingSince: 1_000,
        failedAt: 1_000,
      },
    });
  });

  it('does not count time in which an attempt was due and nobody made it', () => {
    let progress = START;
    for (const nowMs of [0, 35_000]) progress = judge(progress, TIMEOUT, nowMs).progress;
    const fiveDaysMs = 5 * 86_400_000;
    expect(judge(progress, answered(503), fiveDaysMs)).toMatchObject({
      outcome: 'failed',
      progress: { failingSince: fiveDaysMs - 35_000, failedAt: fiveDaysMs },
    });
  });

  it('does not count time in which nothing was sent: an old dead letter disables nothing', () => {
    const dead = { place: placeOf(5), failingSince: 1_000, failedAt: 4_000 };
    const monthMs = 30 * 86_400_000;
    let progress: EndpointProgress = dead;
    for (const nowMs of [monthMs, monthMs + 5_000, monthMs + 35_000]) {
      const verdict = judge(progress, TIMEOUT, nowMs, 0.5, 6);
      expect(verdict).toMatchObject({
        outcome: 'failed',
        progress: { failingSince: monthMs - 3_000, failedAt: nowMs },
      });
      progress = verdict.progress;
    }
  });

  it('disables nothing for the first failures of an event, however long others failed', () => {
    const dayMs = 86_400_000;
    let progress: EndpointProgress = { place: placeOf(5), failingSince: 0, failedAt: 9 * dayMs };
    const outcomes = [0, 1, 2].map((n) => {
      const verdict = judge(progress, TIMEOUT, 9 * dayMs + n, 0.5, 6);
      progress = verdict.progress;
      return verdict.outcome;
    });
    expect(outcomes).toEqual(['failed', 'failed', 'disabled']);
  });

  it('begins anew, and at once, where the endpoint was reached', () => {
    const head = { subject, position: toPosition(5), attempts: 2, nextAttemptAt: 90_000 };
    const failing = { ...START, head, failingSince: 1, failedAt: 2 };
    expect(reachedProgress(failing, 5_000)).toEqual({ ...START, head: { ...head, nextAttemptAt: 5_000 } });
    expect(reachedProgress({ ...START, failingSince: 1, failedAt: 2 }, 5_000)).toEqual(START);
    const verdict = judge(reachedProgress(failing, 5_000), TIMEOUT, 86_400_000);
    expect(verdict).toMatchObject({ outcome: 'failed', progress: { failingSince: 86_400_000 } });
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
