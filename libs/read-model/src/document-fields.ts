type Fields = Readonly<Record<string, unknown>>;

/**
 * The column `fields` as it is written: each member is the JSON text of its value. JSONB would refuse U+0000 and unpaired
 * surrogates, which JSON texts escape, and keep neither numbers nor the order of names as they are. An `undefined` member
 * is null: it takes the field away.
 */
export function encodeFields(fields: Fields): Readonly<Record<string, string | null>> {
  const encoded = Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value) ?? null] as const);
  return Object.fromEntries(encoded);
}

/** What `encodeFields` wrote. */
export function decodeFields(column: Readonly<Record<string, string>>): Fields {
  return Object.fromEntries(Object.entries(column).map(([name, text]) => [name, JSON.parse(text) as unknown]));
}
