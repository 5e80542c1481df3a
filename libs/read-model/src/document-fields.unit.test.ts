import fc from 'fast-check';
import { decodeFields, encodeFields, LONG_FIELDS, lengthOfFields, type FieldColumns } from './document-fields';

const columnsOf = (fields: Readonly<Record<string, unknown>>): FieldColumns => {
  const { short, long } = encodeFields(fields);
  const none = Object.fromEntries(LONG_FIELDS.map((name) => [name, null]));
  return { fields: short, ...none, ...long } as FieldColumns;
};

describe('the columns of fields', () => {
  it('give back any JSON, and have nothing that a column refuses (G7)', () => {
    const name = fc.oneof(fc.constantFrom(...LONG_FIELDS), fc.string());
    const value = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.constantFrom('\u0000', '\ud800', null));
    fc.assert(
      fc.property(fc.dictionary(name, value), (fields) => {
        const json = JSON.parse(JSON.stringify(fields)) as Record<string, unknown>;
        expect(decodeFields(columnsOf(json))).toEqual(json);
        const texts = Object.values(encodeFields(json)).flatMap((texts) => Object.values(texts));
        for (const text of texts) expect(text).not.toMatch(/\0|\p{Surrogate}/u);
      }),
    );
  });

  it('say which fields are taken away, and that null is a value', () => {
    expect(encodeFields({ cron: undefined, script: undefined, agent_id: null, prompt: null })).toEqual({
      short: { cron: null, agent_id: 'null' },
      long: { script: null, prompt: 'null' },
    });
  });

  it('have the length of their texts', () => {
    expect(lengthOfFields(columnsOf({ title: 'ab', description: 'abc' }))).toBe('"ab""abc"'.length);
  });
});
