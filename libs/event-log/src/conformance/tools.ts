import { encodeEnvelope, newEventId, type EncodedEnvelope, type EventEnvelope } from '@sluice/event-schema';
import type { EventRetention, RetentionScope } from '../ports/event-retention';
import type { ReadModel } from '../ports/read-model';

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

/** Everything is older than that. */
const ANY_AGE_MS = -60_000;

/** Lets retention remove the first events that there are of a family, at most so many. */
export async function removeOldest(
  retention: EventRetention,
  maxEvents: number,
  { workspaceId = 'default', family = 'sandbox' }: Partial<RetentionScope> = {},
): Promise<void> {
  await retention.setPolicy({ workspaceId, family, maxAgeMs: ANY_AGE_MS });
  const work = await retention.claim('a test', 60_000);
  for (let left = maxEvents; work && left > 0;) {
    const step = await work.step({ maxEvents: Math.min(left, 1_000), maxBytes: 1_000_000, maxScanned: 10_000 });
    if (step.kind !== 'swept') break;
    left -= step.events;
  }
  await work?.release();
  await retention.removePolicy({ workspaceId, family });
}

/** Sandbox events are recorded, and retention removes them before anybody has heard of them. */
export async function recordAndRemove(
  engine: { readModel(): Promise<ReadModel>; eventRetention(): Promise<EventRetention> },
  envelopes: readonly EncodedEnvelope[],
): Promise<void> {
  const [model, retention] = [await engine.readModel(), await engine.eventRetention()];
  await model.record({ envelopes, parked: [], checkpoints: new Map() });
  await removeOldest(retention, Infinity);
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
