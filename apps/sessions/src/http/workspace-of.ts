import type { Principal } from '@sluice/access';
import { SluiceError } from '@sluice/event-log';
import type { FastifyRequest } from 'fastify';
import { callHeaders } from './sdk-route';

const HEADER = 'anthropic-workspace-id';

/**
 * The workspace of a request: the one that it names by header or query, or that of who calls. Whether they may work there
 * is not asked.
 * @throws SluiceError `invalid_request` for what is no workspace, for two different ones, and for operators who name none
 */
export function workspaceOf(
  request: Pick<FastifyRequest, 'headers'>,
  principal: Pick<Principal, 'workspaceId'>,
  ofQuery: number | undefined,
): number {
  const named = callHeaders.shape[HEADER].safeParse(request.headers[HEADER]);
  if (!named.success) throw invalid(`headers.${HEADER}`, 'must be the number of a workspace');
  if (named.data !== undefined && ofQuery !== undefined && named.data !== ofQuery) {
    throw invalid(`headers.${HEADER}`, 'is another workspace than workspaceId');
  }
  const workspaceId = named.data ?? ofQuery ?? principal.workspaceId;
  if (workspaceId === null) throw invalid('query.workspaceId', 'an operator has to name a workspace');
  return workspaceId;
}

function invalid(where: string, message: string): SluiceError {
  return new SluiceError('invalid_request', `${where}: ${message}`, { where });
}
