import { z } from 'zod';
import { safeNameSchema } from '../envelope';
import { textSchema } from '../text';
import type { RegistryEventType } from './event-types';

/** Most tags, changes, skills or domains in one event. */
const MAX_LIST_ITEMS = 1000;

/** Longest name, tag or field name, in Unicode characters. */
const MAX_LABEL_LENGTH = 500;

const labelSchema = textSchema(MAX_LABEL_LENGTH);
const labelsSchema = z.array(labelSchema).max(MAX_LIST_ITEMS);

/** An agent of a registry: `<chainId>:<tokenId>`, both decimal. A token id has up to 256 bits, so it stays text. */
export const agentIdSchema = z
  .string()
  .regex(/^[1-9][0-9]{0,15}:(?:0|[1-9][0-9]{0,77})$/, 'must be "<chainId>:<tokenId>", both decimal')
  .meta({ description: 'The agent: `<chainId>:<tokenId>`, both decimal.' });

export const chainIdSchema = z.int().min(1).meta({ description: 'The chain that the agent is registered on.' });

const hexSchema = (bytes: number) =>
  z.string().regex(new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`), `must be 0x and ${bytes * 2} hexadecimal digits`);
const addressSchema = hexSchema(20);
const hashSchema = hexSchema(32);

/** Where on its chain an event was found. The generic doors show it; the registry events door does not. */
const chainCoordinatesSchema = z.strictObject({
  blockNumber: z.int().min(0),
  blockHash: hashSchema,
  transactionHash: hashSchema,
  logIndex: z.int().min(0),
});

const classSchema = z.strictObject({ slug: safeNameSchema, name: labelSchema });
const classesSchema = z.array(classSchema).max(MAX_LIST_ITEMS);

/** The fields that every type has, around its own, in the order in which the registry events door writes them. */
function registryData<S extends z.ZodRawShape>(own: S) {
  return z
    .strictObject({
      agentId: agentIdSchema,
      chainId: chainIdSchema,
      ...own,
      chain: chainCoordinatesSchema.optional(),
    })
    .refine(isOnItsChain, { path: ['agentId'], error: 'must begin with chainId' });
}

/** JSON Schema has no word for this relation of two members. */
function isOnItsChain(data: object): boolean {
  const { agentId, chainId } = data as { agentId: string; chainId: number };
  return agentId.startsWith(`${chainId}:`);
}

const SCHEMAS = {
  reputation_change: registryData({
    previousScore: z.number(),
    newScore: z.number(),
    feedbackCount: z.int().min(0),
    latestFeedback: z.strictObject({ score: z.number(), tags: labelsSchema }).optional(),
  }),
  reachability_update: registryData({
    mcpReachable: z.boolean(),
    a2aReachable: z.boolean(),
    previousMcp: z.boolean().optional(),
    previousA2a: z.boolean().optional(),
  }),
  new_attestation: registryData({
    attestationUid: hashSchema,
    attester: addressSchema,
    score: z.number().min(0).max(100),
    tags: labelsSchema,
  }),
  agent_registered: registryData({
    name: labelSchema,
    owner: addressSchema,
    hasMcp: z.boolean(),
    hasA2a: z.boolean(),
  }),
  agent_updated: registryData({ changes: labelsSchema }),
  classification_complete: registryData({
    skills: classesSchema,
    domains: classesSchema,
    confidence: z.number().min(0).max(1),
  }),
} satisfies Record<RegistryEventType, z.ZodType<Record<string, unknown>>>;

/** The data of a registry event of type `T`. */
export type RegistryEventData<T extends RegistryEventType = RegistryEventType> = z.infer<(typeof SCHEMAS)[T]>;

/** What the data of a registry event of this type has to be. */
export function registryEventDataSchema<T extends RegistryEventType>(type: T): (typeof SCHEMAS)[T] {
  return SCHEMAS[type];
}
