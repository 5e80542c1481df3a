import { Prisma } from './generated/client';

/** A page in the order of creation and then id, or of positions. */
export interface Direction {
  readonly order: 'ascending' | 'descending';
}

export function directed({ order }: Direction): Prisma.Sql {
  return order === 'descending' ? Prisma.sql`DESC` : Prisma.sql`ASC`;
}

export function beyond({ order }: Direction): Prisma.Sql {
  return order === 'descending' ? Prisma.sql`<` : Prisma.sql`>`;
}

/** Bounds of a column of milliseconds. */
export interface MsRange {
  readonly afterMs?: number | undefined;
  readonly fromMs?: number | undefined;
  readonly beforeMs?: number | undefined;
  readonly upToMs?: number | undefined;
}

export function rangeConditions(column: Prisma.Sql, range: MsRange): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  const { afterMs, fromMs, beforeMs, upToMs } = range;
  if (afterMs !== undefined) conditions.push(Prisma.sql`${column} > ${boundedInteger(Math.floor(afterMs))}`);
  if (fromMs !== undefined) conditions.push(Prisma.sql`${column} >= ${boundedInteger(Math.ceil(fromMs))}`);
  if (beforeMs !== undefined) conditions.push(Prisma.sql`${column} < ${boundedInteger(Math.ceil(beforeMs))}`);
  if (upToMs !== undefined) conditions.push(Prisma.sql`${column} <= ${boundedInteger(Math.floor(upToMs))}`);
  return conditions;
}

/** Within what the column can hold. */
export function boundedInteger(ms: number): bigint {
  return BigInt(Math.min(Math.max(ms, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER));
}

interface Union {
  readonly columns: Prisma.Sql;
  readonly table: Prisma.Sql;
  readonly branches: readonly Prisma.Sql[];
  readonly inOrder: Prisma.Sql;
  readonly limit: number;
}

/** The first rows of each of several conditions: one index scan for each, so that no more than a few pages are sorted. */
export function unionOf({ columns, table, branches, inOrder, limit }: Union): Prisma.Sql {
  return Prisma.join(
    branches.map((branch) => Prisma.sql`(SELECT ${columns} FROM ${table} WHERE ${branch} ${inOrder} LIMIT ${limit})`),
    ' UNION ALL ',
  );
}
