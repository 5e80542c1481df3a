import { workspaceObjectIdSchema } from '@sluice/event-schema';
import { z } from 'zod';
import {
  groupChatPatchSchema,
  groupChatSchema,
  groupSessionSchema,
  memberSchema,
  newGroupChatSchema,
  newGroupSessionSchema,
  newMemberSchema,
} from '../group-chats/group-chat';
import type { GroupChatCommands } from '../group-chats/group-chat-commands';
import { answerOf, listBody } from './answers';
import { flagField, idPath, nextCursorField, once, pageFields } from './fields';
import { defineRoute } from './route';
import type { WorkspaceDoor } from './workspace-door';

const tag = 'group chats';
const path = '/api/group-chats/{id}';
const one = { tag, path, params: idPath, refusals: { 404: 'There is no such group chat.' } } as const;
const chatSchema = z.object({ group_chat: groupChatSchema, members: z.array(memberSchema) });
const deletedSchema = z.object({ deleted: z.string() });

export const groupChatRoutes = {
  create: defineRoute({
    method: 'POST',
    path: '/api/group-chats',
    tag,
    summary: 'Create a group chat',
    body: newGroupChatSchema,
    status: 201,
    answer: chatSchema,
  }),
  list: defineRoute({
    method: 'GET',
    path: '/api/group-chats',
    tag,
    summary: 'List group chats',
    query: {
      ...pageFields(),
      workspace_path: once.optional(),
      include_global: flagField('true'),
      created_by: once.optional(),
    },
    answer: z.object({ group_chats: z.array(groupChatSchema), next_cursor: nextCursorField }),
  }),
  get: defineRoute({ ...one, method: 'GET', summary: 'Read a group chat and its members', answer: chatSchema }),
  patch: defineRoute({
    ...one,
    method: 'PATCH',
    summary: 'Change a group chat',
    body: groupChatPatchSchema,
    answer: chatSchema,
  }),
  delete: defineRoute({
    ...one,
    method: 'DELETE',
    summary: 'Delete a group chat and all in it',
    answer: deletedSchema,
  }),
  members: defineRoute({
    ...one,
    method: 'GET',
    path: `${path}/members`,
    summary: 'List the members of a group chat',
    answer: z.object({ members: z.array(memberSchema) }),
  }),
  addMember: defineRoute({
    ...one,
    method: 'POST',
    path: `${path}/members`,
    summary: 'Add a member to a group chat',
    body: newMemberSchema,
    status: 201,
    answer: memberSchema,
    refusals: { ...one.refusals, 409: 'It is a member already, or the group chat is full.' },
  }),
  removeMember: defineRoute({
    ...one,
    method: 'DELETE',
    path: `${path}/members/{memberId}`,
    summary: 'Remove a member from a group chat',
    params: idPath.extend({ memberId: workspaceObjectIdSchema }),
    answer: deletedSchema,
    refusals: { 404: 'There is no such group chat or member.' },
  }),
  openSession: defineRoute({
    ...one,
    method: 'POST',
    path: `${path}/sessions`,
    summary: 'Open a conversation in a group chat',
    body: newGroupSessionSchema,
    status: 201,
    answer: groupSessionSchema,
  }),
  sessions: defineRoute({
    ...one,
    method: 'GET',
    path: `${path}/sessions`,
    summary: 'List the conversations of a group chat',
    query: pageFields(),
    answer: z.object({ sessions: z.array(groupSessionSchema), next_cursor: nextCursorField }),
  }),
};

export function openGroupChats(door: WorkspaceDoor, chats: GroupChatCommands): void {
  const routes = groupChatRoutes;
  door.on(routes.create, async ({ scope, body }) => answerOf(await chats.create(scope, body)));
  door.on(routes.list, async ({ scope, query }) => {
    const { workspace_path: workspacePath, include_global: includeGlobal, created_by: createdBy } = query;
    const filter = { workspacePath, includeGlobal, createdBy };
    const { groupChats, nextCursor } = await chats.list(scope.workspaceId, filter, query);
    return listBody({ group_chats: groupChats }, nextCursor);
  });
  door.on(routes.get, async ({ scope, params }) => ({ body: await chats.get(scope.workspaceId, params.id) }));
  door.on(routes.patch, async ({ scope, params, body }) => answerOf(await chats.update(scope, params.id, body)));
  door.on(routes.delete, async ({ scope, params }) => answerOf(await chats.delete(scope, params.id)));
  door.on(routes.members, async ({ scope, params }) => {
    const { members } = await chats.get(scope.workspaceId, params.id);
    return { body: { members } };
  });
  door.on(routes.addMember, async ({ scope, params, body }) => answerOf(await chats.addMember(scope, params.id, body)));
  door.on(routes.removeMember, async ({ scope, params }) =>
    answerOf(await chats.removeMember(scope, params.id, params.memberId)),
  );
  door.on(routes.openSession, async ({ scope, params, body }) =>
    answerOf(await chats.openSession(scope, params.id, body)),
  );
  door.on(routes.sessions, async ({ scope, params, query }) => {
    const { sessions, nextCursor } = await chats.sessions(scope.workspaceId, params.id, query);
    return listBody({ sessions }, nextCursor);
  });
}
