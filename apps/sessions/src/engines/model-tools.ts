import { z } from 'zod';

/** What the model may do with a tool: ask for it, or ask for it when the user allows it. */
export type ToolPolicy = 'always_allow' | 'always_ask';

export interface ModelTool {
  readonly policy: ToolPolicy;
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

/**
 * The custom tools of an agent, by name: those that the user's side runs. The tools of `agent_toolset_20260401` and of MCP
 * servers are not offered to the model, as nothing here runs them. A policy that is not known asks.
 */
export function customTools(tools: unknown): ReadonlyMap<string, ModelTool> {
  const found = new Map<string, ModelTool>();
  for (const tool of Array.isArray(tools) ? tools : []) {
    const { data } = customToolSchema.safeParse(tool);
    if (data === undefined) continue;
    const { name, description, input_schema: schema = { type: 'object' }, permission_policy: permission } = data;
    found.set(name, {
      policy: (permission?.type ?? 'always_allow') === 'always_allow' ? 'always_allow' : 'always_ask',
      definition: { name, ...(description != null && { description }), input_schema: schema },
    });
  }
  return found;
}
