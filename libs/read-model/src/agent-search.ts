import { nameKeyOf, type ListAgents } from '@sluice/projections';
import { isStorable } from './agent-pages';
import type { Queries } from './database';
import { Prisma } from './generated/client';

/** Most agents that a search may leave over: where more meet it, the order of the list soon comes to some of them. */
export const MAX_CANDIDATES = 1_000;

/** What the planner is told for a search, so that only its index is left to go by, whatever the statistics say. */
export const SEARCH_SETTINGS = {
  /** By classes: an index that gives bitmaps. */
  classes: {
    enable_bitmapscan: 'on',
    enable_indexscan: 'off',
    enable_indexonlyscan: 'off',
    enable_seqscan: 'off',
  },
  /**
   * By names, one after the other: they are in an index, which is small beside the agents. An index of what names contain
   * would cost each registration a third more.
   */
  names: {
    enable_bitmapscan: 'off',
    enable_indexscan: 'on',
    enable_indexonlyscan: 'on',
    enable_seqscan: 'off',
  },
} as const;

interface Search {
  readonly settings: Readonly<Record<string, string>>;
  readonly conditions: readonly Prisma.Sql[];
}

/**
 * Where agents are searched for by what few may have: the `created_position` of all that may be meant, at most
 * `MAX_CANDIDATES`. Undefined where they are more, and where nothing is searched for. To be called in a transaction, and what
 * it tells the planner holds until its end.
 */
export async function findCandidates(queries: Queries, query: ListAgents): Promise<readonly string[] | undefined> {
  for (const { settings, conditions } of searchesOf(query)) {
    const told = Object.entries(settings).map(([name, value]) => Prisma.sql`set_config(${name}, ${value}, true)`);
    await queries.$executeRaw(Prisma.sql`SELECT ${Prisma.join(told)}`);
    const found = await queries.$queryRaw<{ candidate: string }[]>(Prisma.sql`
      SELECT a.created_position AS candidate FROM read_model.agents a
      WHERE ${Prisma.join([...conditions], ' AND ')} LIMIT ${MAX_CANDIDATES + 1}`);
    if (found.length <= MAX_CANDIDATES) return found.map(({ candidate }) => candidate);
  }
  return undefined;
}

/** Whether `findCandidates` has anything to search for. */
export function isSearch(query: ListAgents): boolean {
  return searchesOf(query).length > 0;
}

function searchesOf({ name = '', skills = [], domains = [] }: ListAgents): readonly Search[] {
  const key = nameKeyOf(name);
  const ofClasses = [
    ...(skills.length > 0 ? [Prisma.sql`a.skills && ${skills.filter(isStorable)}::text[]`] : []),
    ...(domains.length > 0 ? [Prisma.sql`a.domains && ${domains.filter(isStorable)}::text[]`] : []),
  ];
  return [
    ...(ofClasses.length > 0 ? [{ settings: SEARCH_SETTINGS.classes, conditions: ofClasses }] : []),
    ...(key === ''
      ? []
      : [{ settings: SEARCH_SETTINGS.names, conditions: [Prisma.sql`strpos(a.name_key, ${key}) > 0`] }]),
  ];
}
