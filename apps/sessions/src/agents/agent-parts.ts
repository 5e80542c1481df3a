import type { AgentSnapshot } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import type { ModelParams, SkillParams, ToolParams, UrlSourcesParams } from './agent-body';

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
        ...(tool.type === 'agent_toolset_20260401' ? toToolConfig(config) : config),
        enabled: enabled ?? defaults.enabled,
        permission_policy: policy ?? defaults.permission_policy,
      })),
    };
  });
}

/** The tool of a toolset of ours, by its name. */
function toToolConfig({ url_sources: sources, ...config }: { readonly name: string; readonly url_sources?: unknown }) {
  return {
    ...config,
    type: config.name,
    ...(config.name === 'web_fetch' && { url_sources: toUrlSources(sources as UrlSourcesParams) }),
  };
}

/** As objects, each source there; null where all that it has is allowed. */
function toUrlSources(sources: UrlSourcesParams) {
  if (sources == null) return null;
  const inFull = <T extends object>(source: T | string | null | undefined) =>
    typeof source === 'string' ? { type: source } : (source ?? null);
  return {
    client_tool_results: inFull(sources.client_tool_results),
    server_tool_results: inFull(sources.server_tool_results),
    user_input: inFull(sources.user_input),
  };
}

export function toSkills(skills: readonly SkillParams[]): AgentSnapshot['skills'] {
  return skills.map(({ version, ...skill }) => ({ ...skill, version: version ?? 'latest' }));
}

type ToolParts = Pick<AgentSnapshot, 'tools' | 'mcp_servers'>;

/** @throws SluiceError `invalid_request` for a name that is there twice, and for a server or a tool that is not there */
export function checkToolParts({ tools, mcp_servers: servers }: ToolParts): void {
  requireUnique(servers, 'name', 'mcp_servers');
  requireUnique(
    tools.filter(({ type }) => type === 'custom'),
    'name',
    'tools',
  );
  checkUrlSources(tools);
  const names = new Set(servers.map(({ name }) => name));
  for (const [index, tool] of tools.entries()) {
    if (tool['type'] !== 'mcp_toolset' || names.has(tool['mcp_server_name'])) continue;
    const where = `tools[${index}].mcp_server_name`;
    throw new SluiceError('invalid_request', `${where}: no server of this name is in mcp_servers`, { where });
  }
}

const SERVER_TOOLS: ReadonlySet<unknown> = new Set(['web_search', 'web_fetch']);

interface ToolFilter {
  readonly tools?: readonly { readonly name: string }[];
}

/** What a source of URLs names is there: our tools that fetch and search, or the agent's own. */
function checkUrlSources(tools: ToolParts['tools']): void {
  const own: ReadonlySet<unknown> = new Set(tools.flatMap(({ type, name }) => (type === 'custom' ? [name] : [])));
  const known = { client_tool_results: own, server_tool_results: SERVER_TOOLS } as const;
  for (const [at, { type, configs }] of tools.entries()) {
    if (type !== 'agent_toolset_20260401') continue;
    for (const [index, { url_sources: sources }] of ((configs ?? []) as readonly Record<string, unknown>[]).entries()) {
      for (const [source, names] of Object.entries(known)) {
        const filter = (Object(sources) as Record<string, ToolFilter | null>)[source];
        if (filter?.tools?.every(({ name }) => names.has(name)) ?? true) continue;
        const where = `tools[${at}].configs[${index}].url_sources.${source}`;
        throw new SluiceError('invalid_request', `${where}: names a tool that is not there`, { where });
      }
    }
  }
}

function requireUnique(things: readonly Readonly<Record<string, unknown>>[], key: string, where: string): void {
  if (new Set(things.map((thing) => thing[key])).size === things.length) return;
  throw new SluiceError('invalid_request', `${where}: a ${key} is there twice`, { where });
}
