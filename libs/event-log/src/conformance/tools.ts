import { encodeEnvelope, newEventId, type EncodedEnvelope, type EventEnvelope } from '@sluice/event-schema';

/** Resolves as soon as the condition holds, looking every few milliseconds; rejects when the deadline passes. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = 'the condition',
  deadlineMs = 60_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not hold within ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A sandbox event for tests. */
export function sandboxEnvelope(overrides: Partial<EventEnvelope> = {}): EncodedEnvelope {
  return encodeEnvelope({
    id: newEventId(),
    family: 'sandbox',
    entityId: 'sandbox-123',
    workspaceId: 1,
    type: 'execution.completed',
    schemaVersion: 1,
    occurredAt: 1_700_000_000_000,
    data: { exitCode: 0 },
    ...overrides,
  });
}
