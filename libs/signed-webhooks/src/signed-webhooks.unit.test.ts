import Anthropic from '@anthropic-ai/sdk';
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { newWebhookSecret, signWebhook, verifyWebhook, WEBHOOK_TOLERANCE_MS, type ReceivedHeaders } from './index';

const SECRET = newWebhookSecret();
const OTHER_SECRET = newWebhookSecret();
const NOW_MS = Date.now();
const BODY = JSON.stringify({
  type: 'event',
  id: 'évènement',
  data: { type: 'session.created', text: '\u2028 😀 \u0000' },
});
const SIGNED = signWebhook({ secret: SECRET, id: 'msg_1', timestampMs: NOW_MS, body: BODY });

const verify = (changes: Partial<Parameters<typeof verifyWebhook>[0]> = {}) =>
  verifyWebhook({ secrets: [SECRET], headers: SIGNED, body: BODY, nowMs: NOW_MS, ...changes });
const withHeader = (name: keyof typeof SIGNED, value: string | string[] | undefined): ReceivedHeaders => ({
  ...SIGNED,
  [name]: value,
});

describe('newWebhookSecret', () => {
  it('makes another one each time, of 32 random bytes', () => {
    expect(SECRET).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(OTHER_SECRET).not.toBe(SECRET);
  });
});

describe('signWebhook', () => {
  it('signs what the Anthropic SDK unwraps', () => {
    const { webhooks } = new Anthropic({ apiKey: 'unused' }).beta;
    expect(webhooks.unwrap(BODY, { headers: { ...SIGNED }, key: SECRET })).toEqual(JSON.parse(BODY));
    expect(() => webhooks.unwrap(`${BODY} `, { headers: { ...SIGNED }, key: SECRET })).toThrow(/signature/i);
    expect(() => webhooks.unwrap(BODY, { headers: { ...SIGNED }, key: OTHER_SECRET })).toThrow(/signature/i);
  });

  it('signs what the library of Standard Webhooks verifies, down to the second', () => {
    const timestampMs = Math.floor(NOW_MS / 1000) * 1000 + 999;
    const headers = signWebhook({ secret: SECRET, id: 'msg_2', timestampMs, body: '' });
    expect(headers['webhook-timestamp']).toBe(String(Math.floor(NOW_MS / 1000)));
    expect(() => new Webhook(SECRET).verify('', headers)).not.toThrow();
  });

  it('keeps what is no secret out of its complaint', () => {
    const sign = () => signWebhook({ secret: 'whsec_hunter2!', id: 'msg_1', timestampMs: 0, body: '' });
    expect(sign).toThrow();
    expect(sign).not.toThrow(/hunter2/);
    expect(() => signWebhook({ secret: 'whsec_', id: 'msg_1', timestampMs: 0, body: '' })).toThrow();
  });
});

describe('verifyWebhook', () => {
  it('takes what the library of Standard Webhooks signs', () => {
    const signature = new Webhook(SECRET).sign('msg_3', new Date(NOW_MS), BODY);
    const headers = {
      'Webhook-Id': 'msg_3',
      'Webhook-Timestamp': String(Math.floor(NOW_MS / 1000)),
      'Webhook-Signature': signature,
    };
    expect(verify({ headers })).toEqual({ ok: true, id: 'msg_3' });
  });

  it.each([
    ['text', BODY],
    ['bytes', Buffer.from(BODY)],
    ['plain bytes', new TextEncoder().encode(BODY)],
  ])('takes a body as %s', (_name, body) => {
    expect(verify({ body })).toEqual({ ok: true, id: 'msg_1' });
  });

  it('tells a byte order mark and bytes that are no UTF-8 from what was signed', () => {
    const mark = Buffer.from([0xef, 0xbb, 0xbf]);
    expect(verify({ body: Buffer.concat([mark, Buffer.from(BODY)]) })).toEqual({ ok: false, reason: 'signature' });
    const replaced = signWebhook({ secret: SECRET, id: 'msg_1', timestampMs: NOW_MS, body: '"\ufffd"' });
    expect(verify({ headers: replaced, body: '"\ufffd"' })).toMatchObject({ ok: true });
    expect(verify({ headers: replaced, body: Buffer.from([0x22, 0xff, 0x22]) })).toMatchObject({ reason: 'signature' });
  });

  it('takes any of several secrets, and any of several signatures', () => {
    expect(verify({ secrets: [OTHER_SECRET, SECRET] })).toMatchObject({ ok: true });
    const both = `${signWebhook({ secret: OTHER_SECRET, id: 'msg_1', timestampMs: NOW_MS, body: BODY })['webhook-signature']} ${SIGNED['webhook-signature']}`;
    expect(verify({ headers: withHeader('webhook-signature', both) })).toMatchObject({ ok: true });
    expect(verify({ secrets: [OTHER_SECRET] })).toEqual({ ok: false, reason: 'signature' });
    expect(verify({ secrets: [] })).toEqual({ ok: false, reason: 'signature' });
  });

  it('refuses every change of what was signed', () => {
    const refused = { ok: false, reason: 'signature' };
    expect(verify({ body: `${BODY} ` })).toEqual(refused);
    expect(verify({ headers: withHeader('webhook-id', 'msg_2') })).toEqual(refused);
    const later = String(Number(SIGNED['webhook-timestamp']) + 1);
    expect(verify({ headers: withHeader('webhook-timestamp', later) })).toEqual(refused);
    const signature = SIGNED['webhook-signature'];
    for (let at = 0; at < signature.length; at++) {
      const changed = `${signature.slice(0, at)}${signature[at] === 'A' ? 'B' : 'A'}${signature.slice(at + 1)}`;
      expect(verify({ headers: withHeader('webhook-signature', changed) })).toEqual(refused);
    }
  });

  it.each([
    ['at the tolerance', WEBHOOK_TOLERANCE_MS, true],
    ['a millisecond later', WEBHOOK_TOLERANCE_MS + 1, false],
    ['of as far ahead', -WEBHOOK_TOLERANCE_MS, true],
    ['of a millisecond further ahead', -WEBHOOK_TOLERANCE_MS - 1, false],
  ])('has a tolerance: %s', (_name, agoMs, isTaken) => {
    const timestampMs = Math.floor(NOW_MS / 1000) * 1000;
    const headers = signWebhook({ secret: SECRET, id: 'msg_1', timestampMs, body: BODY });
    const expected = isTaken ? { ok: true, id: 'msg_1' } : { ok: false, reason: 'timestamp' };
    expect(verify({ headers, nowMs: timestampMs + agoMs })).toEqual(expected);
  });

  it.each(['', 'soon', '1e9', '-1', '0x5f', '1.5', ' 1', '01', '9'.repeat(400), `${NOW_MS / 1000}`])(
    'refuses a timestamp that is none: %#',
    (timestamp) => {
      const reason = timestamp === '' ? 'missing' : 'timestamp';
      expect(verify({ headers: withHeader('webhook-timestamp', timestamp) })).toEqual({ ok: false, reason });
    },
  );

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const)('misses %s', (name) => {
    const missing = { ok: false, reason: 'missing' };
    const value = SIGNED[name];
    expect(verify({ headers: withHeader(name, undefined) })).toEqual(missing);
    expect(verify({ headers: withHeader(name, '') })).toEqual(missing);
    expect(verify({ headers: withHeader(name, []) })).toEqual(missing);
    expect(verify({ headers: withHeader(name, [value]) })).toMatchObject({ ok: true });
    expect(verify({ headers: withHeader(name, [value, value]) })).toEqual(missing);
    expect(verify({ headers: { ...SIGNED, [name.toUpperCase()]: value } })).toEqual(missing);
  });

  it.each(['a b', 'a\nb', 'é', 'x'.repeat(257)])('takes no id of other characters or too long: %#', (id) => {
    const headers = signWebhook({ secret: SECRET, id, timestampMs: NOW_MS, body: BODY });
    expect(verify({ headers })).toEqual({ ok: false, reason: 'missing' });
  });

  it('never throws, whatever the headers are', () => {
    const hostile: readonly string[] = [
      'v1',
      'v1,',
      ',',
      ' ',
      'v1,,v1',
      'v1a,AAAA',
      `v1,${'A'.repeat(100_000)}`,
      'v1,AAAA '.repeat(100_000),
      '\u0000',
      '\ud800',
      '__proto__',
    ];
    for (const value of [...hostile, ...Array.from({ length: 200 }, () => randomBytes(40).toString('latin1'))]) {
      for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const) {
        expect(verify({ headers: withHeader(name, value) }).ok).toBe(false);
      }
    }
    expect(verify({ headers: Object.create(null) as ReceivedHeaders })).toEqual({ ok: false, reason: 'missing' });
  });

  it('looks at so many signatures and no more', () => {
    const many = (length: number) => `${'v1,AAAA '.repeat(length)}${SIGNED['webhook-signature']}`;
    expect(verify({ headers: withHeader('webhook-signature', many(15)) })).toMatchObject({ ok: true });
    expect(verify({ headers: withHeader('webhook-signature', many(16)) })).toMatchObject({ ok: false });
  });
});
