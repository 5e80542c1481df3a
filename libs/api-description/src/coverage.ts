import type { EventCatalogue } from '@sluice/event-schema';
import { messageNameOf } from './asyncapi';
import type { JsonObject } from './json';
import type { Operation } from './operation';

/** A route as a server registers it, with `:name` for a parameter. */
export interface RegisteredRoute {
  readonly method: string;
  readonly url: string;
}

export interface RouteDifferences {
  /** Registered, and no operation says so. */
  readonly undescribed: readonly string[];
  /** Described, and no server has it. */
  readonly unregistered: readonly string[];
}

/**
 * What is registered but not described, and the other way round, as `GET /v1/events/{eventId}`. HEAD comes with GET by
 * itself and OPTIONS answers browsers for every route: neither has to be described.
 */
export function compareRoutes(
  routes: readonly RegisteredRoute[],
  operations: readonly Pick<Operation, 'method' | 'path'>[],
): RouteDifferences {
  const registered = new Set(routes.map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`));
  const described = new Set(operations.map(({ method, path }) => `${method} ${path}`));
  const isImplied = (route: string) =>
    route.startsWith('OPTIONS ') || (route.startsWith('HEAD ') && registered.has(route.replace('HEAD', 'GET')));
  return {
    undescribed: [...registered].filter((route) => !described.has(route) && !isImplied(route)).sort(),
    unregistered: [...described].filter((route) => !registered.has(route)).sort(),
  };
}

/** The event types of the catalogue that an AsyncAPI document does not have, as `family/type`. */
export function undescribedEventTypes(catalogue: EventCatalogue, document: JsonObject): readonly string[] {
  const { components } = document as { readonly components?: { readonly messages?: JsonObject } };
  const messages = components?.messages ?? {};
  return catalogue
    .all()
    .filter((event) => !Object.hasOwn(messages, messageNameOf(event)))
    .map(({ family, type }) => `${family}/${type}`)
    .sort();
}

/** The event types of the catalogue that no channel of an AsyncAPI document carries, as `family/type`. */
export function uncarriedEventTypes(catalogue: EventCatalogue, document: JsonObject): readonly string[] {
  const { channels = {} } = document as {
    readonly channels?: Readonly<Record<string, { readonly messages?: JsonObject }>>;
  };
  const carried = new Set(Object.values(channels).flatMap(({ messages = {} }) => Object.keys(messages)));
  return catalogue
    .all()
    .filter((event) => !carried.has(messageNameOf(event)))
    .map(({ family, type }) => `${family}/${type}`)
    .sort();
}
