import { z } from 'zod';
import { eventIdSchema } from '../envelope';
import type { RegistryEventType } from './event-types';
import { feedbackIndexSchema, registryFeedbackSchema } from './feedback-data';
import { registrationSchema } from './registration-data';
import {
  addressSchema,
  agentIdSchema,
  chainCoordinatesSchema,
  chainIdSchema,
  chainTextSchema,
  classesSchema,
  hashSchema,
  labelSchema,
  labelsSchema,
} from './registry-fields';

/**
 * Details beside what an event is about, where they may be absent: the generic doors show them, the registry events door
 * does not. `chain` says where on its chain an event was found.
 */
export const HIDDEN_REGISTRY_DETAILS = ['chain', 'registration', 'feedback'] as const;

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

/** The data of what takes an event back because its block is no longer on the chain. */
function reversalData<S extends z.ZodRawShape>(own: S) {
  return registryData({
    revertedEventId: eventIdSchema.meta({ description: 'The event that is taken back.' }),
    ...own,
  });
}

const registration = registrationSchema.optional();
const feedback = registryFeedbackSchema.optional();

/** Which feedback of the reputation registry. */
const feedbackPlace = { clientAddress: addressSchema, feedbackIndex: feedbackIndexSchema };
const attestationPlace = { attestationUid: hashSchema, attester: addressSchema };
const validationPlace = { validator: addressSchema, requestHash: hashSchema };
const transfer = { from: addressSchema, to: addressSchema };

const SCHEMAS = {
  reputation_change: registryData({
    previousScore: z.number(),
    newScore: z.number(),
    feedbackCount: z.int().min(0),
    latestFeedback: z.strictObject({ score: z.number(), tags: labelsSchema }).optional(),
    feedback,
  }),
  reachability_update: registryData({
    mcpReachable: z.boolean(),
    a2aReachable: z.boolean(),
    previousMcp: z.boolean().optional(),
    previousA2a: z.boolean().optional(),
  }),
  new_attestation: registryData({
    ...attestationPlace,
    score: z.number().min(0).max(100),
    tags: labelsSchema,
  }),
  agent_registered: registryData({
    name: labelSchema,
    owner: addressSchema,
    hasMcp: z.boolean(),
    hasA2a: z.boolean(),
    registration,
  }),
  agent_updated: registryData({ changes: labelsSchema, registration }),
  classification_complete: registryData({
    skills: classesSchema,
    domains: classesSchema,
    confidence: z.number().min(0).max(1),
  }),
  agent_transferred: registryData(transfer),
  feedback_received: registryData({ feedback: registryFeedbackSchema }),
  feedback_revoked: registryData(feedbackPlace),
  feedback_response: registryData({
    ...feedbackPlace,
    responder: addressSchema,
    responseUri: chainTextSchema,
    responseHash: hashSchema,
  }),
  attestation_revoked: registryData(attestationPlace),
  validation_requested: registryData({
    validator: addressSchema,
    requestUri: chainTextSchema,
    requestHash: hashSchema,
  }),
  validation_responded: registryData({
    ...validationPlace,
    response: z.int().min(0).max(255),
    responseUri: chainTextSchema,
    responseHash: hashSchema,
    tag: labelSchema,
  }),
  agent_registration_reverted: reversalData({ name: labelSchema, owner: addressSchema }),
  agent_update_reverted: reversalData({ changes: labelsSchema, registration }),
  agent_transfer_reverted: reversalData(transfer),
  feedback_reverted: reversalData({
    clientAddress: addressSchema,
    feedbackIndex: feedbackIndexSchema.optional(),
    attestationUid: hashSchema.optional(),
  })
    .refine((data) => data.feedbackIndex === undefined || data.attestationUid === undefined, {
      path: ['attestationUid'],
      error: 'must be absent where there is a feedbackIndex',
    })
    .meta({
      not: { properties: { feedbackIndex: {}, attestationUid: {} }, required: ['feedbackIndex', 'attestationUid'] },
    }),
  feedback_revocation_reverted: reversalData(feedbackPlace),
  feedback_response_reverted: reversalData({ ...feedbackPlace, responder: addressSchema }),
  attestation_reverted: reversalData(attestationPlace),
  attestation_revocation_reverted: reversalData(attestationPlace),
  validation_request_reverted: reversalData(validationPlace),
  validation_response_reverted: reversalData(validationPlace),
} satisfies Record<RegistryEventType, z.ZodType<Record<string, unknown>>>;

/** The data of a registry event of type `T`. */
export type RegistryEventData<T extends RegistryEventType = RegistryEventType> = z.infer<(typeof SCHEMAS)[T]>;

/** What the data of a registry event of this type has to be. */
export function registryEventDataSchema<T extends RegistryEventType>(type: T): (typeof SCHEMAS)[T] {
  return SCHEMAS[type];
}

/**
 * The fields of a type that the registry events door shows, in its order: all but hidden details, which are optional. Where
 * a field of such a name is required (`feedback` of `feedback_received`), it is what the event is about.
 */
export function shownRegistryFields(type: RegistryEventType): readonly string[] {
  const shape: Readonly<Record<string, z.ZodType>> = registryEventDataSchema(type).shape;
  const hidden: readonly string[] = HIDDEN_REGISTRY_DETAILS;
  return Object.keys(shape).filter((field) => !(hidden.includes(field) && shape[field]?.safeParse(undefined).success));
}
