import fc from 'fast-check';
import { decodeCursor, encodeCursor, parseStartPlace } from './cursor';
import { newEpoch, toEpoch, toPosition } from './position';

const EPOCH = toEpoch('0000abcd');

const place = fc.record({
  epoch: fc.integer({ min: 0, max: 0xffffffff }).map((value) => toEpoch(value.toString(16).padStart(8, '0'))),
  position: fc.maxSafeNat().map(toPosition),
});
const placeWithRevision = fc.record(
  {
    epoch: fc.constant(EPOCH),
    position: fc.maxSafeNat().map(toPosition),
    revision: fc.maxSafeNat().map((n) => n || 1),
  },
  { requiredKeys: ['epoch', 'position'] },
);

const codeOf = (text: string) => {
  try {
    decodeCursor(text);
    return 'accepted';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

describe('cursor', () => {
  it('comes back as the place that it encodes (G4)', () => {
    fc.assert(fc.property(place, (at) => expect(decodeCursor(encodeCursor(at))).toEqual(at)));
    fc.assert(fc.property(placeWithRevision, (at) => expect(decodeCursor(encodeCursor(at))).toEqual(at)));
    for (const position of [0, 1, 35, 36, Number.MAX_SAFE_INTEGER]) {
      const at = { epoch: EPOCH, position: toPosition(position) };
      expect(decodeCursor(encodeCursor(at))).toEqual(at);
    }
  });

  it('has one text only: what is accepted is what would be given out', () => {
    const alphabet = fc.constantFrom(...'0123456789abcdefz-');
    const near = fc.tuple(fc.constantFrom('1-0000abcd-', '1-', ''), fc.string({ unit: alphabet, maxLength: 24 }));
    fc.assert(
      fc.property(
        fc.oneof(
          near.map((parts) => parts.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          if (codeOf(text) === 'accepted') expect(encodeCursor(decodeCursor(text))).toBe(text);
          else expect(codeOf(text)).toBe('invalid_cursor');
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('fits an SSE id, a URL and a line of TCP as it is', () => {
    fc.assert(
      fc.property(place, (at) => {
        expect(encodeCursor(at)).toMatch(/^[0-9a-z-]{12,22}$/);
        expect(encodeURIComponent(encodeCursor(at))).toBe(encodeCursor(at));
      }),
    );
  });

  it('gives two places two cursors', () => {
    fc.assert(
      fc.property(place, place, (a, b) => {
        const same = a.epoch === b.epoch && a.position === b.position;
        expect(encodeCursor(a) === encodeCursor(b)).toBe(same);
      }),
    );
  });

  it('keeps the epoch apart from the position, so that an old numbering can be told (G5)', () => {
    const [before, after] = [toEpoch('00000001'), toEpoch('00000002')];
    const cursor = encodeCursor({ epoch: before, position: toPosition(7) });
    expect(decodeCursor(cursor).epoch).toBe(before);
    expect(decodeCursor(cursor).epoch).not.toBe(after);
  });

  it.each([
    ['nothing', ''],
    ['a number', '7'],
    ['no version', '0000abcd-7'],
    ['another version', '2-0000abcd-7'],
    ['a short epoch', '1-abcd-7'],
    ['a long epoch', '1-00000abcd-7'],
    ['an epoch in upper case', '1-0000ABCD-7'],
    ['an epoch that is not hexadecimal', '1-0000abcg-7'],
    ['no position', '1-0000abcd-'],
    ['no position and no dash', '1-0000abcd'],
    ['a position with leading zeros', '1-0000abcd-07'],
    ['a position in upper case', '1-0000abcd-A'],
    ['a negative position', '1-0000abcd--7'],
    ['a signed position', '1-0000abcd-+7'],
    ['a position with a fraction', '1-0000abcd-7.5'],
    ['a position above the largest safe one', '1-0000abcd-2gosa7pa2gw'],
    ['a huge position', '1-0000abcd-zzzzzzzzzzz'],
    ['a position of a thousand digits', `1-0000abcd-${'z'.repeat(1000)}`],
    ['revision 0', '1-0000abcd-7-0'],
    ['no revision and a dash', '1-0000abcd-7-'],
    ['a revision above the largest safe one', '1-0000abcd-7-2gosa7pa2gw'],
    ['something after the revision', '1-0000abcd-7-1-1'],
    ['a blank before', ' 1-0000abcd-7'],
    ['a blank after', '1-0000abcd-7 '],
    ['a line break after', '1-0000abcd-7\n'],
    ['CR and LF inside', '1-0000abcd\r\n-7'],
    ['NUL', '1-0000abcd-7\u0000'],
    ['a lone surrogate', '1-0000abcd-\ud800'],
    ['digits of another script', '1-0000abcd-٣'],
    ['two cursors', '1-0000abcd-7,1-0000abcd-8'],
    ['a magic word', 'latest'],
    ['a property of objects', '__proto__'],
  ])('rejects %s with its code', (_, text) => {
    expect(() => decodeCursor(text)).toThrow(
      expect.objectContaining({ code: 'invalid_cursor', status: 400, retryable: false, where: 'cursor' }),
    );
  });

  it('shows nothing of a rejected cursor in its message', () => {
    expect(() => decodeCursor('secret-text')).toThrow(/^(?!.*secret).*$/);
  });
});

describe('parseStartPlace', () => {
  it('reads the two magic cursors, and any other', () => {
    expect(parseStartPlace('earliest')).toBe('earliest');
    expect(parseStartPlace('latest')).toBe('latest');
    expect(parseStartPlace('1-0000abcd-a')).toEqual({ epoch: EPOCH, position: 10 });
  });

  it.each(['Earliest', 'LATEST', 'latest ', 'newest', '', '0'])('rejects %j', (text) => {
    expect(() => parseStartPlace(text)).toThrow(expect.objectContaining({ code: 'invalid_cursor' }));
  });
});

describe('positions and epochs', () => {
  it.each([-1, 0.5, Number.NaN, Infinity, Number.MAX_SAFE_INTEGER + 1])('takes %p for no position', (value) => {
    expect(() => toPosition(value)).toThrow(RangeError);
  });

  it.each(['', 'abcd', '0000ABCD', '0000abcg', '00000abcd', '0000abcd\n'])('takes %j for no epoch', (text) => {
    expect(() => toEpoch(text)).toThrow(RangeError);
  });

  it('makes epochs that were not used before', () => {
    const epochs = Array.from({ length: 100 }, newEpoch);
    expect(new Set(epochs).size).toBeGreaterThan(95);
    for (const epoch of epochs) expect(toEpoch(epoch)).toBe(epoch);
  });
});
