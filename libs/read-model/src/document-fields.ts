type Fields = Readonly<Record<string, unknown>>;

/**
 * Fields of documents that are updated, and that can be long: each has a column of its own, so that a change of another
 * field does not write it anew.
 */
export const LONG_FIELDS = ['description', 'prompt', 'message', 'script', 'notifications'] as const;

type LongField = (typeof LONG_FIELDS)[number];

/** The columns of a row that hold the fields of a document. */
export type FieldColumns = { readonly fields: Readonly<Record<string, string>> } & {
  readonly [F in LongField]: string | null;
};

/** Fields as they are written, null where one is taken away. */
export interface EncodedFields {
  readonly short: Readonly<Record<string, string | null>>;
  readonly long: Readonly<Record<string, string | null>>;
}

const isLong = (name: string): boolean => LONG_FIELDS.some((long) => long === name);

/**
 * Each field as the JSON text of its value. JSONB would refuse U+0000 and unpaired surrogates, which JSON texts escape, and
 * would keep neither numbers nor the order of names as they are.
 */
export function encodeFields(fields: Fields): EncodedFields {
  const encoded = Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value) ?? null] as const);
  return {
    short: Object.fromEntries(encoded.filter(([name]) => !isLong(name))),
    long: Object.fromEntries(encoded.filter(([name]) => isLong(name))),
  };
}

/** The JSON texts that `encodeFields` wrote. */
function textsOf(columns: FieldColumns): readonly (readonly [name: string, text: string])[] {
  const long = LONG_FIELDS.flatMap((name) => {
    const text = columns[name];
    return text === null ? [] : [[name, text] as const];
  });
  return [...Object.entries(columns.fields), ...long];
}

export function decodeFields(columns: FieldColumns): Fields {
  return Object.fromEntries(textsOf(columns).map(([name, text]) => [name, JSON.parse(text) as unknown]));
}

/** Characters of the fields, as they are stored. */
export function lengthOfFields(columns: FieldColumns): number {
  return textsOf(columns).reduce((sum, [, text]) => sum + text.length, 0);
}
