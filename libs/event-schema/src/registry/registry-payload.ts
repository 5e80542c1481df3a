import type { EventEnvelope } from '../envelope';
import { REGISTRY_EVENT_TYPES } from './event-types';
import { shownRegistryFields } from './registry-data';

/** A registry event as subscribers of the registry events door see it. */
export interface RegistryPayload {
  readonly type: string;
  readonly [field: string]: unknown;
  /** When it happened: ISO 8601 in UTC with milliseconds. */
  readonly timestamp: string;
}

/** Shown fields by type, in documented order. */
const FIELDS: ReadonlyMap<string, readonly string[]> = new Map(
  REGISTRY_EVENT_TYPES.map((type) => [type, shownRegistryFields(type)]),
);

/**
 * The registry dialect of an event: `type`, `agentId`, `chainId`, the type's own fields, `timestamp`, always in this
 * order; without hidden details, such as its place on the chain. Never throws: a type that is not known shows agent and
 * time alone.
 */
export function toRegistryPayload(event: Pick<EventEnvelope, 'type' | 'data' | 'occurredAt'>): RegistryPayload {
  const payload: Record<string, unknown> = { type: event.type };
  for (const field of FIELDS.get(event.type) ?? ['agentId', 'chainId']) {
    if (Object.hasOwn(event.data, field)) payload[field] = event.data[field];
  }
  return { ...payload, type: event.type, timestamp: new Date(event.occurredAt).toISOString() };
}
