import type { EnvironmentType } from '@sluice/agent-sessions';
import { z } from 'zod';
import { TOOLSET_DEFINITIONS } from './toolset-definitions';

/** What the model may do with a tool: ask for it, or ask for it when the user allows it. */
export type ToolPolicy = 'always_allow' | 'always_ask';

export interface ModelTool {
  readonly policy: ToolPolicy;
  /** How a call that needs no permission is reported: by whom it is run follows from it. */
  readonly use: 'agent.custom_tool_use' | 'agent.tool_use';
  /** In the form of the Messages API. */
  readonly definition: Readonly<Record<string, unknown>>;
}

const customToolSchema = z.looseObject({
  type: z.literal('custom'),
  name: z.string().min(1),
  description: z.string().nullish(),
  input_schema: z.record(z.string(), z.unknown()).optional(),
  permission_policy: z.looseObject({ type: z.string() }).nullish(),
});

const configSchema = z.looseObject({
  enabled: z.boolean().nullish(),
  permission_policy: z.looseObject({ type: z.string() }).nullish(),
});

const toolsetSchema = z.looseObject({
  type: z.literal('agent_toolset_20260401'),
  default_config: configSchema.nullish(),
  configs: z.array(configSchema.extend({ name: z.string() })).nullish(),
});

/**
 * What a model can be offered of an agent's tools, by name: its custom tools, which the user's side runs, and in self-hosted
 * environments, where that side runs them too, those of `agent_toolset_20260401` that are enabled. Elsewhere the latter are
 * not offered, nor are those of MCP servers anywhere, as nothing here runs them. A policy that is not known asks.
 */
export function modelTools(tools: unknown, environment: EnvironmentType): ReadonlyMap<string, ModelTool> {
  const found = new Map<string, ModelTool>();
  for (const tool of Array.isArray(tools) ? tools : []) {
    const own = customToolSchema.safeParse(tool).data;
    if (own !== undefined) {
      const { name, description, input_schema: schema = { type: 'object' }, permission_policy: permission } = own;
      const definition = { name, ...(description != null && { description }), input_schema: schema };
      found.set(name, { policy: toPolicy(permission), use: 'agent.custom_tool_use', definition });
    }
    const toolset = environment === 'self_hosted' ? toolsetSchema.safeParse(tool).data : undefined;
    for (const one of toolset === undefined ? [] : toolsetTools(toolset)) {
      // A tool of the agent's own replaces the one of its name, wherever it is in the list.
      if (found.get(one.definition.name)?.use !== 'agent.custom_tool_use') found.set(one.definition.name, one);
    }
  }
  return found;
}

function toolsetTools({ default_config: defaults, configs }: z.output<typeof toolsetSchema>) {
  return TOOLSET_DEFINITIONS.flatMap((definition) => {
    const config = configs?.find(({ name }) => name === definition.name);
    if (!(config?.enabled ?? defaults?.enabled ?? true)) return [];
    const policy = toPolicy(config?.permission_policy ?? defaults?.permission_policy);
    return [{ policy, use: 'agent.tool_use', definition } as const];
  });
}

function toPolicy(permission: { readonly type: string } | null | undefined): ToolPolicy {
  return (permission?.type ?? 'always_allow') === 'always_allow' ? 'always_allow' : 'always_ask';
}
