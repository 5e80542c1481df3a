/** The channels that a subscriber of workspace events can choose from. Nothing is sent on `channels` and `queue` yet. */
export const WORKSPACE_CHANNELS = [
  'cron',
  'channels',
  'group',
  'tasks',
  'sessions',
  'agents',
  'gateway',
  'queue',
] as const;

export type WorkspaceChannel = (typeof WORKSPACE_CHANNELS)[number];

const BY_PREFIX: readonly (readonly [prefix: string, channel: WorkspaceChannel])[] = [
  ['cron_', 'cron'],
  ['group_', 'group'],
  ['task_', 'tasks'],
  ['session_', 'sessions'],
  ['agent_', 'agents'],
];

/** The channel of an event type; a type of no other channel is the gateway's. */
export function workspaceChannel(type: string): WorkspaceChannel {
  return BY_PREFIX.find(([prefix]) => type.startsWith(prefix))?.[1] ?? 'gateway';
}
