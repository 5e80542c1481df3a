import { z } from 'zod';
import { metadataField, metadataPatchField } from '../documents/metadata';

const MAX_NAME_LENGTH = 256;
const MAX_DESCRIPTION_LENGTH = 2_048;
const MAX_SYSTEM_LENGTH = 100_000;
const MAX_TOOL_DESCRIPTION_LENGTH = 1_024;
/** Of one agent, each of these. */
const MAX_TOOLS = 128;
const MAX_SERVERS = 20;
const MAX_SKILLS = 64;
/** Tools of one toolset. */
const MAX_CONFIGS = 256;

const flag = z.boolean().nullish();
const policy = z.looseObject({ type: z.enum(['always_allow', 'always_ask', 'auto']) }).nullish();
const defaults = z.strictObject({ enabled: flag, permission_policy: policy }).nullish();

const words = z.enum(['all', 'none']);
const allOrNone = z.strictObject({ type: words });
const toolList = z.strictObject({
  type: z.enum(['only', 'except']),
  tools: z
    .array(z.strictObject({ type: z.literal('tool_reference'), name: z.string().min(1).max(128) }))
    .min(1)
    .max(MAX_TOOLS)
    .refine((tools) => new Set(tools.map(({ name }) => name)).size === tools.length, 'must name each tool once'),
});
const toolFilter = z.union([words, allOrNone, toolList]).nullish();

/** Of which URLs `web_fetch` may fetch. */
const urlSourcesField = z
  .strictObject({
    client_tool_results: toolFilter,
    server_tool_results: toolFilter,
    user_input: z.union([words, allOrNone]).nullish(),
  })
  .refine(
    (sources) =>
      [sources.client_tool_results, sources.server_tool_results, sources.user_input].some(
        (source) => (typeof source === 'string' ? source : source?.type) !== 'none',
      ),
    'must leave one source at least',
  )
  .nullish();

const toolsetField = z.strictObject({
  type: z.literal('agent_toolset_20260401'),
  default_config: defaults,
  configs: z
    .array(
      z.looseObject({
        name: z.enum(['bash', 'edit', 'read', 'write', 'glob', 'grep', 'web_fetch', 'web_search']),
        enabled: flag,
        permission_policy: policy,
        /** Of `web_fetch` only. */
        url_sources: urlSourcesField,
      }),
    )
    .max(MAX_CONFIGS)
    .nullish(),
});

const mcpToolsetField = z.strictObject({
  type: z.literal('mcp_toolset'),
  mcp_server_name: z.string().min(1).max(MAX_NAME_LENGTH),
  default_config: defaults,
  configs: z
    .array(z.looseObject({ name: z.string().min(1).max(128), enabled: flag, permission_policy: policy }))
    .max(MAX_CONFIGS)
    .nullish(),
});

const customToolField = z.strictObject({
  type: z.literal('custom'),
  name: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be 1 to 128 letters, digits, underscores and hyphens'),
  description: z.string().max(MAX_TOOL_DESCRIPTION_LENGTH),
  input_schema: z.looseObject({ type: z.literal('object').optional() }),
  /** Beyond the SDK: whether the engine `model` asks the user before it has the tool run. */
  permission_policy: policy,
});

export const toolField = z.discriminatedUnion('type', [toolsetField, mcpToolsetField, customToolField]);
export const toolsField = z.array(toolField).max(MAX_TOOLS);

export const mcpServersField = z
  .array(
    z.looseObject({
      type: z.literal('url'),
      name: z.string().min(1).max(MAX_NAME_LENGTH),
      url: z.url({ protocol: /^https?$/ }).max(2_048),
    }),
  )
  .max(MAX_SERVERS);

export const skillsField = z
  .array(
    z.strictObject({
      type: z.enum(['anthropic', 'custom']),
      skill_id: z.string().min(1).max(MAX_NAME_LENGTH),
      version: z.string().min(1).max(64).nullish(),
    }),
  )
  .max(MAX_SKILLS);

const modelId = z.string().min(1).max(MAX_NAME_LENGTH);
const effort = z.enum(['low', 'medium', 'high', 'xhigh', 'max']);

export const modelField = z.union([
  modelId,
  z.strictObject({
    id: modelId,
    speed: z.enum(['standard', 'fast']).nullish(),
    effort: z.union([effort, z.strictObject({ type: effort })]).nullish(),
    inference_geo: z.string().max(64).nullish(),
  }),
]);

const identityField = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('service_account') }),
  z.strictObject({ type: z.literal('aws_role'), role_arn: z.string().min(1).max(2_048) }),
]);

const optionalParts = {
  system: z.string().max(MAX_SYSTEM_LENGTH).nullish(),
  description: z.string().max(MAX_DESCRIPTION_LENGTH).nullish(),
  tools: toolsField.nullish(),
  mcp_servers: mcpServersField.nullish(),
  skills: skillsField.nullish(),
  /** A session has one thread: there is nobody to work with. */
  multiagent: z.null('must be null: an agent works alone here').optional(),
  execution_identity: identityField.nullish(),
};

const nameField = z.string().min(1).max(MAX_NAME_LENGTH);

/** The body of `POST /v1/agents`. */
export const createAgentBody = z.strictObject({
  name: nameField,
  model: modelField,
  ...optionalParts,
  metadata: metadataField.optional(),
});

/** The body of `POST /v1/agents/{id}`: what is not there stays, null clears. */
export const updateAgentBody = z.strictObject({
  version: z.int().min(1).optional(),
  name: nameField.optional(),
  model: modelField.optional(),
  ...optionalParts,
  metadata: metadataPatchField.optional(),
});

export type CreateAgentBody = z.output<typeof createAgentBody>;
export type UpdateAgentBody = z.output<typeof updateAgentBody>;
export type ToolParams = z.output<typeof toolField>;
export type UrlSourcesParams = z.output<typeof urlSourcesField>;
export type ModelParams = z.output<typeof modelField>;
export type SkillParams = z.output<typeof skillsField>[number];
