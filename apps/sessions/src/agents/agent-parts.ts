import type { AgentSnapshot } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import type { ModelParams, SkillParams, ToolParams } from './agent-body';

type Policy = Readonly<Record<string, unknown>>;

const ALLOW: Policy = { type: 'always_allow' };
const ASK: Policy = { type: 'always_ask' };

/** A model in full: an object, without what is null. */
export function toModel(model: ModelParams): AgentSnapshot['model'] {
  if (typeof model === 'string') return { id: model };
  const { id, speed, effort, inference_geo: geo } = model;
  return {
    id,
    ...(effort != null && { effort: typeof effort === 'string' ? { type: effort } : effort }),
    ...(geo != null && { inference_geo: geo }),
    ...(speed != null && { speed }),
  };
}

/** Tools in full: what was left out has its default, which is to ask before tools of others are used. */
export function toTools(tools: readonly ToolParams[]): AgentSnapshot['tools'] {
  return tools.map((tool) => {
    if (tool.type === 'custom') return { ...tool, input_schema: { ...tool.input_schema, type: 'object' } };
    const { default_config: given, configs } = tool;
    const defaults = {
      enabled: given?.enabled ?? true,
      permission_policy: given?.permission_policy ?? (tool.type === 'mcp_toolset' ? ASK : ALLOW),
    };
    return {
      ...tool,
      default_config: defaults,
      configs: (configs ?? []).map(({ enabled, permission_policy: policy, ...config }) => ({
        ...config,
        ...(tool.type === 'agent_toolset_20260401' && { type: config.name }),
        enabled: enabled ?? defaults.enabled,
        permission_policy: policy ?? defaults.permission_policy,
      })),
    };
  });
}

export function toSkills(skills: readonly SkillParams[]): AgentSnapshot['skills'] {
  return skills.map(({ version, ...skill }) => ({ ...skill, version: version ?? 'latest' }));
}

type ToolParts = Pick<AgentSnapshot, 'tools' | 'mcp_servers'>;

/** @throws SluiceError `invalid_request` for a name that is there twice, and for a server that is not there */
export function checkToolParts({ tools, mcp_servers: servers }: ToolParts): void {
  requireUnique(servers, 'name', 'mcp_servers');
  requireUnique(
    tools.filter(({ type }) => type === 'custom'),
    'name',
    'tools',
  );
  const names = new Set(servers.map(({ name }) => name));
  for (const [index, tool] of tools.entries()) {
    if (tool['type'] !== 'mcp_toolset' || names.has(tool['mcp_server_name'])) continue;
    const where = `tools[${index}].mcp_server_name`;
    throw new SluiceError('invalid_request', `${where}: no server of this name is in mcp_servers`, { where });
  }
}

function requireUnique(things: readonly Readonly<Record<string, unknown>>[], key: string, where: string): void {
  if (new Set(things.map((thing) => thing[key])).size === things.length) return;
  throw new SluiceError('invalid_request', `${where}: a ${key} is there twice`, { where });
}
