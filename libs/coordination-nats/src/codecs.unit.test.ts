import { MAX_TOLD_CALLERS, type Spending } from '@sluice/access';
import { PRESENCE_LIMITS } from '@sluice/delivery';
import type { SessionDelta } from '@sluice/event-schema';
import fc from 'fast-check';
import { decodeDeltas, encodeDeltas, partsOf } from './delta-codec';
import { MAX_MESSAGE_BYTES, MAX_MESSAGE_DELTAS } from './options';
import { decodePresence, encodePresence } from './presence-codec';
import { decodeSpending, encodeSpending } from './rate-codec';
import { decodeDocument, documentName, encodeDocument } from './slot-document';

const JUNK = [
  '',
  '{',
  'null',
  '1',
  '"x"',
  '[1]',
  '{"held":1}',
  '{"held":[1]}',
  '{"from":""}',
  '{"from":"a","members":1}',
];

describe('documents about slots', () => {
  it('say what was written', () => {
    const replicas = fc.dictionary(fc.stringMatching(/^[0-9a-f]{16}$/), fc.integer({ min: 1, max: 1_000_000 }));
    fc.assert(
      fc.property(fc.string(), replicas, (key, held) => {
        const document = { key, held: new Map(Object.entries(held)) };
        expect(decodeDocument(key, encodeDocument(document))).toEqual(document);
        expect(documentName(key)).toMatch(/^[0-9a-f]{64}$/);
      }),
    );
  });

  it.each([...JUNK, '{"held":{"a":0,"b":-1,"c":"1","d":1.5,"e":null}}'])('hold nothing where they say %j', (text) => {
    expect(decodeDocument('k', text).held.size).toBe(0);
  });
});

describe('messages about rates', () => {
  const spending = (key: string): Spending => ({ key, cost: 3, rate: { requestsPerSecond: 0.5, burst: 7 } });

  it('say what was spent, of a bounded number of callers', () => {
    const spent = Array.from({ length: MAX_TOLD_CALLERS + 1 }, (_, n) => spending(`key/${n}"\u{1f41a}`));
    expect(decodeSpending(encodeSpending(spent))).toEqual(spent.slice(0, MAX_TOLD_CALLERS));
    expect(decodeSpending('[]')).toEqual([]);
  });

  it.each([
    ...JUNK.filter((text) => text !== '[]'),
    '[["k",-1,1,1]]',
    '[["k",1,0,1]]',
    '[["k",1,1,0]]',
    '[["k",1e300,1,1]]',
    '[["k",1,1]]',
    '[[1,1,1,1]]',
  ])('are refused as a whole: %j', (text) => {
    expect(decodeSpending(text)).toBeUndefined();
  });

  it('are refused as a whole with too many callers or too long a key', () => {
    const tuples = Array.from({ length: MAX_TOLD_CALLERS + 1 }, () => ['k', 1, 1, 1]);
    expect(decodeSpending(JSON.stringify(tuples.slice(1)))).toHaveLength(MAX_TOLD_CALLERS);
    expect(decodeSpending(JSON.stringify(tuples))).toBeUndefined();
    expect(decodeSpending(JSON.stringify([['x'.repeat(2_000), 1, 1, 1]]))).toBeUndefined();
  });
});

describe('messages about presence', () => {
  const member = (name: string) => ({ memberId: crypto.randomUUID(), name, since: 1 });

  it('say what was said', () => {
    const told = { from: 'a', members: [member('a"\n'), member('\u{1f41a}')], ask: true };
    expect(decodePresence(encodePresence(told))).toEqual(told);
    for (const state of ['alive', 'gone'] as const) {
      expect(decodePresence(encodePresence({ from: 'a', state }))).toEqual({ from: 'a', state });
    }
  });

  it('stay within the bound of a message, with the longest present', () => {
    const longest = '\u0000'.repeat(PRESENCE_LIMITS.nameChars);
    const members = Array.from({ length: PRESENCE_LIMITS.groupMembers }, () => member(longest));
    const text = encodePresence({ from: 'a', members, ask: false });
    expect(Buffer.byteLength(text)).toBeLessThan(MAX_MESSAGE_BYTES);
    const heard = decodePresence(text);
    const shown = heard !== undefined && 'members' in heard ? heard.members : [];
    expect(shown.length).toBeGreaterThan(100);
    expect(shown).toEqual(members.slice(0, shown.length));
  });

  it.each([
    ...JUNK,
    '{"from":"a","state":"well"}',
    '{"from":"a","members":[]}',
    '{"from":"a","ask":true,"members":[{"memberId":"m","name":"","since":1}]}',
    '{"from":"a","ask":true,"members":[{"memberId":"m","name":"n","since":"1"}]}',
  ])('are refused as a whole: %j', (text) => {
    expect(decodePresence(text)).toBeUndefined();
  });

  it('are refused as a whole with too many members', () => {
    const said = (length: number) =>
      decodePresence(JSON.stringify({ from: 'a', ask: true, members: Array.from({ length }, () => member('n')) }));
    expect(said(PRESENCE_LIMITS.groupMembers)).toBeDefined();
    expect(said(PRESENCE_LIMITS.groupMembers + 1)).toBeUndefined();
  });
});

describe('messages about deltas', () => {
  const text = (content: string): SessionDelta => ({
    type: 'event_delta',
    event_id: 'm',
    delta: { type: 'content_delta', index: 0, content: { type: 'text', text: content } },
  });
  const start: SessionDelta = { type: 'event_start', event: { type: 'agent.thinking', id: 't' } };

  it('say what was written', () => {
    const contents = fc.array(fc.string({ unit: 'binary' }), { minLength: 1 });
    fc.assert(
      fc.property(contents, fc.boolean(), (texts, isAfterGap) => {
        const message = { deltas: [start, ...texts.map(text)], isAfterGap };
        expect(decodeDeltas(encodeDeltas(message))).toEqual(message);
      }),
    );
  });

  it('are as few as hold all, each within its bounds', () => {
    const deltas = Array.from({ length: 1_700 }, (_, n) => text('\u0001'.repeat(n)));
    const parts = partsOf(deltas);
    expect(parts.flat()).toEqual(deltas);
    for (const part of parts) {
      expect(part.length).toBeLessThanOrEqual(MAX_MESSAGE_DELTAS);
      const encoded = encodeDeltas({ deltas: part, isAfterGap: true });
      expect(Buffer.byteLength(encoded)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
      expect(decodeDeltas(encoded)?.deltas).toHaveLength(part.length);
    }
    expect(partsOf([])).toEqual([]);
  });

  it.each([...JUNK, '[0,[]]', '[2,[]]', '[0,[{"type":"agent.message"}]]', '[0]', ' '.repeat(MAX_MESSAGE_BYTES + 1)])(
    'are none where they cannot be read',
    (junk) => {
      expect(decodeDeltas(junk)).toBeUndefined();
    },
  );
});
