import { z } from 'zod';
import { textSchema } from '../text';
import { MAX_TIMESTAMP_MS } from '../limits';
import { addressSchema, chainTextSchema, hashSchema, labelSchema } from './registry-fields';

/** Most services of one registration file, and most kinds of trust that it supports. */
export const MAX_REGISTRATION_SERVICES = 64;

/** Most skills, and most domains, that one registration file declares. */
export const MAX_DECLARED_CLASSES = 200;

/** Longest description of an agent, in Unicode characters. */
export const MAX_AGENT_DESCRIPTION_LENGTH = 4000;

/** Most entries of metadata that an event carries. */
export const MAX_METADATA_ENTRIES = 50;

/** Longest value of metadata, in characters of its hexadecimal text. */
export const MAX_METADATA_VALUE_LENGTH = 1000;

/** Longest name or version of a service, in Unicode characters. */
export const MAX_SERVICE_NAME_LENGTH = 100;

/** Longest message of a fault, in Unicode characters. */
export const MAX_REGISTRATION_ERROR_LENGTH = 500;

const supportedTrustSchema = z.array(labelSchema).max(MAX_REGISTRATION_SERVICES);
const declaredClassesSchema = z.array(labelSchema).max(MAX_DECLARED_CLASSES);

const serviceSchema = z.strictObject({
  name: textSchema(MAX_SERVICE_NAME_LENGTH),
  endpoint: chainTextSchema,
  version: textSchema(MAX_SERVICE_NAME_LENGTH).optional(),
});

/** What is kept of a registration file: what the registration file of an agent says of it. */
export const registrationFileSummarySchema = z.strictObject({
  name: labelSchema,
  description: textSchema(MAX_AGENT_DESCRIPTION_LENGTH).optional(),
  image: chainTextSchema.optional(),
  active: z.boolean().optional(),
  x402Support: z.boolean().optional(),
  services: z.array(serviceSchema).max(MAX_REGISTRATION_SERVICES),
  mcpEndpoint: chainTextSchema.optional(),
  a2aEndpoint: chainTextSchema.optional(),
  supportedTrust: supportedTrustSchema,
  declaredSkills: declaredClassesSchema.meta({ description: 'OASF skills, as the file says them.' }),
  declaredDomains: declaredClassesSchema.meta({ description: 'OASF domains, as the file says them.' }),
  updatedAt: z.int().optional().meta({ description: 'When the file says it was changed, in its own unit.' }),
});

export type RegistrationFileSummary = z.infer<typeof registrationFileSummarySchema>;

const METADATA_VALUE = new RegExp(`^0x[0-9a-fA-F]{0,${MAX_METADATA_VALUE_LENGTH - 3}}(?:[0-9a-fA-F]|…)?$`);

/** By hand, because its keys are anybody's: zod leaves out some of them. */
function isMetadata(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= MAX_METADATA_ENTRIES &&
    entries.every(
      ([key, text]: [string, unknown]) =>
        labelSchema.safeParse(key).success && typeof text === 'string' && METADATA_VALUE.test(text),
    )
  );
}

const metadataSchema = z
  .custom<Readonly<Record<string, string>>>(isMetadata, {
    error: `must be at most ${MAX_METADATA_ENTRIES} texts by key, each of 0x and hexadecimal digits`,
  })
  .meta({
    description: 'All entries of metadata by key, as 0x and hexadecimal digits.',
    maxProperties: MAX_METADATA_ENTRIES,
    propertyNames: labelSchema.meta(),
    additionalProperties: { type: 'string', pattern: METADATA_VALUE.source },
  });

/**
 * The registration of an agent from then on, as far as the event changes it: a member that is present takes the place of
 * what was known, all of `file` and all of `metadata` at once. In `agent_registered` and `agent_update_reverted` it is
 * all that is known: what is absent there is not known (any more).
 */
export const registrationSchema = z.strictObject({
  uri: chainTextSchema.optional(),
  contentHash: hashSchema.optional().meta({ description: 'SHA-256 of the registration file.' }),
  readAt: z
    .int()
    .min(0)
    .max(MAX_TIMESTAMP_MS)
    .optional()
    .meta({ description: 'When the file was read, in milliseconds since 1970.' }),
  error: z
    .strictObject({ code: labelSchema, message: textSchema(MAX_REGISTRATION_ERROR_LENGTH) })
    .optional()
    .meta({ description: 'Why the file could not be read. `file` is then what was last read, if anything.' }),
  file: registrationFileSummarySchema.optional(),
  wallet: addressSchema.nullable().optional(),
  metadata: metadataSchema.optional(),
});

export type AgentRegistration = z.infer<typeof registrationSchema>;
