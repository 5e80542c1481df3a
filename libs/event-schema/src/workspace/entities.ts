import { z } from 'zod';
import { MAX_NAME_LENGTH } from '../limits';

/** What workspace events are about. Events about an agent are about the session that it works in. */
export const WORKSPACE_ENTITY_KINDS = ['task', 'session', 'group', 'cron'] as const;

export type WorkspaceEntityKind = (typeof WORKSPACE_ENTITY_KINDS)[number];

/** Longest id in workspace events, in Unicode characters: with its kind in front it is still a name. */
export const MAX_WORKSPACE_OBJECT_ID_LENGTH = MAX_NAME_LENGTH - Math.max(...WORKSPACE_ENTITY_KINDS.map(prefixLength));

/**
 * An id in workspace events: of a task, session, group chat, member, message, agent, cron job or run. `.` and `..` are
 * none: clients take them out of the path of a URL, escaped or not, so what is called so could not be asked for.
 */
export const workspaceObjectIdSchema = z
  .string()
  .regex(
    new RegExp(`^(?!\\.{1,2}$)[^\\s\\p{C}]{1,${MAX_WORKSPACE_OBJECT_ID_LENGTH}}$`, 'u'),
    `must have 1 to ${MAX_WORKSPACE_OBJECT_ID_LENGTH} printable characters, without white space, and be neither . nor ..`,
  );

/** The entity id of workspace events, for example `task/<task_id>`. */
export function workspaceEntityId(kind: WorkspaceEntityKind, id: string): string {
  return `${kind}/${id}`;
}

function prefixLength(kind: WorkspaceEntityKind): number {
  return kind.length + 1;
}
