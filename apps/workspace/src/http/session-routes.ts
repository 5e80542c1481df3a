import { z } from 'zod';
import {
  newSessionMessageSchema,
  newSessionSchema,
  sessionMessageSchema,
  sessionPatchSchema,
  sessionSchema,
} from '../sessions/session';
import type { SessionCommands } from '../sessions/session-commands';
import { answerOf, listBody } from './answers';
import { idPath, nextCursorField, pageFields } from './fields';
import { defineRoute } from './route';
import type { WorkspaceDoor } from './workspace-door';

const tag = 'sessions';
const path = '/api/sessions/{id}';
const one = { tag, path, params: idPath, refusals: { 404: 'There is no such session.' } } as const;

export const sessionRoutes = {
  create: defineRoute({
    method: 'POST',
    path: '/api/sessions',
    tag,
    summary: 'Create a session',
    body: newSessionSchema,
    status: 201,
    answer: sessionSchema,
    refusals: { 409: 'There is a session of this id.' },
  }),
  list: defineRoute({
    method: 'GET',
    path: '/api/sessions',
    tag,
    summary: 'List sessions',
    query: pageFields(),
    answer: z.object({ sessions: z.array(sessionSchema), next_cursor: nextCursorField }),
  }),
  get: defineRoute({ ...one, method: 'GET', summary: 'Read a session', answer: sessionSchema }),
  patch: defineRoute({
    ...one,
    method: 'PATCH',
    summary: 'Change a session',
    description: 'Another status than `active` ends the work of an agent in the session.',
    body: sessionPatchSchema,
    answer: sessionSchema,
  }),
  delete: defineRoute({
    ...one,
    method: 'DELETE',
    summary: 'Delete a session and its messages',
    answer: z.object({ deleted: z.string() }),
  }),
  say: defineRoute({
    ...one,
    method: 'POST',
    path: `${path}/message`,
    summary: 'Say something in an active session',
    body: newSessionMessageSchema,
    answer: z.object({ session_id: z.string(), status: z.literal('message_sent'), message_id: z.string() }),
    refusals: { ...one.refusals, 400: 'The session is not active, or the request is not valid.' },
  }),
  messages: defineRoute({
    ...one,
    method: 'GET',
    path: `${path}/messages`,
    summary: 'List the messages of a session',
    query: pageFields(),
    answer: z.object({ messages: z.array(sessionMessageSchema), next_cursor: nextCursorField }),
  }),
};

export function openSessions(door: WorkspaceDoor, sessions: SessionCommands): void {
  door.on(sessionRoutes.create, async ({ scope, body }) => answerOf(await sessions.create(scope, body)));
  door.on(sessionRoutes.list, async ({ scope, query }) => {
    const { sessions: page, nextCursor } = await sessions.list(scope.workspaceId, query);
    return listBody({ sessions: page }, nextCursor);
  });
  door.on(sessionRoutes.get, async ({ scope, params }) => ({ body: await sessions.get(scope.workspaceId, params.id) }));
  door.on(sessionRoutes.patch, async ({ scope, params, body }) =>
    answerOf(await sessions.update(scope, params.id, body)),
  );
  door.on(sessionRoutes.delete, async ({ scope, params }) => answerOf(await sessions.delete(scope, params.id)));
  door.on(sessionRoutes.say, async ({ scope, params, body }) => {
    const { value, isPending } = await sessions.say(scope, params.id, body.content);
    return { body: { session_id: params.id, status: 'message_sent', message_id: value.messageId }, isPending };
  });
  door.on(sessionRoutes.messages, async ({ scope, params, query }) => {
    const { messages, nextCursor } = await sessions.messages(scope.workspaceId, params.id, query);
    return listBody({ messages }, nextCursor);
  });
}
