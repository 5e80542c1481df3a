import { z } from 'zod';

/** What a caller may want to do with a workspace's data. */
export const ACTIONS = ['append', 'read', 'stream', 'administer'] as const;

export type Action = (typeof ACTIONS)[number];

/** Roles of keys that belong to one workspace. */
export const WORKSPACE_ROLES = ['reader', 'writer', 'admin'] as const;

/** All roles of API keys. `operator` is platform-wide and comes from configuration only. */
export const ROLES = [...WORKSPACE_ROLES, 'operator'] as const;

export const workspaceRoleSchema = z.enum(WORKSPACE_ROLES);

export const roleSchema = z.enum(ROLES);

export type WorkspaceRole = z.infer<typeof workspaceRoleSchema>;

export type Role = z.infer<typeof roleSchema>;

/** What stands in the table of actions: the roles of keys, and two kinds of tokens. */
export type ActingRole = Role | 'sandbox' | 'stream';

/**
 * What each role may do, within its workspace (an operator: within any). `sandbox` stands for the bearer of a sandbox's
 * access token, who is confined to that one sandbox's events besides; `stream` for the bearer of a stream token, who is
 * confined to its scope.
 */
export const ROLE_ACTIONS: Readonly<Record<ActingRole, Readonly<Record<Action, boolean>>>> = {
  reader: { append: false, read: true, stream: true, administer: false },
  writer: { append: true, read: true, stream: true, administer: false },
  admin: { append: true, read: true, stream: true, administer: true },
  operator: { append: true, read: true, stream: true, administer: true },
  sandbox: { append: true, read: true, stream: true, administer: false },
  stream: { append: false, read: false, stream: true, administer: false },
};
