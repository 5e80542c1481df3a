import { PUBLIC_WORKSPACE_ID, type EventFamily, type RecordedEvent } from '@sluice/event-schema';

/** Which events a reader wants. Fields are combined by AND, the values of one field by OR; an absent field means any. */
export interface EventFilter {
  /**
   * Never absent: no reader sees a workspace that it did not name (G8). The public workspace beside others means its
   * registry events, whatever the families: nothing else of it is for readers of other workspaces.
   */
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

/** Whether a filter shows registry events of the public workspace beside events of others, and so nothing else of it. */
export function isPublicBeside({ workspaceIds }: EventFilter): boolean {
  return workspaceIds.includes(PUBLIC_WORKSPACE_ID) && workspaceIds.some((id) => id !== PUBLIC_WORKSPACE_ID);
}

export type EventPredicate = (event: RecordedEvent) => boolean;

/** Whether no event can match, since a list of the filter is empty. Who reads by such a filter need not ask anybody. */
export function matchesNothing(filter: EventFilter): boolean {
  const { workspaceIds, families, entityIds, entityIdPrefixes, types } = filter;
  return [workspaceIds, families, entityIds, entityIdPrefixes, types].some((values) => values?.length === 0);
}

/** Whether a filter may match events of a workspace and family, as far as these two say. */
export function mayMatch(filter: EventFilter, workspaceId: number, family: EventFamily): boolean {
  if (matchesNothing(filter) || !filter.workspaceIds.includes(workspaceId)) return false;
  if (isPublicBeside(filter) && workspaceId === PUBLIC_WORKSPACE_ID && family !== 'registry') return false;
  return filter.families?.includes(family) ?? true;
}

/** Compiles a filter once, for use on every event. */
export function compileFilter(filter: EventFilter): EventPredicate {
  if (matchesNothing(filter)) return () => false;
  const workspaces = new Set(filter.workspaceIds);
  const isOnlyRegistryPublic = isPublicBeside(filter);
  const families = filter.families && new Set<string>(filter.families);
  const entities = filter.entityIds && new Set(filter.entityIds);
  const entityPrefixes = filter.entityIdPrefixes && [
    ...prefixesByLength(filter.entityIdPrefixes, ({ length }) => length),
  ];
  const matchesType = filter.types && compileTypes(filter.types);
  return (event) =>
    workspaces.has(event.workspaceId) &&
    !(isOnlyRegistryPublic && event.workspaceId === PUBLIC_WORKSPACE_ID && event.family !== 'registry') &&
    (families === undefined || families.has(event.family)) &&
    (entities === undefined || entities.has(event.entityId)) &&
    (entityPrefixes === undefined ||
      entityPrefixes.some(([length, prefixes]) => prefixes.has(event.entityId.slice(0, length)))) &&
    (matchesType === undefined || matchesType(event.type));
}

/** A prefix ends with a dot, so one look-up per dot of a type finds any of them: many cost no more than one. */
function compileTypes(types: readonly string[]): (type: string) => boolean {
  const split = splitTypes(types);
  const exact = new Set(split.exact);
  const prefixes = new Set(split.prefixes);
  const beginsWithOne = (type: string): boolean => {
    for (let dot = type.indexOf('.'); dot >= 0; dot = type.indexOf('.', dot + 1)) {
      if (prefixes.has(type.slice(0, dot + 1))) return true;
    }
    return false;
  };
  return prefixes.size === 0 ? (type) => exact.has(type) : (type) => exact.has(type) || beginsWithOne(type);
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
