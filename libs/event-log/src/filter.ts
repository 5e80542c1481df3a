import type { EventFamily, RecordedEvent } from '@sluice/event-schema';

/** Which events a reader wants. Fields are combined by AND, the values of one field by OR; an absent field means any. */
export interface EventFilter {
  /** Never absent: no reader sees a workspace that it did not name (G8). */
  readonly workspaceIds: readonly number[];
  readonly families?: readonly EventFamily[];
  readonly entityIds?: readonly string[];
  /** How an entity id begins. No character of a prefix stands for anything but itself; an empty one is any beginning. */
  readonly entityIdPrefixes?: readonly string[];
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

/** Whether no event can match, since a list of the filter is empty. Who reads by such a filter need not ask anybody. */
export function matchesNothing(filter: EventFilter): boolean {
  const { workspaceIds, families, entityIds, entityIdPrefixes, types } = filter;
  return [workspaceIds, families, entityIds, entityIdPrefixes, types].some((values) => values?.length === 0);
}

/** Compiles a filter once, for use on every event. */
export function compileFilter(filter: EventFilter): EventPredicate {
  if (matchesNothing(filter)) return () => false;
  const workspaces = new Set(filter.workspaceIds);
  const families = filter.families && new Set<string>(filter.families);
  const entities = filter.entityIds && new Set(filter.entityIds);
  const entityPrefixes = filter.entityIdPrefixes && [
    ...prefixesByLength(filter.entityIdPrefixes, ({ length }) => length),
  ];
  const types = filter.types && splitTypes(filter.types);
  const exact = types && new Set(types.exact);
  return (event) =>
    workspaces.has(event.workspaceId) &&
    (families === undefined || families.has(event.family)) &&
    (entities === undefined || entities.has(event.entityId)) &&
    (entityPrefixes === undefined ||
      entityPrefixes.some(([length, prefixes]) => prefixes.has(event.entityId.slice(0, length)))) &&
    (types === undefined ||
      exact?.has(event.type) === true ||
      types.prefixes.some((prefix) => event.type.startsWith(prefix)));
}

/** Prefixes by their length, as the caller measures it: many of one length cost a reader one look-up, not many. */
export function prefixesByLength(
  prefixes: readonly string[],
  lengthOf: (prefix: string) => number,
): ReadonlyMap<number, ReadonlySet<string>> {
  const byLength = new Map<number, Set<string>>();
  for (const prefix of prefixes) {
    const length = lengthOf(prefix);
    const same = byLength.get(length);
    if (same) same.add(prefix);
    else byLength.set(length, new Set([prefix]));
  }
  return byLength;
}

/**
 * Whether a read by this filter looks at hardly more events than it gives: those of one entity, or all of one workspace.
 * Others may look through everything for one event, so their reads are bounded by a range of positions.
 */
export function isSelective(filter: EventFilter): boolean {
  const { workspaceIds, families, entityIds, entityIdPrefixes, types } = filter;
  if (workspaceIds.length > 1) return false;
  return entityIds ? entityIds.length <= 1 : !families && !entityIdPrefixes && !types;
}
