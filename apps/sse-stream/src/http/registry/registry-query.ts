import { REGISTRY_CATEGORIES, REGISTRY_EVENT_TYPES, type RegistryCategory } from '@sluice/event-schema';
import type { WantedEvents } from '../../requested-filter';
import { checkStrictly } from './registry-strictness';
import { AGENT_ID, clampedHeartbeat, items } from './registry-values';

type Flags = { readonly [category in RegistryCategory]?: boolean };

/** What `connected` tells of the query, as it was understood. What was absent is absent. */
export interface EchoedFilters extends Flags {
  readonly agentIds?: readonly string[];
  readonly chainIds?: readonly number[];
  readonly eventTypes?: readonly string[];
}

export interface RegistryQuery {
  readonly filters: EchoedFilters;
  readonly wanted: WantedEvents;
  readonly heartbeatSeconds: number;
  readonly lastEventId: string | undefined;
  /** Faults of the query are an error (`strict=true`). */
  readonly isStrict: boolean;
}

const CATEGORIES = Object.keys(REGISTRY_CATEGORIES) as RegistryCategory[];

/**
 * Reads the query as the public registry API does: whatever is in it, there is a stream. A repeated parameter counts by
 * its first value, unknown ones do not count, and what is no number is left out.
 * `minHeartbeatSeconds` is the shortest pause between heartbeats.
 * @throws SluiceError `invalid_request` that names the parameter, and only with `strict=true`
 */
export function readRegistryQuery(query: unknown, minHeartbeatSeconds?: number): RegistryQuery {
  const given = Object(query) as Readonly<Record<string, unknown>>;
  const isStrict = first(given['strict']) === 'true';
  if (isStrict) checkStrictly(given);
  const agentIds = list(given['agentIds']);
  const chainIds = list(given['chainIds'])
    ?.map((item) => Number.parseInt(item, 10))
    .filter(Number.isSafeInteger);
  const eventTypes = list(given['eventTypes']);
  const flags = readFlags(given);
  const filters = { ...(agentIds && { agentIds }), ...(chainIds && { chainIds }), ...(eventTypes && { eventTypes }) };
  return {
    filters: { ...filters, ...flags },
    wanted: toWanted(filters, flags),
    heartbeatSeconds: clampedHeartbeat(first(given['heartbeat']), minHeartbeatSeconds),
    lastEventId: first(given['lastEventId']) || undefined,
    isStrict,
  };
}

/**
 * All conditions are combined by AND. A list that has nothing in it that could match matches nothing, but chain ids, of
 * which none means any.
 */
function toWanted({ agentIds, chainIds, eventTypes }: EchoedFilters, flags: Flags): WantedEvents {
  const named = eventTypes && new Set(eventTypes);
  const types = typesOf(flags).filter((type) => !named || named.has(type));
  return {
    families: ['registry'],
    ...(types.length < REGISTRY_EVENT_TYPES.length && { types }),
    ...(agentIds && { entityIds: [...new Set(agentIds.filter((agentId) => AGENT_ID.test(agentId)))] }),
    ...(chainIds && chainIds.length > 0 && { chainIds: [...new Set(chainIds)] }),
  };
}

/** Any flag that is true: the types of the categories that are; only false ones: all but theirs. */
function typesOf(flags: Flags): readonly string[] {
  const anyOn = CATEGORIES.some((category) => flags[category]);
  const letBy = CATEGORIES.filter((category) => (anyOn ? flags[category] === true : flags[category] !== false));
  return letBy.flatMap((category): readonly string[] => REGISTRY_CATEGORIES[category]);
}

function readFlags(given: Readonly<Record<string, unknown>>): Flags {
  const values = CATEGORIES.map((category) => [category, first(given[category])] as const);
  return Object.fromEntries(
    values.flatMap(([category, value]) => (value === undefined ? [] : [[category, value === 'true']])),
  );
}

function first(value: unknown): string | undefined {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' ? one : undefined;
}

/** Undefined for an absent or an empty list. */
function list(value: unknown): readonly string[] | undefined {
  const text = first(value);
  return text ? items(text) : undefined;
}
