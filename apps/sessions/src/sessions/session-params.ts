import { z } from 'zod';
import { mcpServersField, modelField, skillsField, toolsField } from '../agents/agent-body';
import { metadataField, metadataPatchField } from '../documents/metadata';

/** Longest title, in characters. */
const MAX_TITLE_LENGTH = 500;
const MAX_INITIAL_EVENTS = 50;
const MAX_VAULTS = 20;

const objectSchema = z.record(z.string(), z.unknown());

export const idField = z.string().min(1).max(128);

export const titleField = z.string().max(MAX_TITLE_LENGTH).nullable();

const budgetField = z
  .strictObject({
    type: z.literal('limit'),
    max_list_cost: z.strictObject({
      /** In minor units: cents. */
      amount: z.string().regex(/^(0|[1-9]\d{0,14})$/, 'must be a whole number without leading zeros'),
      currency: z.literal('USD'),
    }),
  })
  .nullable();

const version = z.int().min(1).nullable().optional();

/** How a session names its agent. */
export const agentReferenceField = z.union([
  idField,
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('agent'), id: idField, version }),
    z.strictObject({
      type: z.literal('agent_with_overrides'),
      id: idField,
      version,
      model: modelField.optional(),
      system: z.string().max(100_000).nullable().optional(),
      tools: toolsField.optional(),
      mcp_servers: mcpServersField.optional(),
      skills: skillsField.optional(),
    }),
  ]),
]);

/** A thing that a session is to have. */
export const resourceField = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      type: z.literal('file'),
      file_id: idField,
      mount_path: z.string().max(1_024).nullable().optional(),
    }),
    z.strictObject({
      type: z.literal('github_repository'),
      url: z.url({ protocol: /^https$/ }).max(2_048),
      authorization_token: z.string().max(4_096).optional(),
      mount_path: z.string().max(1_024).nullable().optional(),
      checkout: objectSchema.nullable().optional(),
    }),
  ],
  { error: 'must be a file or a github_repository; there are no memory stores here' },
);

/** The body of `POST /v1/sessions`. Its events are read by the schema of what can be sent. */
export const createSessionBody = z.strictObject({
  agent: agentReferenceField,
  environment_id: idField,
  title: titleField.optional(),
  metadata: metadataField.optional(),
  resources: z.array(resourceField).max(100).optional(),
  vault_ids: z.array(idField).max(MAX_VAULTS).optional(),
  initial_events: z.array(z.unknown()).max(MAX_INITIAL_EVENTS).optional(),
  budget: budgetField.optional(),
});

/** The body of `POST /v1/sessions/{id}`. */
export const updateSessionBody = z.strictObject({
  title: titleField.optional(),
  metadata: metadataPatchField.optional(),
  agent: z
    .strictObject({ tools: toolsField.nullable().optional(), mcp_servers: mcpServersField.nullable().optional() })
    .optional(),
  budget: budgetField.optional(),
  vault_ids: z.array(idField).optional(),
});

export type CreateSessionBody = z.output<typeof createSessionBody>;
export type UpdateSessionBody = z.output<typeof updateSessionBody>;
export type ResourceParams = z.output<typeof resourceField>;
export type AgentReference = z.output<typeof agentReferenceField>;
