import { agentIdSchema, chainIdSchema } from '@sluice/event-schema';
import type { AgentClass, AgentService } from '@sluice/projections';
import { z } from 'zod';
import { resetSchema } from '../responses';
import type { AgentView, FeedbackView, ResponseView } from './agent-views';

/** What these doors answer, for the description of the API. The compiler compares each with what is answered. */

const isoTimeSchema = z.iso.datetime();

const serviceSchema: z.ZodType<AgentService> = z.object({
  name: z.string(),
  endpoint: z.string(),
  version: z.string().optional(),
});

const classSchema: z.ZodType<AgentClass> = z.object({ slug: z.string(), name: z.string() });

const reachableSchema = z.boolean().nullable().meta({ description: 'Null: not known.' });

const agentSchema: z.ZodType<AgentView> = z.object({
  agentId: agentIdSchema,
  chainId: chainIdSchema,
  tokenId: z.string(),
  owner: z.string(),
  uri: z.string().optional().meta({ description: 'Where the registration file is.' }),
  wallet: z.string().optional(),
  name: z.string(),
  description: z.string().optional(),
  image: z.string().optional(),
  active: z.boolean().optional(),
  x402Support: z.boolean().optional(),
  services: z.array(serviceSchema),
  supportedTrust: z.array(z.string()),
  hasMcp: z.boolean(),
  hasA2a: z.boolean(),
  mcpEndpoint: z.string().optional(),
  a2aEndpoint: z.string().optional(),
  fileError: z
    .object({ code: z.string(), message: z.string() })
    .optional()
    .meta({ description: 'Why the registration file cannot be read now; what was known of an earlier one stays.' }),
  mcpReachable: reachableSchema,
  a2aReachable: reachableSchema,
  reachabilityCheckedAt: isoTimeSchema.optional().meta({ description: 'When reachability changed last.' }),
  skills: z.array(classSchema),
  domains: z.array(classSchema),
  classificationConfidence: z.number().optional().meta({ description: 'From 0 to 1; absent: not classified.' }),
  score: z.number().nullable().meta({ description: 'The mean of its ratings; null: it has none.' }),
  feedbackCount: z.int().meta({ description: 'Ratings that count.' }),
  metadata: z.record(z.string(), z.string()),
  registeredAt: isoTimeSchema,
  updatedAt: isoTimeSchema,
});

const responseSchema: z.ZodType<ResponseView> = z.object({
  responder: z.string(),
  responseUri: z.string(),
  responseHash: z.string(),
  createdAt: isoTimeSchema,
});

const feedbackSchema: z.ZodType<FeedbackView> = z.object({
  agentId: agentIdSchema,
  source: z.enum(['registry', 'eas']),
  clientAddress: z.string(),
  feedbackIndex: z.string().optional(),
  attestationUid: z.string().optional(),
  value: z.string().optional().meta({ description: 'The value as it was given, without its decimal point.' }),
  valueDecimals: z.int().optional(),
  score: z.int(),
  isRating: z.boolean().meta({ description: 'Whether it counts for the score, while it is not revoked.' }),
  tags: z.array(z.string()),
  endpoint: z.string().optional(),
  feedbackUri: z.string().optional(),
  feedbackHash: z.string().optional(),
  revoked: z.boolean(),
  responses: z.array(responseSchema).meta({ description: 'The first 100.' }),
  createdAt: isoTimeSchema,
});

/** As the stream of registry events shows it; the fields of each type are told there. */
const agentEventSchema = z.looseObject({
  eventId: z.uuid(),
  cursor: z.string().meta({ description: 'A cursor: it continues at any door.' }),
  type: z.string(),
  agentId: agentIdSchema,
  chainId: chainIdSchema,
  timestamp: isoTimeSchema,
});

const metaSchema = z.object({
  limit: z.int(),
  hasMore: z.boolean(),
  nextCursor: z.string().optional().meta({ description: 'Where the next page starts; absent on the last.' }),
  reset: resetSchema.meta({
    description: 'Of pages of events: some of what comes after the cursor is not kept any more.',
  }),
});

const pageOf = (item: z.ZodType) => z.object({ success: z.literal(true), data: z.array(item), meta: metaSchema });

export const agentPageSchema = pageOf(agentSchema);
export const feedbackPageSchema = pageOf(feedbackSchema);
export const agentEventPageSchema = pageOf(agentEventSchema);
export const oneAgentSchema = z.object({ success: z.literal(true), data: agentSchema });
