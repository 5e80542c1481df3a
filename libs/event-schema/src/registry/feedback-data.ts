import { z } from 'zod';
import { addressSchema, chainTextSchema, hashSchema, labelsSchema } from './registry-fields';

/** The number of a feedback among those of its client about its agent: up to 64 bits, so it stays text. */
export const feedbackIndexSchema = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,19})$/, 'must be a decimal number')
  .meta({ description: 'Number of the feedback among those of its client about the agent.' });

const valueSchema = z
  .string()
  .regex(/^-?(?:0|[1-9][0-9]{0,77})$/, 'must be a decimal integer')
  .meta({ description: 'The value without its decimal point.' });

/** One feedback about an agent, wherever it was given. */
export const registryFeedbackSchema = z.strictObject({
  source: z.enum(['registry', 'eas']).meta({ description: 'The reputation registry, or an attestation.' }),
  clientAddress: addressSchema.meta({ description: 'Who gave it.' }),
  feedbackIndex: feedbackIndexSchema.optional(),
  attestationUid: hashSchema.optional(),
  value: valueSchema.optional(),
  valueDecimals: z.int().min(0).max(255).optional(),
  score: z.int().min(0).max(100),
  isRating: z.boolean().meta({ description: 'Whether it counts for the score of the agent.' }),
  tags: labelsSchema,
  endpoint: chainTextSchema.optional(),
  feedbackUri: chainTextSchema.optional(),
  feedbackHash: hashSchema.optional(),
});

export type RegistryFeedback = z.infer<typeof registryFeedbackSchema>;
