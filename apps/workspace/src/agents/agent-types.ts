/** The agents that can be spawned. */
export const AGENT_TYPES = [
  'CLAUDE_CODE',
  'AMP',
  'GEMINI',
  'CODEX',
  'OPENCODE',
  'CURSOR_AGENT',
  'QWEN_CODE',
  'COPILOT',
  'DROID',
] as const;

export type AgentType = (typeof AGENT_TYPES)[number];

/** The agent of cron jobs that name none. */
export const MAIN_AGENT = 'main';

const BY_NAME: ReadonlyMap<string, AgentType> = new Map([
  ...AGENT_TYPES.map((type) => [type, type] as const),
  ['CURSOR', 'CURSOR_AGENT'],
]);

/** The agent of a name, whatever its case; undefined for a name of none. */
export function toAgentType(name: string): AgentType | undefined {
  return BY_NAME.get(name.toUpperCase());
}

export function isAgentType(name: string): boolean {
  return toAgentType(name) !== undefined;
}
