import { PRESENCE_LIMITS, type PresentSubscriber } from '@sluice/delivery';
import { isObject } from './is-object';
import { MAX_MESSAGE_BYTES } from './options';

/** What replicas say to each other about who is present. */
export type PresenceMessage =
  /** Who of a group is at the sender. `ask`: it wants to hear the same of the others. */
  | { readonly from: string; readonly members: readonly PresentSubscriber[]; readonly ask: boolean }
  /** The sender is alive, or goes. */
  | { readonly from: string; readonly state: 'alive' | 'gone' };

/** Longest id of a replica or member that is believed, in UTF-16 code units. */
const MAX_ID_CHARS = 64;

/** Most members of one message: what the rest of a message takes, and the longest names, fit into its bound. */
const MEMBER_BYTES = 64;

/** The message; of members that are too many the longest present. */
export function encodePresence(message: PresenceMessage): string {
  if (!('members' in message)) return JSON.stringify(message);
  const members: PresentSubscriber[] = [];
  let bytes = 0;
  for (const member of message.members) {
    bytes += MEMBER_BYTES + Buffer.byteLength(JSON.stringify(member));
    if (bytes > MAX_MESSAGE_BYTES) break;
    members.push(member);
  }
  return JSON.stringify({ ...message, members });
}

/** What another replica said. Undefined for what is no message of ours. */
export function decodePresence(text: string): PresenceMessage | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (!isObject(parsed)) return undefined;
    const { from, state, members, ask } = parsed;
    if (!isText(from, MAX_ID_CHARS)) return undefined;
    if (state === 'alive' || state === 'gone') return { from, state };
    if (!Array.isArray(members) || members.length > PRESENCE_LIMITS.groupMembers || typeof ask !== 'boolean') {
      return undefined;
    }
    return members.every(isMember) ? { from, members: members.map(toMember), ask } : undefined;
  } catch {
    return undefined;
  }
}

function toMember({ memberId, name, since }: PresentSubscriber): PresentSubscriber {
  return { memberId, name, since };
}

function isMember(value: unknown): value is PresentSubscriber {
  if (!isObject(value)) return false;
  const { memberId, name, since } = value;
  return isText(memberId, MAX_ID_CHARS) && isText(name, PRESENCE_LIMITS.nameChars) && Number.isSafeInteger(since);
}

function isText(value: unknown, maxChars: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxChars;
}
