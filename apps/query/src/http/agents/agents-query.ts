import { agentIdSchema, MAX_REGISTRY_LABEL_LENGTH, safeNameSchema, textSchema } from '@sluice/event-schema';
import type { AgentSort } from '@sluice/projections';
import { z } from 'zod';
import { instantField, limitField, orderField, startField, typesField, wholeNumber } from '../fields';
import { agentPlaceSchema, feedbackPlaceSchema } from './list-cursor';

/** Most agents, feedback or events on one page of these doors. */
export const MAX_AGENT_PAGE_LIMIT = 100;

const DEFAULT_AGENT_PAGE_LIMIT = 20;

/** Most items of one list in a query. */
const MAX_LISTED = 100;

/** Largest count that the read model keeps. */
const MAX_COUNT = 2_147_483_647;

const SORTS = ['registered', 'updated', 'score', 'name'] as const satisfies readonly AgentSort[];

const once = z.string({ error: 'must be given once, as text' });
const limit = limitField(MAX_AGENT_PAGE_LIMIT, DEFAULT_AGENT_PAGE_LIMIT);

/** Items separated by commas, in one parameter or in several. */
const listOf = <S extends z.ZodType<unknown, string>>(item: S, what: string) =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((given) => [given].flat().flatMap((text) => text.split(',')))
    .transform((items) => items.map((text) => text.trim()))
    .pipe(z.array(item).max(MAX_LISTED, `must have at most ${MAX_LISTED} items`))
    .optional()
    .meta({
      description: `${what}, separated by commas or repeated, also with \`[]\` behind the name. At most ${MAX_LISTED}.`,
    });

const flag = (description: string) =>
  z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .transform((text) => text === 'true')
    .optional()
    .meta({ description });

const SCORE_FAULT = 'must be a number from 0 to 100';

const score = (description: string) =>
  once
    .regex(/^\d{1,3}(?:\.\d{1,6})?$/, SCORE_FAULT)
    .transform(Number)
    .refine((value) => value <= 100, SCORE_FAULT)
    .optional()
    .meta({ description });

const chainIdItem = wholeNumber(1, Number.MAX_SAFE_INTEGER);

/** What of the query may be a list, and so may be given with brackets. */
const LISTS = ['chainIds', 'skills', 'domains'];

export const agentsQuerySchema = z.strictObject({
  chainId: chainIdItem.optional().meta({ description: 'As `chainIds`, for one chain.' }),
  chainIds: listOf(chainIdItem, 'Ids of chains'),
  owner: once
    .regex(/^0x[0-9a-fA-F]{40}$/, 'must be an address: 0x and 40 hexadecimal digits')
    .optional()
    .meta({ description: 'The address of the owner, in any case.' }),
  name: once
    .min(1, 'must not be empty')
    .pipe(textSchema(MAX_REGISTRY_LABEL_LENGTH))
    .optional()
    .meta({ description: 'What the name contains, in any case.' }),
  hasMcp: flag('Whether its registration file names an MCP endpoint.'),
  hasA2a: flag('Whether its registration file names an A2A endpoint.'),
  mcpReachable: flag('Whether its MCP endpoint was reachable when it was last probed.'),
  a2aReachable: flag('Whether its A2A endpoint was reachable when it was last probed.'),
  active: flag('What its registration file says.'),
  skills: listOf(safeNameSchema, 'Slugs of skills, of which an agent has at least one'),
  domains: listOf(safeNameSchema, 'Slugs of domains, of which an agent has at least one'),
  minScore: score('The lowest score, from 0 to 100. Agents without ratings have none.'),
  maxScore: score('The highest score.'),
  minFeedback: wholeNumber(0, MAX_COUNT).optional().meta({ description: 'The fewest ratings.' }),
  sort: z
    .enum(SORTS, { error: `must be one of ${SORTS.join(', ')}` })
    .default('registered')
    .meta({
      description: 'By when they were registered or changed last, by score, of which none comes last, or by name.',
    }),
  order: z
    .enum(['asc', 'desc'], { error: 'must be asc or desc' })
    .optional()
    .meta({ description: '`asc` by name, `desc` by all else when absent.' }),
  cursor: once.pipe(agentPlaceSchema).optional(),
  limit,
});

export type AgentsQuery = z.output<typeof agentsQuerySchema>;

/** A query with `name[]` as `name`, where `name` is a list. */
export function withoutBrackets(query: unknown): unknown {
  const given = { ...Object(query) } as Record<string, unknown>;
  for (const name of LISTS) {
    const { [`${name}[]`]: bracketed, ...rest } = given;
    if (bracketed === undefined) continue;
    delete given[`${name}[]`];
    given[name] = [rest[name], bracketed].flat().filter((value) => value !== undefined);
  }
  return given;
}

export const agentPathSchema = z.object({ agentId: agentIdSchema });

export const noQuerySchema = z.strictObject({});

export const feedbackQuerySchema = z.strictObject({
  includeRevoked: flag('Also what was revoked; `false` when absent.'),
  cursor: once.pipe(feedbackPlaceSchema).optional(),
  limit,
});

export const agentEventsQuerySchema = z.strictObject({
  types: typesField,
  since: instantField,
  until: instantField,
  order: orderField,
  cursor: startField,
  limit,
});
