import { z } from 'zod';
import { safeNameSchema } from '../envelope';
import { textSchema } from '../text';

/** Most tags, changes, skills or domains in one event. */
export const MAX_REGISTRY_LIST_ITEMS = 1000;

/** Longest name, tag or field name, in Unicode characters. */
export const MAX_REGISTRY_LABEL_LENGTH = 500;

/** Longest URI, endpoint or other text from a chain, in Unicode characters; what is longer is cut, and ends in `…`. */
export const MAX_REGISTRY_TEXT_LENGTH = 2048;

export const labelSchema = textSchema(MAX_REGISTRY_LABEL_LENGTH);
export const labelsSchema = z.array(labelSchema).max(MAX_REGISTRY_LIST_ITEMS);
export const chainTextSchema = textSchema(MAX_REGISTRY_TEXT_LENGTH);

/** An agent of a registry: `<chainId>:<tokenId>`, both decimal. A token id has up to 256 bits, so it stays text. */
export const agentIdSchema = z
  .string()
  .regex(/^[1-9][0-9]{0,15}:(?:0|[1-9][0-9]{0,77})$/, 'must be "<chainId>:<tokenId>", both decimal')
  .meta({ description: 'The agent: `<chainId>:<tokenId>`, both decimal.' });

export const chainIdSchema = z.int().min(1).meta({ description: 'The chain that the agent is registered on.' });

const hexSchema = (bytes: number) =>
  z.string().regex(new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`), `must be 0x and ${bytes * 2} hexadecimal digits`);

export const addressSchema = hexSchema(20);
export const hashSchema = hexSchema(32);

/** Where on its chain an event was found. */
export const chainCoordinatesSchema = z.strictObject({
  blockNumber: z.int().min(0),
  blockHash: hashSchema,
  transactionHash: hashSchema,
  logIndex: z.int().min(0),
});

const classSchema = z.strictObject({ slug: safeNameSchema, name: labelSchema });
export const classesSchema = z.array(classSchema).max(MAX_REGISTRY_LIST_ITEMS);
