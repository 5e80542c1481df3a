/** What a signed request carries, by the names of Standard Webhooks. */
export type WebhookHeaders = Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>>;

/** Headers as servers have them: names in any case, values that came once or several times. */
export type ReceivedHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The one value of a header. Undefined when it is absent or empty, or when it came several times. */
export function headerOf(headers: ReceivedHeaders, name: keyof WebhookHeaders): string | undefined {
  const values = Object.keys(headers)
    .filter((key) => key.toLowerCase() === name)
    .flatMap((key) => headers[key] ?? []);
  const [value] = values;
  return values.length === 1 && typeof value === 'string' && value !== '' ? value : undefined;
}
