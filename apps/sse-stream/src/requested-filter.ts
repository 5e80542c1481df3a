import { authorise, narrowToScope, type Principal } from '@sluice/access';
import { SluiceError, type EventFilter } from '@sluice/event-log';
import { PUBLIC_WORKSPACE_ID, type EventFamily } from '@sluice/event-schema';

/** What a caller asks to see, at whichever door. Fields are combined by AND, the values of one by OR; absent means any. */
export interface WantedEvents {
  readonly families?: readonly EventFamily[];
  readonly entityIds?: readonly string[];
  readonly types?: readonly string[];
  /** Only entities of these chains. */
  readonly chainIds?: readonly number[];
  /** Absent: the caller's own. An operator has none and must name one, unless it asks for registry events alone. */
  readonly workspaceId?: number;
}

/**
 * The filter that shows a caller what it wants, as far as it may see it. Every door asks here, and nowhere else (G8):
 *
 * - registry events are public, and are shown only when their family is named; all else is of one workspace. Where both
 *   are named, the filter itself shows nothing else of the public workspace;
 * - a caller that names nothing gets all that its credential is for: its workspace, its sandbox, its token's scope.
 *
 * `where` is the part of the request that was read (`query`, `filter`), for errors.
 * @throws SluiceError `invalid_request`, `unauthorized` (foreign workspace or sandbox), `forbidden` (beyond the scope)
 */
export function toEventFilter(principal: Principal, wanted: WantedEvents, where: string): EventFilter {
  const { families, entityIds, types, chainIds } = withinScope(principal, wanted, where);
  const workspaceIds = new Set<number>();
  for (const family of families ?? [undefined]) {
    const workspaceId =
      family === 'registry' ? PUBLIC_WORKSPACE_ID : ownWorkspace(principal, wanted.workspaceId, where);
    for (const entityId of entityIds?.length ? entityIds : [undefined])
      authorise(principal, 'stream', { workspaceId, family, entityId });
    workspaceIds.add(workspaceId);
  }
  return {
    workspaceIds: [...workspaceIds],
    ...(families && { families }),
    ...(entityIds && { entityIds }),
    ...(types && { types }),
    ...(chainIds && { entityIdPrefixes: chainIds.map((chainId) => `${chainId}:`) }),
  };
}

function withinScope(principal: Principal, wanted: WantedEvents, where: string): WantedEvents {
  if (principal.kind === 'stream') return narrowToScope(principal.scope, wanted, where);
  if (principal.kind !== 'sandbox') return wanted;
  return {
    ...wanted,
    families: wanted.families ?? ['sandbox'],
    entityIds: wanted.entityIds ?? [principal.sandboxId],
  };
}

function ownWorkspace(principal: Principal, wanted: number | undefined, where: string): number {
  const workspaceId = wanted ?? principal.workspaceId;
  if (workspaceId === null) {
    const message = 'workspaceId is required with these credentials';
    throw new SluiceError('invalid_request', message, { where: `${where}.workspaceId` });
  }
  return workspaceId;
}
