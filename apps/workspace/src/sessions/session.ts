import { workspaceEventDataSchema } from '@sluice/event-schema';
import type { WorkspaceDocument } from '@sluice/projections';
import { z } from 'zod';
import { instant } from '../documents';

const { session_id, ...fields } = workspaceEventDataSchema('session_created').shape;

export const newSessionSchema = z.strictObject({
  id: session_id.optional(),
  agent_id: fields.agent_id,
  title: fields.title,
  workdir: fields.workdir,
});

export type NewSession = z.output<typeof newSessionSchema>;

export const sessionPatchSchema = z.strictObject(fields).partial();

export type SessionPatch = z.output<typeof sessionPatchSchema>;

/** A session as it is answered. */
export const sessionSchema = z
  .object({
    id: session_id,
    ...fields,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ title: 'Session' });

export type Session = z.output<typeof sessionSchema>;

export function sessionOf({ id, fields: known, createdAt, updatedAt }: WorkspaceDocument): Session {
  const { session_id: _, ...rest } = known;
  return { id, ...rest, created_at: instant(createdAt), updated_at: instant(updatedAt) } as Session;
}

const message = workspaceEventDataSchema('session_message').shape;

export const newSessionMessageSchema = z.strictObject({ content: message.content.min(1) });

/** A message of a session as it is answered. */
export const sessionMessageSchema = z
  .object({
    id: message.message_id,
    session_id,
    role: message.role,
    content: message.content,
    created_at: z.iso.datetime(),
  })
  .meta({ title: 'SessionMessage' });

export type SessionMessage = z.output<typeof sessionMessageSchema>;

export function sessionMessageOf({ id, fields: known, createdAt }: WorkspaceDocument): SessionMessage {
  const { message_id: _, ...rest } = known;
  return { id, ...rest, created_at: instant(createdAt) } as SessionMessage;
}
