import type { EventEnvelope } from '../src/envelope';

export const SAMPLE: EventEnvelope = {
  id: '01a1fe01-6240-73e6-8f05-0efe9e01e202',
  family: 'sandbox',
  entityId: 'sandbox-123',
  workspaceId: 1,
  type: 'execution.completed',
  schemaVersion: 1,
  occurredAt: 1_700_000_000_000,
  data: { exitCode: 0 },
};

/** Objects in arrays in objects, `levels` of them in all, made without recursion. */
export function nested(levels: number): Record<string, unknown> {
  let value: unknown[] | Record<string, unknown> = {};
  for (let level = 1; level < levels; level++) value = level % 2 === (levels - 1) % 2 ? { value } : [value];
  return value as Record<string, unknown>;
}
