import { workspaceEntityId, type WorkspaceEventData } from '@sluice/event-schema';
import type { WorkspaceDocuments } from '@sluice/projections';
import { isAgentType } from '../agents/agent-types';
import type { Changed } from '../changed';
import type { Clock } from '../clock';
import { instant, noSuch, readPage, type PageQuery } from '../documents';
import { newObjectId, type CommandScope } from '../journal/command-scope';
import type { EntityCommands } from '../journal/entity-commands';
import { draftOf } from '../journal/workspace-draft';
import type { WorkspaceJournal } from '../journal/workspace-journal';
import { wholeAnswer } from '../runs/collect-answer';
import { RunFailed, type HistoryMessage, type Responder } from '../runs/responder';
import { groupResponse, type GroupRun } from '../runs/run';
import type { RunExecutor } from '../runs/run-executor';
import {
  groupMessageOf,
  groupSessionOf,
  MAX_MEMBERS,
  type GroupMessage,
  type GroupSession,
  type Member,
  type NewGroupMessage,
} from './group-chat';
import type { GroupChatCommands, GroupChatWithMembers } from './group-chat-commands';
import { mentions } from './mentions';

export interface PostedMessage {
  readonly message: GroupMessage;
  /** The agents that were spoken to. */
  readonly agentsTriggered: readonly string[];
}

export interface GroupMessagesOptions {
  readonly runTimeoutMs: number;
}

/** What is said in the sessions of group chats, by people and by the agents that they speak to. */
export class GroupMessages {
  constructor(
    private readonly journal: WorkspaceJournal,
    private readonly documents: WorkspaceDocuments,
    private readonly commands: EntityCommands,
    private readonly chats: GroupChatCommands,
    private readonly executor: RunExecutor,
    private readonly responder: Responder,
    private readonly clock: Clock,
    private readonly options: GroupMessagesOptions,
  ) {}

  /** Writes a message, and that each agent that it speaks to thinks; then they answer in the background. */
  post(
    scope: CommandScope,
    chatId: string,
    sessionId: string,
    { content, sender_id, sender_name = sender_id }: NewGroupMessage,
  ): Promise<Changed<PostedMessage>> {
    const message_id = newObjectId(scope, 'message');
    const said = { group_chat_id: chatId, session_id: sessionId, message_id, sender_id, sender_name, content };
    return this.commands.once(scope, {
      entityId: workspaceEntityId('group', chatId),
      writes: 'group_chat_message',
      first: () => this.say(scope, said),
      again: async ({ data, occurredAt }) => {
        const thinking = await this.journal.earlierAll(scope, 'group_chat_agent_thinking', MAX_MEMBERS);
        const agents = thinking.map(({ data: { agent_id } }) => agent_id);
        return { value: posted(data, occurredAt, agents), isPending: false };
      },
    });
  }

  private async say(scope: CommandScope, said: Said): Promise<Changed<PostedMessage>> {
    const { workspaceId } = scope;
    const { group_chat_id: chatId, session_id: sessionId, content } = said;
    const chat = await this.chats.get(workspaceId, chatId);
    const session = await this.session(workspaceId, chatId, sessionId);
    const runs = addressed(chat, session, content).map((agent) => this.runOf(workspaceId, said, agent));
    const places = this.executor.reserve(workspaceId, runs.length);
    try {
      const history = await this.newest(workspaceId, sessionId, chat.group_chat.settings.history_limit);
      const written = await this.journal.append(scope, [
        draftOf('group_chat_message', said),
        ...runs.map((run) => draftOf('group_chat_agent_thinking', thinkingOf(run))),
      ]);
      const [message] = written.events;
      const isOurs = message ? this.journal.isOurs(scope, message, written) : Promise.resolve(false);
      places.forEach((place, index) => {
        const run = runs[index];
        const type = chat.members.find(({ member_id }) => member_id === run?.agentId)?.member_type;
        if (run) this.executor.start(place, run, (signal) => this.answer(run, type, content, history, signal), isOurs);
      });
      const agents = runs.map(({ agentId }) => agentId);
      return { value: posted(said, written.occurredAt, agents), isPending: written.pending };
    } finally {
      for (const place of places) place.release();
    }
  }

  /** The messages of a session, by default the newest. */
  async list(
    workspaceId: number,
    chatId: string,
    sessionId: string,
    query: PageQuery,
  ): Promise<{ messages: GroupMessage[]; nextCursor?: number }> {
    await this.session(workspaceId, chatId, sessionId);
    const about = { workspaceId, kind: 'group_chat_message', parentId: sessionId } as const;
    const { documents, ...rest } = await readPage(this.documents, about, query);
    return { messages: documents.map(groupMessageOf), ...rest };
  }

  /** A session as one of its agents is shown it. */
  async agentView(
    workspaceId: number,
    chatId: string,
    sessionId: string,
    agentId: string,
    limit: number,
  ): Promise<HistoryMessage[]> {
    const chat = await this.chats.get(workspaceId, chatId);
    await this.session(workspaceId, chatId, sessionId);
    if (!chat.members.some((member) => isAgent(member) && member.member_id === agentId)) {
      throw noSuch('group_chat_member', 'query.agent_id');
    }
    const newest = await this.newest(workspaceId, sessionId, Math.min(limit, chat.group_chat.settings.history_limit));
    return newest.map((message) => shownTo(agentId, message));
  }

  private async answer(
    run: GroupRun,
    memberType: Member['member_type'] | undefined,
    prompt: string,
    history: readonly GroupMessage[],
    signal: AbortSignal,
  ) {
    const { agentId } = run;
    if (memberType === 'executor' && !isAgentType(agentId)) throw new RunFailed(`Unknown executor: ${agentId}`);
    const shown = history.map((message) => shownTo(agentId, message));
    return groupResponse(run, await wholeAnswer(this.responder, { agentId, prompt, history: shown, signal }));
  }

  private runOf(workspaceId: number, said: Said, { member_id: agentId, display_name: agentName }: Member): GroupRun {
    return {
      kind: 'group_chat',
      workspaceId,
      groupChatId: said.group_chat_id,
      sessionId: said.session_id,
      messageId: said.message_id,
      agentId,
      agentName,
      deadlineAt: this.clock.now() + this.options.runTimeoutMs,
    };
  }

  private async session(workspaceId: number, chatId: string, sessionId: string): Promise<GroupSession> {
    const document = await this.documents.find(workspaceId, 'group_chat_session', sessionId);
    if (document?.parentId !== chatId) throw noSuch('group_chat_session', 'path.sessionId');
    return groupSessionOf(document);
  }

  /** The newest messages, the oldest of them first. */
  private async newest(workspaceId: number, parentId: string, limit: number): Promise<GroupMessage[]> {
    if (limit === 0) return [];
    const about = { workspaceId, kind: 'group_chat_message', parentId, order: 'descending', limit } as const;
    return (await this.documents.list(about)).map(groupMessageOf).reverse();
  }
}

type Said = WorkspaceEventData<'group_chat_message'>;

function posted(
  { message_id: id, ...said }: Said,
  occurredAt: number,
  agentsTriggered: readonly string[],
): PostedMessage {
  return { message: { id, type: 'user', ...said, created_at: instant(occurredAt) }, agentsTriggered };
}

const isAgent = ({ member_type }: Member) => member_type !== 'human';

/** The agents that a message speaks to. */
function addressed({ group_chat, members }: GroupChatWithMembers, session: GroupSession, content: string): Member[] {
  const active = new Set(session.active_agents);
  const agents = members.filter((member) => isAgent(member) && (active.size === 0 || active.has(member.member_id)));
  if (group_chat.settings.broadcast_mode === 'all') return agents;
  return agents.filter(({ member_id, display_name }) => mentions(content, [member_id, display_name]));
}

function thinkingOf(run: GroupRun) {
  return {
    group_chat_id: run.groupChatId,
    session_id: run.sessionId,
    agent_id: run.agentId,
    agent_name: run.agentName,
    message_id: run.messageId,
    deadline_at: run.deadlineAt,
  };
}

function shownTo(agentId: string, { type, sender_id, sender_name, content }: GroupMessage): HistoryMessage {
  const role = type === 'agent' && sender_id === agentId ? 'assistant' : 'user';
  return { role, name: sender_name, content };
}
