import { z } from 'zod';
import { deadlineAt, id, ids, path, text, title } from './fields';

/** Most messages of a group chat that an agent is shown. */
const MAX_HISTORY_MESSAGES = 10_000;

export const groupChatSettingsSchema = z.strictObject({
  broadcast_mode: z.enum(['all', 'mention_only']),
  show_thinking: z.boolean(),
  history_limit: z.int().min(0).max(MAX_HISTORY_MESSAGES),
});

export type GroupChatSettings = z.infer<typeof groupChatSettingsSchema>;

export const groupChatMemberSchema = z.strictObject({
  member_type: z.enum(['human', 'agent', 'executor']),
  member_id: id,
  display_name: title,
  role: z.enum(['owner', 'admin', 'member']),
  model: title.nullable(),
});

export type GroupChatMember = z.infer<typeof groupChatMemberSchema>;

const agentTurn = { group_chat_id: id, session_id: id, agent_id: id };

export const GROUP_CHAT_DATA_SCHEMAS = {
  group_chat_created: z.strictObject({
    group_chat_id: id,
    name: title,
    description: text,
    created_by: title,
    workspace_path: path,
    is_global: z.boolean(),
    settings: groupChatSettingsSchema,
  }),
  group_chat_updated: z.strictObject({
    group_chat_id: id,
    name: title.optional(),
    description: text.optional(),
    settings: groupChatSettingsSchema.optional(),
  }),
  group_chat_deleted: z.strictObject({ group_chat_id: id }),
  group_chat_member_joined: z.strictObject({ group_chat_id: id, member_id: id, member: groupChatMemberSchema }),
  group_chat_member_left: z.strictObject({ group_chat_id: id, member_id: id }),
  group_chat_session_created: z.strictObject({ group_chat_id: id, session_id: id, title, active_agents: ids }),
  group_chat_message: z.strictObject({
    group_chat_id: id,
    session_id: id,
    message_id: id,
    sender_id: id,
    sender_name: title,
    content: text,
  }),
  group_chat_agent_thinking: z.strictObject({
    ...agentTurn,
    agent_name: title,
    message_id: id,
    deadline_at: deadlineAt,
  }),
  group_chat_agent_response: z.strictObject({
    ...agentTurn,
    agent_name: title,
    content: text,
    message_id: id,
    in_reply_to: id,
  }),
  group_chat_agent_error: z.strictObject({ ...agentTurn, error: text, in_reply_to: id }),
};
