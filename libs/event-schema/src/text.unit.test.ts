import { Ajv2020 } from 'ajv/dist/2020';
import fc from 'fast-check';
import { z } from 'zod';
import { textSchema } from './text';

const MAX = 5;
const schema = textSchema(MAX);

describe('textSchema', () => {
  it.each(['', 'abc', '🐚🐚🐚🐚🐚', 'a\r\nb', '\u0000\u2028', '\ue000', 'e\u0301e\u0301e'])('takes %j', (text) => {
    expect(schema.safeParse(text).success).toBe(true);
  });

  it.each([7, null, 'abcdef', '🐚🐚🐚🐚🐚🐚', 'aaaaa🐚', 'x'.repeat(11), 'a\ud800', '\udc00', '\udc00\ud800'])(
    'rejects %j',
    (text) => {
      expect(schema.safeParse(text).success).toBe(false);
    },
  );

  it('counts the characters that JSON Schema counts, and reads pairs of surrogates as it does', () => {
    const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12' });
    const isText = new Ajv2020({ strict: true }).compile({ $schema, ...rest });
    const unit = fc.constantFrom('a', '\n', '\ud83d', '\udc1a', '🐚', '\u0000');
    const verdicts = new Set<boolean>();
    fc.assert(
      fc.property(fc.array(unit, { maxLength: MAX + 3 }), (units) => {
        const text = units.join('');
        const isValid = schema.safeParse(text).success;
        verdicts.add(isValid);
        expect(isText(text)).toBe(isValid);
      }),
      { numRuns: 1000 },
    );
    expect(verdicts.size).toBe(2);
  });

  it('looks at long text once, whatever is in it', () => {
    const long = textSchema(1_000_000);
    for (const text of ['a'.repeat(1_000_000), '🐚'.repeat(1_000_000), 'a\n'.repeat(500_000)]) {
      expect(long.safeParse(text).success).toBe(true);
      expect(long.safeParse(`${text}\ud800`).success).toBe(false);
    }
  });
});
