import { textSchema, MAX_REGISTRY_LABEL_LENGTH } from '@sluice/event-schema';
import type { AgentCursor, AgentSort } from '@sluice/projections';
import { z } from 'zod';

/** Where a page of agents ended, in which order of which list. */
export interface AgentPlace extends AgentCursor {
  readonly sort: AgentSort;
  readonly order: 'asc' | 'desc';
}

/** Longest text that is decoded: the longest name, in base64url. */
const MAX_TOKEN_CHARS = 8_192;

const NOT_OURS = 'is not one that this list gave out';

const positionSchema = z.int().min(1);
const orderSchema = z.enum(['asc', 'desc']);

const agentTupleSchema = z.union([
  z.tuple([z.literal('name'), orderSchema, textSchema(MAX_REGISTRY_LABEL_LENGTH), positionSchema]),
  z.tuple([z.literal('score'), orderSchema, z.number().nullable(), positionSchema]),
  z.tuple([z.enum(['registered', 'updated']), orderSchema, positionSchema, positionSchema]),
]);

const feedbackTupleSchema = z.tuple([z.literal('feedback'), positionSchema]);

export function encodeAgentPlace({ sort, order, key, position }: AgentPlace): string {
  return toToken([sort, order, key, position]);
}

export function encodeFeedbackPlace(createdPosition: number): string {
  return toToken(['feedback', createdPosition]);
}

/** Reads what `encodeAgentPlace` wrote. */
export const agentPlaceSchema = tokenOf(agentTupleSchema)
  .transform(([sort, order, key, position]): AgentPlace => ({ sort, order, key, position }))
  .meta({ description: 'The `nextCursor` of the page before, of the same list.' });

/** Reads what `encodeFeedbackPlace` wrote. */
export const feedbackPlaceSchema = tokenOf(feedbackTupleSchema)
  .transform(([, position]) => position)
  .meta({ description: 'The `nextCursor` of the page before.' });

function toToken(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function tokenOf<S extends z.ZodType>(schema: S) {
  return z.string().transform((text, context): z.output<S> => {
    const parsed = schema.safeParse(fromToken(text));
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: NOT_OURS });
    return z.NEVER;
  });
}

function fromToken(text: string): unknown {
  if (text.length > MAX_TOKEN_CHARS) return undefined;
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
