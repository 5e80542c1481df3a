/** One id of two; a slash in the first one is escaped, so that no two pairs give the same. */
function joinIds(first: string, second: string): string {
  return `${first.replace(/[%/]/g, (sign) => encodeURIComponent(sign))}/${second}`;
}

/** The id of a `group_chat_member`: the same person or agent may be in several group chats. */
export function groupChatMemberDocumentId(groupChatId: string, memberId: string): string {
  return joinIds(groupChatId, memberId);
}

/** The id of the `run` of an agent of a group chat: one for each message that it is to answer. */
export function groupChatRunId(messageId: string, agentId: string): string {
  return joinIds(messageId, agentId);
}
