import { SluiceError } from '@sluice/event-log';
import { PUBLIC_WORKSPACE_ID, type EventFamily } from '@sluice/event-schema';
import { badCredentials } from './errors';
import type { Principal, SandboxPrincipal, StreamPrincipal } from './principal';
import { ROLE_ACTIONS, type Action, type ActingRole } from './roles';

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
 * Registry events in the public workspace may be read and streamed by every key, and appended by operators only. Of a
 * stream token's scope families and entities are judged here, and a resource that names none is beyond a scope that
 * does: `narrowToScope` comes before.
 *
 * It does not look at the clock: authentication does that, and `whenExpired` for what stays open.
 */
export function authorise(principal: Principal, action: Action, resource: Resource): void {
  const role = actingRole(principal);
  if (role !== 'operator') {
    if (resource.workspaceId === null) throw forbidden(action);
    if (principal.workspaceId !== resource.workspaceId && !isPublicReading(principal, action, resource)) {
      throw badCredentials();
    }
    // What is public is said by the platform alone, also to keys that were made for that workspace.
    if (action === 'append' && isPublic(resource)) throw forbidden(action);
  }
  if (principal.kind === 'sandbox') requireOwnSandbox(principal, action, resource);
  if (principal.kind === 'stream') requireWithinScope(principal, action, resource);
  if (!ROLE_ACTIONS[role][action]) throw forbidden(action);
}

function actingRole(principal: Principal): ActingRole {
  switch (principal.kind) {
    case 'api_key':
      return principal.role;
    case 'local':
      return 'writer';
    case 'sandbox':
    case 'stream':
      return principal.kind;
  }
}

function isPublic({ workspaceId, family }: Resource): boolean {
  return workspaceId === PUBLIC_WORKSPACE_ID || family === 'registry';
}

function isPublicReading({ kind }: Principal, action: Action, { workspaceId, family }: Resource): boolean {
  if (kind === 'sandbox' || workspaceId !== PUBLIC_WORKSPACE_ID || family !== 'registry') return false;
  return action === 'read' || action === 'stream';
}

function requireOwnSandbox(principal: SandboxPrincipal, action: Action, resource: Resource): void {
  if (resource.family === 'sandbox' && resource.entityId === principal.sandboxId) return;
  if (resource.entityId !== undefined && resource.entityId !== principal.sandboxId) throw badCredentials();
  throw forbidden(action);
}

function requireWithinScope({ scope }: StreamPrincipal, action: Action, { family, entityId }: Resource): void {
  const isWithin =
    (scope.families === undefined || (family !== undefined && scope.families.includes(family))) &&
    (scope.entityIds === undefined || (entityId !== undefined && scope.entityIds.includes(entityId)));
  if (!isWithin) throw forbidden(action);
}

function forbidden(action: Action): SluiceError {
  return new SluiceError('forbidden', `These credentials do not allow this (${action})`);
}
