import { SluiceError } from '@sluice/event-log';
import type { EventFamily } from '@sluice/event-schema';
import { badCredentials } from './errors';
import type { Principal, SandboxPrincipal } from './principal';
import { ROLE_ACTIONS, type Action } from './roles';

/** What an action is aimed at. Without family and entity it is the whole workspace. */
export interface Resource {
  /** Null means the whole platform, which is an operator's alone. */
  readonly workspaceId: number | null;
  readonly family?: EventFamily | undefined;
  readonly entityId?: string | undefined;
}

/**
 * Returns when the principal may do the action, and throws when not:
 * - `unauthorized` for a foreign workspace or a foreign sandbox, with the words of a bad credential, so that nobody
 *   learns what exists outside;
 * - `forbidden` for what lies within the principal's own workspace but beyond its role or scope.
 *
 * It does not look at the clock: authentication does that, and `whenExpired` for what stays open.
 */
export function authorise(principal: Principal, action: Action, resource: Resource): void {
  const role = principal.kind === 'sandbox' ? 'sandbox' : principal.role;
  if (role !== 'operator') {
    if (resource.workspaceId === null) throw forbidden(action);
    if (principal.workspaceId !== resource.workspaceId) throw badCredentials();
  }
  if (principal.kind === 'sandbox') requireOwnSandbox(principal, action, resource);
  if (!ROLE_ACTIONS[role][action]) throw forbidden(action);
}

function requireOwnSandbox(principal: SandboxPrincipal, action: Action, resource: Resource): void {
  if (resource.family === 'sandbox' && resource.entityId === principal.sandboxId) return;
  if (resource.entityId !== undefined && resource.entityId !== principal.sandboxId) throw badCredentials();
  throw forbidden(action);
}

function forbidden(action: Action): SluiceError {
  return new SluiceError('forbidden', `These credentials do not allow this (${action})`);
}
