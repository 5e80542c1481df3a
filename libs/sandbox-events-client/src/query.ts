import { MAX_LIMIT } from './constants';
import { EventsError } from './errors';
import type { GetEventsOptions } from './types';

/** Path of a sandbox's events, the id encoded. Throws EventsError for an id that no path can carry. */
export function eventsPath(sandboxId: string): string {
  // A URL parser folds '.' and '..' even when they are percent-encoded, and would ask for another resource.
  if (typeof sandboxId !== 'string' || sandboxId === '' || sandboxId === '.' || sandboxId === '..') {
    throw new EventsError('sandboxId is not valid');
  }
  try {
    return `/events/${encodeURIComponent(sandboxId)}`;
  } catch {
    throw new EventsError('sandboxId is not valid: it has half of a surrogate pair');
  }
}

/** Query string of the options, with its question mark; empty when nothing is asked for. */
export function eventsQuery(options: GetEventsOptions): string {
  const params = new URLSearchParams();
  if (options.type) params.set('type', options.type);
  if (options.types !== undefined && options.types.length > 0) params.set('types', typeList(options.types));
  if (options.since !== undefined) params.set('since', timeOf('since', options.since));
  if (options.until !== undefined) params.set('until', timeOf('until', options.until));
  if (options.limit !== undefined) params.set('limit', limitOf(options.limit));
  if (options.cursor) params.set('cursor', options.cursor);
  if (options.order !== undefined) params.set('order', options.order);
  const query = params.toString();
  return query === '' ? '' : `?${query}`;
}

function typeList(types: readonly string[]): string {
  const wrong = types.find((type) => type === '' || type.includes(','));
  if (wrong !== undefined) throw new EventsError('types: a type is empty or has a comma');
  return types.join(',');
}

function timeOf(name: string, value: number): string {
  if (!Number.isFinite(value)) throw new EventsError(`${name} is not a time in milliseconds`);
  return String(Math.floor(value));
}

function limitOf(value: number): string {
  if (typeof value !== 'number' || Number.isNaN(value)) throw new EventsError('limit is not a number');
  return String(Math.trunc(Math.min(Math.max(1, value), MAX_LIMIT)));
}
