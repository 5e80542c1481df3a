import {
  inTurns,
  MAX_DUE_DOCUMENTS,
  MAX_LISTED_DOCUMENTS,
  MIN_CUT_PAGE_DOCUMENTS,
  type CountWaitingDocuments,
  type DueWorkspaceDocuments,
  type ListWorkspaceDocuments,
  type WorkspaceDocument,
  type WorkspaceDocumentKind,
  type WorkspaceDocuments,
} from '@sluice/projections';
import type { Database } from './database';
import { decodeFields, lengthOfFields, type FieldColumns } from './document-fields';
import { Prisma } from './generated/client';
import { orUnavailable } from './unavailable';

interface DocumentRow extends FieldColumns {
  readonly workspace_id: number;
  readonly kind: string;
  readonly id: string;
  readonly parent_id: string | null;
  readonly created_at: bigint;
  readonly updated_at: bigint;
  readonly created_position: bigint;
  readonly last_position: bigint;
  readonly due_at: bigint | null;
}

const COLUMNS = Prisma.sql`workspace_id, kind, id, parent_id, fields, description, prompt, message, script,
  notifications, created_at, updated_at, created_position,
  last_position, due_at`;

/** A page ends where it has come to so many characters: one process serves many workspaces. */
const MAX_PAGE_LENGTH = 16 * 1024 * 1024;

/** Most rows that are read before their sizes are looked at. */
const MAX_ROWS_AT_ONCE = MIN_CUT_PAGE_DOCUMENTS;

/** Hides what goes with an owner that is gone. OFFSET keeps it a look-up of each row: a join could cost the order of the index. */
const IS_THERE = Prisma.sql`(owner_id IS NULL OR NOT EXISTS (
  SELECT FROM read_model.workspace_removals w
  WHERE w.workspace_id = d.workspace_id AND w.owner_kind = d.owner_kind AND w.owner_id = d.owner_id
    AND d.created_position < w.position
  OFFSET 0))`;

/** WorkspaceDocuments in PostgreSQL. Each read is a page in the order of an index. */
export class PrismaWorkspaceDocuments implements WorkspaceDocuments {
  constructor(private readonly database: Database) {}

  async find(workspaceId: number, kind: WorkspaceDocumentKind, id: string): Promise<WorkspaceDocument | undefined> {
    const [row] = await this.read(Prisma.sql`
      WHERE workspace_id = ${workspaceId} AND kind = ${kind} AND id = ${id} AND ${IS_THERE}
      ORDER BY scope LIMIT 1`);
    return row && fromRow(row);
  }

  async list(query: ListWorkspaceDocuments): Promise<readonly WorkspaceDocument[]> {
    const limit = Math.min(query.limit, MAX_LISTED_DOCUMENTS);
    const page: DocumentRow[] = [];
    let { after } = query;
    for (let length = 0; page.length < limit && length < MAX_PAGE_LENGTH;) {
      const wanted = Math.min(limit - page.length, MAX_ROWS_AT_ONCE);
      const rows = await this.read(listed({ ...query, ...(after === undefined ? {} : { after }), limit: wanted }));
      page.push(...rows);
      if (rows.length < wanted) break;
      length += rows.reduce((sum, row) => sum + lengthOfFields(row), 0);
      after = Number(rows.at(-1)?.created_position);
    }
    return page.map(fromRow);
  }

  async due({ kind, dueBefore, limit }: DueWorkspaceDocuments): Promise<readonly WorkspaceDocument[]> {
    const most = Math.min(limit, MAX_DUE_DOCUMENTS);
    const isDue = Prisma.sql`kind = ${kind} AND due_at <= ${BigInt(dueBefore)}`;
    const earliest = await this.read(Prisma.sql`WHERE ${isDue} ORDER BY due_at, created_position LIMIT ${most}`);
    // Mostly that is all there is.
    const rows = earliest.length < most ? earliest : await this.read(dueInTurns(kind, isDue, most));
    return inTurns(rows.map(fromRow));
  }

  async countWaiting({ workspaceId, kind, atMost }: CountWaitingDocuments): Promise<number> {
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<{ count: number }[]>`
      SELECT count(*)::int AS count FROM (
        SELECT FROM read_model.workspace_documents
        WHERE kind = ${kind} AND workspace_id = ${workspaceId} AND due_at IS NOT NULL LIMIT ${atMost}) d`,
    );
    return row?.count ?? 0;
  }

  private read(which: Prisma.Sql): Promise<readonly DocumentRow[]> {
    // The driver refuses U+0000, and no name has it.
    if (which.values.some((value) => typeof value === 'string' && value.includes('\0'))) return Promise.resolve([]);
    return orUnavailable(
      () => this.database.$queryRaw<DocumentRow[]>`
      SELECT ${COLUMNS} FROM read_model.workspace_documents d ${which}`,
    );
  }
}

/**
 * The page that the order by turns begins with. The workspaces that have something due are found by one look into the index
 * for each that waits for anything. Of so many workspaces that the first turn fills the page no more than that is read, so
 * what is read grows with the number of workspaces, and not with what is due.
 */
function dueInTurns(kind: WorkspaceDocumentKind, isDue: Prisma.Sql, limit: number): Prisma.Sql {
  return Prisma.sql`
    JOIN (
      WITH RECURSIVE waiting (workspace_id) AS (
        (SELECT workspace_id FROM read_model.workspace_documents
          WHERE kind = ${kind} AND due_at IS NOT NULL ORDER BY workspace_id LIMIT 1)
        UNION ALL
        SELECT (SELECT n.workspace_id FROM read_model.workspace_documents n
          WHERE n.kind = ${kind} AND n.due_at IS NOT NULL AND n.workspace_id > w.workspace_id
          ORDER BY n.workspace_id LIMIT 1)
        FROM waiting w WHERE w.workspace_id IS NOT NULL
      ), busy AS MATERIALIZED (
        SELECT w.workspace_id FROM waiting w
        CROSS JOIN LATERAL (SELECT FROM read_model.workspace_documents
          WHERE ${isDue} AND workspace_id = w.workspace_id OFFSET 0 LIMIT 1) one
      )
      SELECT b.workspace_id AS due_workspace_id, t.id AS due_id, t.scope AS due_scope
      FROM busy b
      CROSS JOIN LATERAL (
        SELECT id, scope, due_at, created_position, row_number() OVER (ORDER BY due_at, created_position) AS turn
        FROM read_model.workspace_documents
        WHERE ${isDue} AND workspace_id = b.workspace_id
        ORDER BY due_at, created_position
        LIMIT (SELECT CASE WHEN count(*) < ${limit} THEN ${limit} ELSE 1 END FROM busy)
      ) t
      ORDER BY t.turn, t.due_at, t.created_position
      LIMIT ${limit}
    ) due ON workspace_id = due_workspace_id AND kind = ${kind} AND id = due_id AND scope = due_scope`;
}

function listed({ workspaceId, kind, parentId, after, order, limit }: ListWorkspaceDocuments): Prisma.Sql {
  const descending = order === 'descending';
  const beyond = descending ? Prisma.sql`<` : Prisma.sql`>`;
  return Prisma.sql`
    WHERE workspace_id = ${workspaceId} AND kind = ${kind} AND ${IS_THERE}
      ${parentId === undefined ? Prisma.empty : Prisma.sql`AND parent_id = ${parentId}`}
      ${after === undefined ? Prisma.empty : Prisma.sql`AND created_position ${beyond} ${BigInt(after)}`}
    ORDER BY created_position ${descending ? Prisma.sql`DESC` : Prisma.sql`ASC`}
    LIMIT ${limit}`;
}

function fromRow(row: DocumentRow): WorkspaceDocument {
  return {
    workspaceId: row.workspace_id,
    kind: row.kind as WorkspaceDocumentKind,
    id: row.id,
    ...(row.parent_id === null ? {} : { parentId: row.parent_id }),
    fields: decodeFields(row),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
    createdPosition: Number(row.created_position),
    lastPosition: Number(row.last_position),
    ...(row.due_at === null ? {} : { dueAt: Number(row.due_at) }),
  };
}
