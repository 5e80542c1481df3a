import { z } from 'zod';
import { deadlineAt, id, path, text, title } from './fields';

export const SESSION_STATUSES = ['active', 'completed', 'cancelled', 'failed'] as const;

export const sessionStatusSchema = z.enum(SESSION_STATUSES);

export type SessionStatus = z.infer<typeof sessionStatusSchema>;

const sessionSchema = z.strictObject({
  agent_id: id.optional(),
  title: title.optional(),
  workdir: path.optional(),
  status: sessionStatusSchema,
});

export const SESSION_DATA_SCHEMAS = {
  agent_spawned: z.strictObject({
    agent_id: id,
    session_id: id,
    workdir: path,
    prompt: text.optional(),
    deadline_at: deadlineAt,
  }),
  agent_completed: z.strictObject({ agent_id: id, session_id: id, success: z.boolean() }),
  agent_error: z.strictObject({ agent_id: id, session_id: id, error: text }),
  session_created: z.strictObject({ session_id: id, ...sessionSchema.shape }),
  session_updated: z.strictObject({ session_id: id, ...sessionSchema.partial().shape }),
  session_deleted: z.strictObject({ session_id: id }),
  session_message: z.strictObject({
    session_id: id,
    message_id: id,
    role: z.enum(['user', 'assistant']),
    content: text,
  }),
};
