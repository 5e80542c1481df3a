import type { System } from '../../e2e/system';

/** Stores many large events of the sandbox `filler`, which no writer numbers. */
export async function storeFiller(
  system: System,
  { events, bytes, round }: { readonly events: number; readonly bytes: number; readonly round: number },
): Promise<void> {
  const { baseUrl, apiKey } = system.dev();
  const text = 'x'.repeat(bytes);
  for (let n = 0; n < events; n++) {
    const response = await fetch(`${baseUrl}/events?ack=log`, {
      method: 'POST',
      headers: { 'x-api-key': apiKey, 'content-type': 'application/json', 'idempotency-key': `filler-${round}-${n}` },
      body: JSON.stringify({ sandboxId: 'filler', type: 'filler', data: { n, text } }),
    });
    if (!response.ok) throw new Error(`filler: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  }
}
