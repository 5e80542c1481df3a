import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_TABLE, SluiceError, toSluiceError, type ErrorCode } from './errors';

const CODES = Object.keys(ERROR_TABLE) as ErrorCode[];
const SECRET = 'postgresql://user:hunter2@host/db';

describe('ERROR_TABLE', () => {
  it.each(CODES)('gives %s an HTTP status of an error, and says whether to retry', (code) => {
    const { status, retryable } = ERROR_TABLE[code];
    expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
    expect(Number.isInteger(status) && status >= 400 && status <= 599).toBe(true);
    expect(typeof retryable).toBe('boolean');
  });

  it('says retry exactly where the same request may succeed later', () => {
    for (const code of CODES) {
      const { status, retryable } = ERROR_TABLE[code];
      const passes = status === 429 || status === 503 || code === 'internal';
      expect([code, retryable]).toEqual([code, passes]);
    }
  });

  it('names no code twice', () => {
    const source = readFileSync(join(__dirname, 'errors.ts'), 'utf8');
    const written = [...source.matchAll(/^ {2}(\w+): \{ status:/gm)].map(([, code]) => code);
    expect(written.sort()).toEqual([...CODES].sort());
  });

  it('keeps the codes that clients rest on, with their status', () => {
    const statuses = Object.fromEntries(CODES.map((code) => [code, ERROR_TABLE[code].status]));
    expect(statuses).toMatchObject({
      ...{ invalid_json: 400, invalid_request: 400, invalid_cursor: 400, unauthorized: 401, token_expired: 401 },
      ...{ forbidden: 403, not_found: 404, idempotency_conflict: 409, payload_too_large: 413 },
      ...{ unsupported_media_type: 415, invalid_event: 422, rate_limited: 429, internal: 500 },
      ...{ log_unavailable: 503, delivery_log_unavailable: 503, read_model_unavailable: 503 },
      ...{ overloaded: 503, shutting_down: 503, slow_subscriber: 503 },
    });
  });
});

describe('SluiceError', () => {
  it.each(CODES)('takes status and retry of %s from the table', (code) => {
    expect(new SluiceError(code, 'text')).toMatchObject({
      ...ERROR_TABLE[code],
      code,
      message: 'text',
      name: 'SluiceError',
    });
  });

  it('carries where and when, and neither unless it was told', () => {
    const told = new SluiceError('rate_limited', 'Slow down', { where: 'body', retryAfterMs: 1500 });
    expect(told).toMatchObject({ where: 'body', retryAfterMs: 1500 });
    const untold = new SluiceError('internal', 'text');
    expect([untold.where, untold.retryAfterMs, Object.hasOwn(untold, 'cause')]).toEqual([undefined, undefined, false]);
  });

  it('keeps the cause, and keeps it out of what is shown', () => {
    const cause = new Error(SECRET);
    const error = new SluiceError('read_model_unavailable', 'The read model cannot be reached', { cause });
    expect(error.cause).toBe(cause);
    expect([error.message, String(error), JSON.stringify(error)].join()).not.toContain('hunter2');
  });
});

describe('toSluiceError', () => {
  it('gives back what is ours', () => {
    const error = new SluiceError('overloaded', 'text');
    expect(toSluiceError(error)).toBe(error);
  });

  it.each<[string, unknown]>([
    ['an error', new Error(SECRET)],
    ['a text', SECRET],
    ['an object', { code: 'overloaded', message: SECRET }],
    ['nothing', undefined],
    ['null', null],
    ['an error with a code of ours', Object.assign(new Error(SECRET), { code: 'overloaded', status: 200 })],
  ])('makes %s internal, with its text in the cause only', (_, thrown) => {
    const error = toSluiceError(thrown);
    expect(error).toMatchObject({ code: 'internal', status: 500, message: 'Internal error' });
    expect(JSON.stringify(error) + error.message).not.toContain('hunter2');
    if (thrown !== undefined) expect(error.cause).toBe(thrown);
  });
});
