import type { SessionResource } from '@sluice/agent-sessions';
import { createdPlaceSchema, decodePage, encodePage } from './paging';

const LIST = 'resources';
const ORDER = 'ascending';

/**
 * One page of the resources of a session, by creation and then id: a place that stays when resources are taken away.
 * @throws SluiceError `invalid_cursor`
 */
export function pageOfResources(
  resources: readonly SessionResource[],
  { limit, page }: { readonly limit: number; readonly page?: string | undefined },
) {
  const after = page === undefined ? undefined : decodePage(page, LIST, ORDER, createdPlaceSchema);
  const rest = resources
    .map((resource) => ({ resource, createdAtMs: createdAtMsOf(resource), id: resource.id }))
    .filter((one) => after === undefined || compare(one, { createdAtMs: after[0], id: after[1] }) > 0)
    .sort(compare);
  const shown = rest.slice(0, limit);
  const last = rest.length > limit ? shown.at(-1) : undefined;
  return {
    data: shown.map(({ resource }) => resource),
    next_page: last === undefined ? null : encodePage(LIST, ORDER, [last.createdAtMs, last.id]),
  };
}

interface Place {
  readonly createdAtMs: number;
  readonly id: string;
}

function compare(a: Place, b: Place): number {
  return a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function createdAtMsOf({ created_at: time }: SessionResource): number {
  return typeof time === 'string' ? Date.parse(time) : 0;
}
