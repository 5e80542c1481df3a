import {
  MAX_LISTED_BYTES,
  type ListSessionDocuments,
  type NewSessionDocument,
  type SessionDocument,
  type SessionDocumentKind,
  type SessionDocumentPage,
  type SessionDocuments,
} from '@sluice/agent-sessions';
import type { Database } from './database';
import { Prisma } from './generated/client';
import { beyond, directed, rangeConditions, unionOf, boundedInteger } from './ordered-pages';
import { archivedOrNot } from './session-list';
import { canBeStored } from './session-rows';
import { orUnavailable } from './unavailable';

interface DocumentRow {
  readonly workspace_id: number;
  readonly kind: string;
  readonly id: string;
  readonly parent_id: string | null;
  readonly created_at: bigint;
  readonly updated_at: bigint;
  readonly archived_at: bigint | null;
  readonly expires_at: bigint | null;
  readonly version: bigint;
  readonly fields: string;
}

const COLUMNS = Prisma.sql`workspace_id, kind, id, parent_id, created_at, updated_at, archived_at, expires_at, version, fields`;
const TABLE = Prisma.sql`agent_sessions.documents`;

/** SessionDocuments in PostgreSQL. Each list is a page in the order of an index. */
export class PrismaSessionDocuments implements SessionDocuments {
  constructor(private readonly database: Database) {}

  async create(documents: readonly NewSessionDocument[]): Promise<boolean> {
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<{ stored: boolean }[]>`
      SELECT agent_sessions.create_documents(${textOf(documents)}::text::json) AS stored`,
    );
    return row?.stored ?? false;
  }

  async find(workspaceId: number, kind: SessionDocumentKind, id: string): Promise<SessionDocument | undefined> {
    if (!canBeStored(id)) return undefined;
    const [row] = await this.read(Prisma.sql`
      SELECT ${COLUMNS} FROM ${TABLE} WHERE workspace_id = ${workspaceId} AND kind = ${kind} AND id = ${id}`);
    return row;
  }

  async replace(
    document: NewSessionDocument,
    expectedVersion: number,
    also: readonly NewSessionDocument[] = [],
  ): Promise<number | undefined> {
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<{ replaced: boolean }[]>`
      SELECT agent_sessions.replace_document(${JSON.stringify(columnsOf(document))}::text::json,
        ${BigInt(expectedVersion)}::bigint, ${textOf(also)}::text::json) AS replaced`,
    );
    return row?.replaced ? expectedVersion + 1 : undefined;
  }

  async remove(workspaceId: number, kind: SessionDocumentKind, id: string): Promise<boolean> {
    if (!canBeStored(id)) return false;
    const removed = await orUnavailable(
      () => this.database.$executeRaw`
      DELETE FROM agent_sessions.documents WHERE workspace_id = ${workspaceId} AND kind = ${kind} AND id = ${id}`,
    );
    return removed === 1;
  }

  async list(query: ListSessionDocuments): Promise<SessionDocumentPage> {
    if (!canBeStored(query.parentId, query.after?.id)) return { documents: [], hasMore: false };
    const direction = directed(query);
    const given = Prisma.join(conditionsOf(query), ' AND ');
    const branches = branchesOf(query).map((archived) => Prisma.sql`${given} AND ${archived}`);
    const inOrder = Prisma.sql`ORDER BY created_at ${direction}, id ${direction}`;
    // One more than is shown tells whether there is more.
    const limit = query.limit + 1;
    const found = Prisma.sql`
      SELECT ${COLUMNS} FROM (${unionOf({ columns: COLUMNS, table: TABLE, branches, inOrder, limit })}) AS found
      ${inOrder} LIMIT ${limit}`;
    // The sizes alone are looked at: a text that is stored out of line is not fetched unless it is in the page.
    const rows = await orUnavailable(
      () => this.database.$queryRaw<(DocumentRow & { readonly has_more: boolean })[]>`
      SELECT ${COLUMNS}, has_more FROM (
        SELECT ${COLUMNS}, lead(id) OVER listed IS NOT NULL AS has_more, row_number() OVER listed AS place,
          sum(octet_length(fields)) OVER listed AS bytes_to_here
        FROM (${found}) AS sized WINDOW listed AS (${inOrder})
      ) AS measured
      WHERE place <= ${query.limit} AND (bytes_to_here <= ${MAX_LISTED_BYTES} OR place = 1)
      ${inOrder}`,
    );
    return { documents: rows.map(fromRow), hasMore: rows.at(-1)?.has_more ?? false };
  }

  async expired(kind: SessionDocumentKind, nowMs: number, limit: number): Promise<readonly SessionDocument[]> {
    return this.read(Prisma.sql`
      SELECT ${COLUMNS} FROM ${TABLE} WHERE kind = ${kind} AND expires_at <= ${boundedInteger(Math.floor(nowMs))}
      ORDER BY expires_at, id LIMIT ${limit}`);
  }

  /** The database keeps the sum. */
  async sum(workspaceId: number, kind: SessionDocumentKind, _field: 'size_bytes'): Promise<number> {
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<{ bytes: bigint }[]>`
      SELECT bytes FROM agent_sessions.document_sizes WHERE workspace_id = ${workspaceId} AND kind = ${kind}`,
    );
    return Number(row?.bytes ?? 0);
  }

  private async read(query: Prisma.Sql): Promise<readonly SessionDocument[]> {
    const rows = await orUnavailable(() => this.database.$queryRaw<DocumentRow[]>(query));
    return rows.map(fromRow);
  }
}

/** Ids are looked up one by one: said so, no index of a list is known to serve. */
function branchesOf({ ids, includeArchived }: ListSessionDocuments): readonly Prisma.Sql[] {
  if (ids === undefined) return archivedOrNot({ includeArchived });
  return [Prisma.sql`archived = ANY(${includeArchived ? [false, true] : [false]}::boolean[])`];
}

function conditionsOf(query: ListSessionDocuments): Prisma.Sql[] {
  const { parentId, ids, after } = query;
  const conditions = [
    Prisma.sql`workspace_id = ${query.workspaceId}`,
    Prisma.sql`kind = ${query.kind}`,
    ...rangeConditions(Prisma.sql`created_at`, { fromMs: query.createdFromMs, upToMs: query.createdUpToMs }),
  ];
  if (parentId !== undefined) conditions.push(Prisma.sql`parent_id = ${parentId}`);
  if (ids !== undefined) conditions.push(Prisma.sql`id = ANY(${ids.filter((id) => canBeStored(id))}::text[])`);
  if (after !== undefined) {
    conditions.push(
      Prisma.sql`(created_at, id) ${beyond(query)} (${BigInt(after.createdAtMs)}::bigint, ${after.id}::text)`,
    );
  }
  return conditions;
}

function textOf(documents: readonly NewSessionDocument[]): string {
  return JSON.stringify(documents.map(columnsOf));
}

/** A member that is absent is null in the database. */
function columnsOf(document: NewSessionDocument): object {
  const { size_bytes: size } = document.fields;
  return {
    workspace_id: document.workspaceId,
    kind: document.kind,
    id: document.id,
    parent_id: document.parentId,
    created_at: document.createdAtMs,
    updated_at: document.updatedAtMs,
    archived_at: document.archivedAtMs,
    expires_at: document.expiresAtMs,
    size_bytes: Number.isSafeInteger(size) ? size : null,
    fields: JSON.stringify(document.fields),
  };
}

function fromRow(row: DocumentRow): SessionDocument {
  return {
    workspaceId: row.workspace_id,
    kind: row.kind as SessionDocumentKind,
    id: row.id,
    parentId: row.parent_id,
    createdAtMs: Number(row.created_at),
    updatedAtMs: Number(row.updated_at),
    archivedAtMs: row.archived_at === null ? null : Number(row.archived_at),
    expiresAtMs: row.expires_at === null ? null : Number(row.expires_at),
    version: Number(row.version),
    fields: JSON.parse(row.fields) as Record<string, unknown>,
  };
}
