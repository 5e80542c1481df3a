import { Ajv2020 } from 'ajv/dist/2020';
import fc from 'fast-check';
import { z } from 'zod';
import { nearly } from '../../test/nearly';
import { SENT_SESSION_SAMPLES } from '../conformance';
import { MAX_SESSION_CONTENT_BLOCKS, SESSION_DOCUMENT_MEDIA_TYPES, SESSION_IMAGE_MEDIA_TYPES } from './content-blocks';
import { ENGINE_SESSION_EVENT_TYPES, OWN_SESSION_EVENT_TYPES, SENDABLE_SESSION_EVENT_TYPES } from './event-types';
import { sessionEventDataSchema } from './session-data';
import { MAX_DENY_MESSAGE_LENGTH, MAX_RUBRIC_LENGTH, sendSessionEventSchema } from './send-event';

const isTaken = (event: unknown) => sendSessionEventSchema.safeParse(event).success;
const message = (...content: unknown[]) => ({ type: 'user.message', content });
const text = (value: string) => ({ type: 'text', text: value });
const inline = (type: string, mediaType: string, data = 'QUJD') => ({
  type,
  source: { type: 'base64', media_type: mediaType, data },
});
const confirmation = (members: object) => ({ ...SENT_SESSION_SAMPLES['user.tool_confirmation'], ...members });

describe('sendSessionEventSchema', () => {
  it.each(SENDABLE_SESSION_EVENT_TYPES)('takes %s as it came, and no member that it does not know', (type) => {
    const event = SENT_SESSION_SAMPLES[type];
    expect(sendSessionEventSchema.parse(event)).toEqual(event);
    for (const member of ['id', 'processed_at', 'sluice', 'extra', 'outcome_id', 'constructor']) {
      expect([member, isTaken({ ...event, [member]: 'a' })]).toEqual([member, false]);
    }
    expect(isTaken(JSON.parse(`{"__proto__":{},${JSON.stringify(event).slice(1)}`))).toBe(false);
  });

  it.each(SENDABLE_SESSION_EVENT_TYPES)('of %s takes nothing that could not be stored', (type) => {
    const more = { id: 'sevt_1', processed_at: null, outcome_id: 'outc_1' };
    fc.assert(
      fc.property(nearly(SENT_SESSION_SAMPLES[type]), (event) => {
        if (!isTaken(event)) return;
        const stored = sessionEventDataSchema(type).safeParse({ ...(event as object), ...more });
        expect([event, stored.success]).toEqual([event, true]);
      }),
      { numRuns: 300 },
    );
  });

  it('takes no type that only engines or the server may say', () => {
    const others = [
      ...ENGINE_SESSION_EVENT_TYPES,
      ...OWN_SESSION_EVENT_TYPES,
      'session.deleted',
      'session.updated',
      'x',
    ];
    for (const type of others) expect([type, isTaken({ type, content: [text('a')] })]).toEqual([type, false]);
    for (const none of [null, [], 'user.message', {}, { type: 1 }]) expect(isTaken(none)).toBe(false);
  });

  it('takes text of at least one character, without half a surrogate pair', () => {
    const texts: [string, boolean][] = [
      ['', false],
      [' ', true],
      ['\u0000\n🐚', true],
      ['\ud800', false],
    ];
    for (const [value, expected] of texts) {
      expect([value, isTaken(message(text(value)))]).toEqual([value, expected]);
      expect([value, isTaken({ type: 'system.message', content: [text(value)] })]).toEqual([value, expected]);
    }
  });

  it('takes 1 to 1000 blocks, and results with none', () => {
    const blocks = (count: number) => Array<object>(count).fill(text('a'));
    const counts = [0, 1, MAX_SESSION_CONTENT_BLOCKS, MAX_SESSION_CONTENT_BLOCKS + 1];
    expect(counts.map((count) => isTaken(message(...blocks(count))))).toEqual([false, true, true, false]);
    expect(counts.map((count) => isTaken({ type: 'system.message', content: blocks(count) }))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    const result = { type: 'user.custom_tool_result', custom_tool_use_id: 'a' };
    expect(counts.map((count) => isTaken({ ...result, content: blocks(count) }))).toEqual([true, true, true, false]);
    expect(isTaken(result)).toBe(true);
  });

  it('takes search results in results of tools only, and what is redacted in messages only', () => {
    const { content } = SENT_SESSION_SAMPLES['user.custom_tool_result'];
    const searched = content?.find(({ type }) => type === 'search_result');
    const result = (block: unknown) => ({ type: 'user.tool_result', tool_use_id: 'a', content: [block] });
    expect([isTaken(result(searched)), isTaken(message(searched))]).toEqual([true, false]);
    expect([isTaken(result({ type: 'redacted' })), isTaken(message({ type: 'redacted' }))]).toEqual([false, true]);
    expect(isTaken({ type: 'system.message', content: [inline('image', 'image/png')] })).toBe(false);
  });

  it('takes the kinds of pictures and documents that are listed, and no other', () => {
    for (const kind of SESSION_IMAGE_MEDIA_TYPES)
      expect([kind, isTaken(message(inline('image', kind)))]).toEqual([kind, true]);
    for (const kind of SESSION_DOCUMENT_MEDIA_TYPES) {
      expect([kind, isTaken(message(inline('document', kind)))]).toEqual([kind, true]);
      expect([kind, isTaken(message(inline('image', kind)))]).toEqual([kind, false]);
    }
    for (const kind of ['image/svg+xml', 'image/PNG', 'text/html', 'application/zip', '', '*/*', 'image/png; a=b']) {
      expect([kind, isTaken(message(inline('image', kind))), isTaken(message(inline('document', kind)))]).toEqual([
        kind,
        false,
        false,
      ]);
    }
  });

  it('takes base64, and http and https URLs', () => {
    for (const data of ['', 'a b', '====', 'QQ===', 'QQ=a', 'data:image/png;base64,QQ==', 'Q\n']) {
      expect([data, isTaken(message(inline('image', 'image/png', data)))]).toEqual([data, false]);
    }
    const linked = (url: string) => message({ type: 'image', source: { type: 'url', url } });
    expect([isTaken(linked('https://a.example/b?c=d')), isTaken(linked('http://a.example'))]).toEqual([true, true]);
    for (const url of [
      '',
      'a.example',
      'ftp://a',
      'file:///etc/passwd',
      'https://',
      'https://a b',
      'javascript:1',
      `https://${'a'.repeat(5000)}`,
    ]) {
      expect([url, isTaken(linked(url))]).toEqual([url, false]);
    }
  });

  it('takes a large picture, and finds a fault at its end', () => {
    const large = 'QUJD'.repeat(6_000_000);
    expect(isTaken(message(inline('image', 'image/png', large)))).toBe(true);
    expect(isTaken(message(inline('image', 'image/png', `${large}!`)))).toBe(false);
  });

  it('takes a message of denial only with a denial', () => {
    expect(isTaken(confirmation({ result: 'allow', deny_message: undefined }))).toBe(true);
    expect(isTaken(confirmation({ result: 'allow', deny_message: null }))).toBe(true);
    expect(isTaken(confirmation({ result: 'maybe' }))).toBe(false);
    const { error } = sendSessionEventSchema.safeParse(confirmation({ result: 'allow' }));
    expect(error?.issues[0]).toMatchObject({
      path: ['deny_message'],
      message: 'is only allowed when result is "deny"',
    });
    const long = 'x'.repeat(MAX_DENY_MESSAGE_LENGTH);
    expect([
      isTaken(confirmation({ deny_message: long })),
      isTaken(confirmation({ deny_message: `${long}x` })),
    ]).toEqual([true, false]);
  });

  it.each(['', 'a b', 'a/b', 'x'.repeat(129), null, 1])('takes no tool use with the id %j', (id) => {
    expect(isTaken(confirmation({ tool_use_id: id }))).toBe(false);
    expect(isTaken({ type: 'user.custom_tool_result', custom_tool_use_id: id })).toBe(false);
    expect(isTaken({ type: 'user.tool_result', tool_use_id: id })).toBe(false);
  });

  it('takes outcomes with a rubric and 1 to 20 iterations', () => {
    const outcome = (members: object) => isTaken({ ...SENT_SESSION_SAMPLES['user.define_outcome'], ...members });
    expect([undefined, null, 1, 20].map((n) => outcome({ max_iterations: n }))).toEqual(Array(4).fill(true));
    expect([0, 21, 1.5, '3'].map((n) => outcome({ max_iterations: n }))).toEqual(Array(4).fill(false));
    expect(outcome({ rubric: { type: 'file', file_id: 'file_1' } })).toBe(true);
    const rubric = (content: string) => ({ rubric: { type: 'text', content } });
    const long = 'x'.repeat(MAX_RUBRIC_LENGTH);
    expect([outcome(rubric(long)), outcome(rubric(`${long}x`)), outcome(rubric(''))]).toEqual([true, false, false]);
    expect(outcome({ rubric: undefined })).toBe(false);
  });

  it('is a JSON Schema too, which takes what it takes', () => {
    const isValid = new Ajv2020({ strict: false }).compile(z.toJSONSchema(sendSessionEventSchema, { io: 'input' }));
    for (const type of SENDABLE_SESSION_EVENT_TYPES)
      expect([type, isValid(SENT_SESSION_SAMPLES[type])]).toEqual([type, true]);
    expect(isValid(message())).toBe(false);
  });
});
