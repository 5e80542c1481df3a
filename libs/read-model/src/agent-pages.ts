import { checkAgentCursor, nameKeyOf, type AgentCursor, type AgentSort, type ListAgents } from '@sluice/projections';
import { Prisma } from './generated/client';

/** The table whose index gives a list's order: agents (`a`) or their standings (`s`). What both have is taken from it. */
const TABLES: Readonly<Record<AgentSort, Prisma.Sql>> = {
  registered: Prisma.sql`a`,
  updated: Prisma.sql`s`,
  score: Prisma.sql`s`,
  name: Prisma.sql`a`,
};

/** The columns of a list's order; each has an index. `last_position` alone tells agents apart. */
const COLUMNS: Readonly<Record<AgentSort, readonly Prisma.Sql[]>> = {
  registered: [Prisma.sql`a.created_position`],
  updated: [Prisma.sql`s.last_position`],
  score: [Prisma.sql`s.score`, Prisma.sql`s.created_position`],
  name: [Prisma.sql`a.name_key`, Prisma.sql`a.created_position`],
};

/**
 * What gives a page, without its limit: when the first is used up, the second goes on. Those without a score come last in
 * both orders, and an index has them on one side only.
 * @throws SluiceError `invalid_cursor`
 */
export function pagesOfAgents(query: ListAgents): readonly Prisma.Sql[] {
  const { sort, after, minScore, maxScore } = query;
  if (after) checkAgentCursor(after, sort);
  const place = after && behind(query, COLUMNS[sort], keyOf(sort, after));
  if (sort !== 'score') return [pageOf(query, place)];
  const position = after && behind(query, [Prisma.sql`s.created_position`], [BigInt(after.position)]);
  if (after?.key === null) return [pageOf(query, UNSCORED, position)];
  const scored = pageOf(query, SCORED, place);
  return minScore === undefined && maxScore === undefined ? [scored, pageOf(query, UNSCORED)] : [scored];
}

const SCORED = Prisma.sql`s.score IS NOT NULL`;
const UNSCORED = Prisma.sql`s.score IS NULL`;

/** What the columns of the order are where a page ended. */
function keyOf(sort: AgentSort, { key, position }: AgentCursor): readonly (number | bigint | string)[] {
  switch (sort) {
    case 'registered':
    case 'updated':
      return [BigInt(Number(key))];
    case 'score':
      return [Number(key), BigInt(position)];
    case 'name':
      return [nameKeyOf(String(key)), BigInt(position)];
  }
}

function behind(
  { order }: ListAgents,
  columns: readonly Prisma.Sql[],
  key: readonly (number | bigint | string)[],
): Prisma.Sql {
  const beyond = order === 'descending' ? Prisma.sql`<` : Prisma.sql`>`;
  return Prisma.sql`(${Prisma.join([...columns])}) ${beyond} (${Prisma.join([...key])})`;
}

function pageOf(query: ListAgents, ...places: readonly (Prisma.Sql | undefined)[]): Prisma.Sql {
  const direction = query.order === 'descending' ? Prisma.sql`DESC` : Prisma.sql`ASC`;
  const conditions = [...places, ...conditionsOf(query)].filter(
    (condition) => condition !== undefined && condition !== false,
  );
  const order = COLUMNS[query.sort].map((column) => Prisma.sql`${column} ${direction}`);
  return Prisma.sql`${conditions.length > 0 ? Prisma.sql`WHERE ${Prisma.join(conditions, ' AND ')}` : Prisma.empty}
    ORDER BY ${Prisma.join(order)}`;
}

function conditionsOf(query: ListAgents): readonly (Prisma.Sql | false)[] {
  const { chainIds = [], owner, name, skills = [], domains = [], minScore, maxScore, minFeedback } = query;
  const { hasMcp, hasA2a, mcpReachable, a2aReachable, active } = query;
  return [
    chainIds.length > 0 && onChains(chainIds, TABLES[query.sort]),
    owner !== undefined && Prisma.sql`a.owner = ${owner.toLowerCase()}`,
    name !== undefined && Prisma.sql`strpos(a.name_key, ${nameKeyOf(name)}) > 0`,
    hasMcp !== undefined && Prisma.sql`a.has_mcp = ${hasMcp}`,
    hasA2a !== undefined && Prisma.sql`a.has_a2a = ${hasA2a}`,
    mcpReachable !== undefined && Prisma.sql`a.mcp_reachable = ${mcpReachable}`,
    a2aReachable !== undefined && Prisma.sql`a.a2a_reachable = ${a2aReachable}`,
    active !== undefined && Prisma.sql`a.active = ${active}`,
    skills.length > 0 && Prisma.sql`a.skills && ${skills.filter(isStorable)}::text[]`,
    domains.length > 0 && Prisma.sql`a.domains && ${domains.filter(isStorable)}::text[]`,
    minScore !== undefined && Prisma.sql`s.score >= ${minScore}::float8`,
    maxScore !== undefined && Prisma.sql`s.score <= ${maxScore}::float8`,
    minFeedback !== undefined && Prisma.sql`s.feedback_count >= ${minFeedback}::float8`,
  ];
}

/** One chain is asked for by equality, by which an index is in order. */
function onChains(chainIds: readonly number[], table: Prisma.Sql): Prisma.Sql {
  const possible = chainIds.filter(Number.isSafeInteger).map(BigInt);
  const [first, ...others] = possible;
  if (first !== undefined && others.length === 0) return Prisma.sql`${table}.chain_id = ${first}`;
  return Prisma.sql`${table}.chain_id = ANY(${possible}::bigint[])`;
}

/** The driver refuses U+0000, and no slug has it. */
export function isStorable(slug: string): boolean {
  return !slug.includes('\0');
}
