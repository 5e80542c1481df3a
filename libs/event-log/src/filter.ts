import type { EventFamily, RecordedEvent } from '@sluice/event-schema';

/** Which events a reader wants. Fields are combined by AND, the values of one field by OR; an absent field means any. */
export interface EventFilter {
  /** Never absent: no reader sees a workspace that it did not name (G8). */
  readonly workspaceIds: readonly number[];
  readonly families?: readonly EventFamily[];
  readonly entityIds?: readonly string[];
  /** Exact types, or a prefix followed by `.*` (`execution.*`). */
  readonly types?: readonly string[];
}

/** Splits the types of a filter into exact names and prefixes (with their dot). */
export function splitTypes(types: readonly string[]): { exact: string[]; prefixes: string[] } {
  const exact: string[] = [];
  const prefixes: string[] = [];
  for (const type of types) {
    if (type.endsWith('.*')) prefixes.push(type.slice(0, -1));
    else exact.push(type);
  }
  return { exact, prefixes };
}

export type EventPredicate = (event: RecordedEvent) => boolean;

/** Compiles a filter once, for use on every event. */
export function compileFilter(filter: EventFilter): EventPredicate {
  const workspaces = new Set(filter.workspaceIds);
  const families = filter.families && new Set<string>(filter.families);
  const entities = filter.entityIds && new Set(filter.entityIds);
  const types = filter.types && splitTypes(filter.types);
  const exact = types && new Set(types.exact);
  return (event) =>
    workspaces.has(event.workspaceId) &&
    (families === undefined || families.has(event.family)) &&
    (entities === undefined || entities.has(event.entityId)) &&
    (types === undefined ||
      exact?.has(event.type) === true ||
      types.prefixes.some((prefix) => event.type.startsWith(prefix)));
}

/**
 * Whether a read by this filter looks at hardly more events than it gives: those of one entity, or all of one workspace.
 * Others may look through everything for one event, so their reads are bounded by a range of positions.
 */
export function isSelective({ workspaceIds, families, entityIds, types }: EventFilter): boolean {
  return workspaceIds.length <= 1 && (entityIds ? entityIds.length <= 1 : !families && !types);
}
