import type { Principal } from '@sluice/access';
import { SluiceError } from '@sluice/event-log';
import type { Actor } from '../signals';

/**
 * The workspace that a request is about: the named one, else the caller's own. Whether the caller may is for `authorise`
 * to say.
 * @throws SluiceError `invalid_request` when an operator, who has none of their own, names none.
 */
export function workspaceOf(principal: Principal, named: number | undefined, part: 'query' | 'body'): number {
  const workspaceId = named ?? principal.workspaceId;
  if (workspaceId !== null) return workspaceId;
  const where = `${part}.workspaceId`;
  throw new SluiceError('invalid_request', `${where}: an operator has to name a workspace`, { where });
}

/** Who administers, for the log. */
export function actorOf(principal: Principal): Actor {
  const { workspaceId } = principal;
  return { keyId: principal.kind === 'api_key' ? principal.keyId : 'sandbox', workspaceId };
}
