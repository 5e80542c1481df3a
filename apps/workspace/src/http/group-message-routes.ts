import { SluiceError } from '@sluice/event-log';
import { workspaceObjectIdSchema } from '@sluice/event-schema';
import { z } from 'zod';
import { groupMessageSchema, newGroupMessageSchema } from '../group-chats/group-chat';
import type { GroupMessages } from '../group-chats/group-messages';
import { listBody } from './answers';
import { idPath, nextCursorField, once, pageFields } from './fields';
import { defineRoute } from './route';
import type { WorkspaceDoor } from './workspace-door';

const tag = 'group chats';
const path = '/api/group-chats/{id}/sessions/{sessionId}/messages';
const params = idPath.extend({ sessionId: workspaceObjectIdSchema });
const refusals = { 404: 'There is no such group chat or session.' };

const shownSchema = z.object({ role: z.enum(['user', 'assistant']), name: z.string().optional(), content: z.string() });

export const groupMessageRoutes = {
  post: defineRoute({
    method: 'POST',
    path,
    tag,
    summary: 'Say something in a group chat',
    description:
      'Every agent member that it speaks to answers: all of them, or with `broadcast_mode: mention_only` those that are ' +
      'mentioned as `@id` or `@name`. Their answers are events and messages of the session.',
    params,
    body: newGroupMessageSchema,
    status: 201,
    answer: z.object({ message: groupMessageSchema, agents_triggered: z.array(z.string()) }),
    refusals,
  }),
  list: defineRoute({
    method: 'GET',
    path,
    tag,
    summary: 'List the messages of a group chat',
    description:
      '`view=ui` gives pages from the newest message back, the oldest of a page first. `view=agent` gives what the agent ' +
      '`agent_id` is shown, at most `history_limit` messages.',
    params,
    query: {
      ...pageFields('desc'),
      view: z.enum(['ui', 'agent'], { error: 'must be ui or agent' }).default('ui'),
      agent_id: once.pipe(workspaceObjectIdSchema).optional(),
    },
    answer: z.object({
      messages: z.union([z.array(groupMessageSchema), z.array(shownSchema)]),
      next_cursor: nextCursorField,
    }),
    refusals,
  }),
};

export function openGroupMessages(door: WorkspaceDoor, groupMessages: GroupMessages): void {
  door.on(groupMessageRoutes.post, async ({ scope, params: { id, sessionId }, body }) => {
    const { value, isPending } = await groupMessages.post(scope, id, sessionId, body);
    return { body: { message: value.message, agents_triggered: value.agentsTriggered }, isPending };
  });
  door.on(groupMessageRoutes.list, async ({ scope: { workspaceId }, params: { id, sessionId }, query }) => {
    if (query.view === 'agent') {
      if (query.agent_id === undefined) {
        const where = 'query.agent_id';
        throw new SluiceError('invalid_request', `${where}: goes with view=agent`, { where });
      }
      return {
        body: { messages: await groupMessages.agentView(workspaceId, id, sessionId, query.agent_id, query.limit) },
      };
    }
    const { messages, nextCursor } = await groupMessages.list(workspaceId, id, sessionId, query);
    // A page from the newest back is still read from top to bottom.
    return listBody({ messages: query.order === 'desc' ? messages.reverse() : messages }, nextCursor);
  });
}
