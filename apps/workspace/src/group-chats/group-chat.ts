import { groupChatMemberSchema, groupChatSettingsSchema, workspaceEventDataSchema } from '@sluice/event-schema';
import type { WorkspaceDocument } from '@sluice/projections';
import { z } from 'zod';
import { instant } from '../documents';

const chat = workspaceEventDataSchema('group_chat_created').shape;
const session = workspaceEventDataSchema('group_chat_session_created').shape;
const message = workspaceEventDataSchema('group_chat_message').shape;
const member = groupChatMemberSchema.shape;

/** Most messages that an agent of a group chat is shown. */
const MAX_HISTORY_LIMIT = 100;

/** Most members of a group chat. */
export const MAX_MEMBERS = 100;

const settings = groupChatSettingsSchema.extend({ history_limit: z.int().min(0).max(MAX_HISTORY_LIMIT) });

const DEFAULT_SETTINGS = { broadcast_mode: 'all', show_thinking: true, history_limit: 10 } as const;

/** The body that adds a member. */
export const newMemberSchema = z.strictObject({
  type: member.member_type,
  member_id: member.member_id,
  display_name: member.display_name.min(1).optional(),
  role: member.role.default('member'),
  model: member.model.default(null),
});

export type NewMember = z.output<typeof newMemberSchema>;

/** The body that makes a group chat. */
export const newGroupChatSchema = z.strictObject({
  name: chat.name.min(1),
  description: chat.description.default(''),
  created_by: chat.created_by.default('user'),
  workspace_path: chat.workspace_path.default(''),
  is_global: chat.is_global.default(false),
  settings: settings
    .partial()
    .transform((given) => ({ ...DEFAULT_SETTINGS, ...given }))
    .default(DEFAULT_SETTINGS),
  members: z.array(newMemberSchema).max(MAX_MEMBERS).default([]),
});

export type NewGroupChat = z.output<typeof newGroupChatSchema>;

export const groupChatPatchSchema = z
  .strictObject({ name: chat.name.min(1), description: chat.description, settings: settings.partial() })
  .partial();

export type GroupChatPatch = z.output<typeof groupChatPatchSchema>;

/** A group chat as it is answered. */
export const groupChatSchema = z
  .object({
    id: chat.group_chat_id,
    name: chat.name,
    description: chat.description,
    created_by: chat.created_by,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    settings: groupChatSettingsSchema,
    workspace_path: chat.workspace_path,
    is_global: chat.is_global,
  })
  .meta({ title: 'GroupChat' });

export type GroupChat = z.output<typeof groupChatSchema>;

export const memberSchema = z
  .object({
    id: z.string(),
    ...member,
    joined_at: z.iso.datetime(),
    last_seen_at: z.null(),
  })
  .meta({ title: 'GroupChatMember' });

export type Member = z.output<typeof memberSchema>;

export const groupSessionSchema = z
  .object({
    id: session.session_id,
    group_chat_id: session.group_chat_id,
    title: session.title,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    active_agents: session.active_agents,
    status: z.literal('active'),
  })
  .meta({ title: 'GroupChatSession' });

export type GroupSession = z.output<typeof groupSessionSchema>;

export const newGroupSessionSchema = z.strictObject({
  title: session.title.default(''),
  active_agents: session.active_agents.max(MAX_MEMBERS).default([]),
});

export type NewGroupSession = z.output<typeof newGroupSessionSchema>;

export const newGroupMessageSchema = z.strictObject({
  content: message.content.min(1),
  sender_id: message.sender_id.default('user'),
  sender_name: message.sender_name.optional(),
});

export type NewGroupMessage = z.output<typeof newGroupMessageSchema>;

/** A message as people see it. */
export const groupMessageSchema = z
  .object({
    id: message.message_id,
    type: z.enum(['user', 'agent']),
    group_chat_id: message.group_chat_id,
    session_id: message.session_id,
    sender_id: message.sender_id,
    sender_name: message.sender_name,
    content: message.content,
    in_reply_to: message.message_id.optional(),
    created_at: z.iso.datetime(),
  })
  .meta({ title: 'GroupChatMessage' });

export type GroupMessage = z.output<typeof groupMessageSchema>;

export function groupChatOf({ id, fields, createdAt, updatedAt }: WorkspaceDocument): GroupChat {
  const { group_chat_id: _, ...known } = fields;
  return { id, ...known, created_at: instant(createdAt), updated_at: instant(updatedAt) } as GroupChat;
}

export function memberOf({ id, fields, createdAt }: WorkspaceDocument): Member {
  const { group_chat_id: _, joined_at: joinedAt, ...known } = fields;
  const joined = typeof joinedAt === 'number' ? joinedAt : createdAt;
  return { id, ...known, joined_at: instant(joined), last_seen_at: null } as Member;
}

export function groupSessionOf({ id, fields, createdAt, updatedAt }: WorkspaceDocument): GroupSession {
  const { session_id: _, ...known } = fields;
  const times = { created_at: instant(createdAt), updated_at: instant(updatedAt) };
  return { id, ...known, ...times, status: 'active' } as GroupSession;
}

export function groupMessageOf({ id, fields, createdAt }: WorkspaceDocument): GroupMessage {
  const { message_id: _, ...known } = fields;
  return { id, ...known, created_at: instant(createdAt) } as GroupMessage;
}
