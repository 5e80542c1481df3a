import { SluiceError } from '@sluice/event-log';
import { workspaceEntityId, type GroupChatMember } from '@sluice/event-schema';
import { groupChatMemberDocumentId, type WorkspaceDocument, type WorkspaceDocuments } from '@sluice/projections';
import type { Changed } from '../changed';
import { instant, isAnothers, noSuch, readPage, requireDocument, type PageQuery } from '../documents';
import { newObjectId, type CommandScope } from '../journal/command-scope';
import type { EntityCommands } from '../journal/entity-commands';
import { draftOf } from '../journal/workspace-draft';
import type { EarlierEvent, WorkspaceJournal, Written } from '../journal/workspace-journal';
import {
  groupChatOf,
  groupSessionOf,
  MAX_MEMBERS,
  memberOf,
  type GroupChat,
  type GroupChatPatch,
  type GroupSession,
  type Member,
  type NewGroupChat,
  type NewGroupSession,
  type NewMember,
} from './group-chat';

export interface GroupChatWithMembers {
  readonly group_chat: GroupChat;
  readonly members: readonly Member[];
}

/** Which group chats a list shows. */
export interface GroupChatFilter {
  readonly workspacePath?: string | undefined;
  /** With a path: those of every path as well. */
  readonly includeGlobal: boolean;
  readonly createdBy?: string | undefined;
}

/** The group chats of workspaces, their members and their sessions. */
export class GroupChatCommands {
  constructor(
    private readonly journal: WorkspaceJournal,
    private readonly documents: WorkspaceDocuments,
    private readonly commands: EntityCommands,
  ) {}

  async create(scope: CommandScope, { members: given, ...chat }: NewGroupChat): Promise<Changed<GroupChatWithMembers>> {
    const group_chat_id = newObjectId(scope, 'group');
    const members = given.map(memberFrom);
    if (new Set(members.map(({ member_id }) => member_id)).size < members.length) {
      throw new SluiceError('invalid_request', 'body.members: a member is named twice', { where: 'body.members' });
    }
    const { pending, occurredAt } = await this.journal.append(scope, [
      draftOf('group_chat_created', { group_chat_id, ...chat }),
      ...members.map((member) =>
        draftOf('group_chat_member_joined', { group_chat_id, member_id: member.member_id, member }),
      ),
    ]);
    const found = pending ? undefined : await this.find(scope.workspaceId, group_chat_id);
    if (found) return { value: found, isPending: false };
    const now = instant(occurredAt);
    const group_chat = { id: group_chat_id, ...chat, created_at: now, updated_at: now };
    return {
      value: { group_chat, members: members.map((one) => joined(group_chat_id, one, now)) },
      isPending: pending,
    };
  }

  update(scope: CommandScope, chatId: string, patch: GroupChatPatch): Promise<Changed<GroupChatWithMembers>> {
    const first = async () => {
      const before = await this.get(scope.workspaceId, chatId);
      const settings = patch.settings && { ...before.group_chat.settings, ...patch.settings };
      const { settings: _, ...rest } = patch;
      const changes = { ...rest, ...(settings && { settings }) };
      const draft = draftOf('group_chat_updated', { group_chat_id: chatId, ...changes });
      const { pending } = await this.journal.append(scope, [draft]);
      const found = pending ? undefined : await this.find(scope.workspaceId, chatId);
      return { value: found ?? { ...before, group_chat: { ...before.group_chat, ...changes } }, isPending: pending };
    };
    const again = async () => ({ value: await this.get(scope.workspaceId, chatId), isPending: false });
    return this.commands.once(scope, { entityId: entityIdOf(chatId), writes: 'group_chat_updated', first, again });
  }

  delete(scope: CommandScope, chatId: string): Promise<Changed<{ deleted: string }>> {
    const value = { deleted: chatId };
    const first = async () => {
      await requireDocument(this.documents, scope.workspaceId, 'group_chat', chatId);
      const { pending } = await this.journal.append(scope, [draftOf('group_chat_deleted', { group_chat_id: chatId })]);
      return { value, isPending: pending };
    };
    const again = async () => ({ value, isPending: false });
    return this.commands.once(scope, { entityId: entityIdOf(chatId), writes: 'group_chat_deleted', first, again });
  }

  addMember(scope: CommandScope, chatId: string, given: NewMember): Promise<Changed<Member>> {
    const member = memberFrom(given);
    const { member_id } = member;
    const first = async () => {
      const { members } = await this.get(scope.workspaceId, chatId);
      if (members.some((one) => one.member_id === member_id)) throw isMember();
      if (members.length >= MAX_MEMBERS)
        throw new SluiceError('conflict', `A group chat has at most ${MAX_MEMBERS} members`);
      const draft = draftOf('group_chat_member_joined', { group_chat_id: chatId, member_id, member });
      const written = await this.journal.append(scope, [draft]);
      return added(written.pending, written);
    };
    const added = async (isPending: boolean, { occurredAt, position }: Pick<Written, 'occurredAt' | 'position'>) => {
      const id = groupChatMemberDocumentId(chatId, member_id);
      const document = isPending ? undefined : await this.documents.find(scope.workspaceId, 'group_chat_member', id);
      if (document && isAnothers(document, position)) throw isMember();
      return { value: joined(chatId, member, instant(occurredAt)), isPending };
    };
    const again = (earlier: EarlierEvent<'group_chat_member_joined'>) => added(false, earlier);
    const entityId = entityIdOf(chatId);
    return this.commands.once(scope, { entityId, writes: 'group_chat_member_joined', first, again });
  }

  removeMember(scope: CommandScope, chatId: string, member_id: string): Promise<Changed<{ deleted: string }>> {
    const value = { deleted: member_id };
    const first = async () => {
      const { workspaceId } = scope;
      await requireDocument(this.documents, workspaceId, 'group_chat', chatId);
      await requireDocument(
        this.documents,
        workspaceId,
        'group_chat_member',
        `${chatId}/${member_id}`,
        'path.memberId',
      );
      const draft = draftOf('group_chat_member_left', { group_chat_id: chatId, member_id });
      return { value, isPending: (await this.journal.append(scope, [draft])).pending };
    };
    const again = async () => ({ value, isPending: false });
    return this.commands.once(scope, { entityId: entityIdOf(chatId), writes: 'group_chat_member_left', first, again });
  }

  openSession(scope: CommandScope, chatId: string, session: NewGroupSession): Promise<Changed<GroupSession>> {
    const id = newObjectId(scope, 'session');
    const first = async () => {
      await requireDocument(this.documents, scope.workspaceId, 'group_chat', chatId);
      const data = { group_chat_id: chatId, session_id: id, ...session };
      const written = await this.journal.append(scope, [draftOf('group_chat_session_created', data)]);
      return opened(written.occurredAt, written.pending);
    };
    const opened = async (occurredAt: number, isPending: boolean): Promise<Changed<GroupSession>> => {
      const document = isPending ? undefined : await this.documents.find(scope.workspaceId, 'group_chat_session', id);
      if (document) return { value: groupSessionOf(document), isPending };
      const at = instant(occurredAt);
      const times = { created_at: at, updated_at: at };
      return { value: { id, group_chat_id: chatId, ...session, ...times, status: 'active' }, isPending };
    };
    return this.commands.once(scope, {
      entityId: entityIdOf(chatId),
      writes: 'group_chat_session_created',
      first,
      again: ({ occurredAt }) => opened(occurredAt, false),
    });
  }

  async get(workspaceId: number, chatId: string): Promise<GroupChatWithMembers> {
    const found = await this.find(workspaceId, chatId);
    if (!found) throw noSuch('group_chat');
    return found;
  }

  async list(
    workspaceId: number,
    filter: GroupChatFilter,
    query: PageQuery,
  ): Promise<{ groupChats: GroupChat[]; nextCursor?: number }> {
    const isFree = filter.workspacePath === undefined && filter.createdBy === undefined && filter.includeGlobal;
    const isWanted = isFree ? undefined : (document: WorkspaceDocument) => fits(groupChatOf(document), filter);
    const { documents, ...rest } = await readPage(this.documents, { workspaceId, kind: 'group_chat' }, query, isWanted);
    return { groupChats: documents.map(groupChatOf), ...rest };
  }

  async sessions(
    workspaceId: number,
    chatId: string,
    query: PageQuery,
  ): Promise<{ sessions: GroupSession[]; nextCursor?: number }> {
    await requireDocument(this.documents, workspaceId, 'group_chat', chatId);
    const about = { workspaceId, kind: 'group_chat_session', parentId: chatId } as const;
    const { documents, ...rest } = await readPage(this.documents, about, query);
    return { sessions: documents.map(groupSessionOf), ...rest };
  }

  private async find(workspaceId: number, chatId: string): Promise<GroupChatWithMembers | undefined> {
    const about = { workspaceId, kind: 'group_chat_member', parentId: chatId, limit: MAX_MEMBERS } as const;
    const [chat, members] = await Promise.all([
      this.documents.find(workspaceId, 'group_chat', chatId),
      this.documents.list(about),
    ]);
    return chat && { group_chat: groupChatOf(chat), members: members.map(memberOf) };
  }
}

const entityIdOf = (chatId: string) => workspaceEntityId('group', chatId);

function memberFrom({
  type: member_type,
  member_id,
  display_name = member_id,
  role,
  model,
}: NewMember): GroupChatMember {
  return { member_type, member_id, display_name, role, model };
}

const isMember = () => new SluiceError('conflict', 'It is a member already', { where: 'body.member_id' });

/** As it will be read. */
function joined(chatId: string, member: GroupChatMember, joined_at: string): Member {
  return { id: `${chatId}/${member.member_id}`, ...member, joined_at, last_seen_at: null };
}

function fits(chat: GroupChat, { workspacePath, includeGlobal, createdBy }: GroupChatFilter): boolean {
  if (createdBy !== undefined && chat.created_by !== createdBy) return false;
  if (chat.is_global) return includeGlobal;
  return workspacePath === undefined || chat.workspace_path === workspacePath;
}
