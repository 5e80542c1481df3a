import {
  agentRecord,
  feedbackRecord,
  MAX_LISTED_AGENTS,
  MAX_LISTED_FEEDBACK,
  MAX_SHOWN_RESPONSES,
  MAX_SHOWN_RESPONSES_LENGTH,
  type AgentDirectory,
  type AgentFile,
  type AgentParts,
  type AgentRecord,
  type FeedbackContent,
  type FeedbackRecord,
  type FeedbackResponse,
  type ListAgents,
  type ListFeedback,
} from '@sluice/projections';
import type { Pool } from 'pg';
import { pagesOfAgents } from './agent-pages';
import { findCandidates, isSearch } from './agent-search';
import type { Database } from './database';
import { Prisma } from './generated/client';
import { inTransaction } from './transaction';
import { orTooSlow, orUnavailable } from './unavailable';

/** 64-bit: a text where it was read past Prisma's client. */
type Whole = bigint | string;

interface AgentRow {
  readonly agent_id: string;
  readonly owner: string;
  readonly has_mcp: boolean;
  readonly has_a2a: boolean;
  readonly uri: string | null;
  readonly wallet: string | null;
  readonly file: string;
  readonly file_error: string | null;
  readonly metadata: string;
  readonly mcp_reachable: boolean | null;
  readonly a2a_reachable: boolean | null;
  readonly reachability_checked_at: Whole | null;
  readonly classification: string | null;
  readonly score: number | null;
  readonly feedback_count: Whole;
  readonly registered_at: Whole;
  readonly updated_at: Whole;
  readonly created_position: Whole;
  readonly last_position: Whole;
}

const COLUMNS = Prisma.sql`a.agent_id, a.owner, a.has_mcp, a.has_a2a, a.uri, a.wallet, a.file, a.file_error,
  a.metadata, a.mcp_reachable, a.a2a_reachable, a.reachability_checked_at, a.classification, s.score, s.feedback_count,
  a.registered_at, s.updated_at, a.created_position, s.last_position`;

const TABLES = Prisma.sql`read_model.agents a JOIN read_model.agent_standings s ON s.agent_id = a.agent_id`;

/** Each candidate is looked up by itself, whatever the planner thinks of their number. */
const candidateTables = (candidates: readonly string[]) => Prisma.sql`
  unnest(${[...candidates]}::bigint[]) AS c (created_position)
  CROSS JOIN LATERAL (SELECT * FROM read_model.agents o WHERE o.created_position = c.created_position OFFSET 0) a
  CROSS JOIN LATERAL (SELECT * FROM read_model.agent_standings o WHERE o.agent_id = a.agent_id OFFSET 0) s`;

interface FeedbackRow {
  readonly content: string;
  readonly revoked: boolean;
  readonly responses: readonly string[] | null;
}

/**
 * AgentDirectory in PostgreSQL. Each read is a page in the order of an index, or of the few agents that a search leaves over.
 * Lists have a small pool and a short time of their own: however slow they are, all else goes on.
 */
export class PrismaAgentDirectory implements AgentDirectory {
  constructor(
    private readonly database: Database,
    private readonly lists: Pool,
  ) {}

  async find(agentId: string): Promise<AgentRecord | undefined> {
    if (hasNul(agentId)) return undefined;
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<AgentRow[]>`SELECT ${COLUMNS} FROM ${TABLES} WHERE a.agent_id = ${agentId}`,
    );
    return row && fromRow(row);
  }

  async list(query: ListAgents): Promise<readonly AgentRecord[]> {
    const limit = Math.min(query.limit, MAX_LISTED_AGENTS);
    const pages = pagesOfAgents(query);
    const candidates = await this.candidates(query);
    if (candidates?.length === 0) return [];
    const tables = candidates ? candidateTables(candidates) : TABLES;
    const rows: AgentRow[] = [];
    for (const page of pages) {
      if (rows.length >= limit || page.values.some(hasNul)) continue;
      rows.push(
        ...(await this.read<AgentRow>(
          Prisma.sql`SELECT ${COLUMNS} FROM ${tables} ${page} LIMIT ${limit - rows.length}`,
        )),
      );
    }
    return rows.map(fromRow);
  }

  async feedback({ agentId, after, limit, includeRevoked = false }: ListFeedback): Promise<readonly FeedbackRecord[]> {
    if (hasNul(agentId)) return [];
    const rows = await this.read<FeedbackRow>(Prisma.sql`
      SELECT f.content, f.revoked, s.responses
      FROM (
        SELECT o.agent_id, o.name, o.content, o.revoked, o.created_position FROM read_model.agent_feedback o
        WHERE o.agent_id = ${agentId}
          -- What is older belongs to an earlier agent of that id.
          AND o.created_position > (SELECT a.created_position FROM read_model.agents a WHERE a.agent_id = ${agentId})
          ${after === undefined ? Prisma.empty : Prisma.sql`AND o.created_position < ${BigInt(after)}`}
          ${includeRevoked ? Prisma.empty : Prisma.sql`AND NOT o.revoked`}
        ORDER BY o.created_position DESC LIMIT ${Math.min(limit, MAX_LISTED_FEEDBACK)}
      ) f
      LEFT JOIN LATERAL (
        SELECT array_agg(t.content ORDER BY t.position) AS responses
        FROM (
          SELECT r.content, r.position, sum(r.length) OVER (ORDER BY r.position) AS total
          FROM (
            SELECT r.content, r.position, r.length FROM read_model.agent_feedback_responses r
            WHERE r.agent_id = f.agent_id AND r.name = f.name AND r.position > f.created_position
            ORDER BY r.position LIMIT ${MAX_SHOWN_RESPONSES}
          ) r
        ) t
        WHERE t.total <= ${MAX_SHOWN_RESPONSES_LENGTH}
      ) s ON true
      ORDER BY f.created_position DESC`);
    return rows.map(({ content, revoked, responses }) =>
      feedbackRecord(
        agentId,
        JSON.parse(content) as FeedbackContent,
        revoked,
        (responses ?? []).map((response) => JSON.parse(response) as FeedbackResponse),
      ),
    );
  }

  private candidates(query: ListAgents): Promise<readonly string[] | undefined> {
    if (!isSearch(query)) return Promise.resolve(undefined);
    return orTooSlow(() => inTransaction(this.lists, (queries) => findCandidates(queries, query)));
  }

  private read<Row extends object>({ text, values }: Prisma.Sql): Promise<readonly Row[]> {
    return orTooSlow(async () => (await this.lists.query<Row>({ text, values: [...values] })).rows);
  }
}

/** The driver refuses U+0000, and nothing that is searched has it. */
function hasNul(value: unknown): boolean {
  return typeof value === 'string' && value.includes('\0');
}

function fromRow(row: AgentRow): AgentRecord {
  const file = JSON.parse(row.file) as Omit<AgentFile, 'hasMcp' | 'hasA2a'>;
  return agentRecord(row.agent_id, {
    parts: {
      owner: row.owner,
      uri: fromText<string>(row.uri),
      wallet: row.wallet,
      file: { ...file, hasMcp: row.has_mcp, hasA2a: row.has_a2a },
      fileError: fromText<NonNullable<AgentParts['fileError']>>(row.file_error),
      metadata: JSON.parse(row.metadata) as AgentParts['metadata'],
      reachability: reachabilityOf(row),
      classification: fromText<NonNullable<AgentParts['classification']>>(row.classification),
      rating: { score: row.score, feedbackCount: Number(row.feedback_count) },
    },
    registeredAt: Number(row.registered_at),
    updatedAt: Number(row.updated_at),
    createdPosition: Number(row.created_position),
    lastPosition: Number(row.last_position),
  });
}

function reachabilityOf(row: AgentRow): AgentParts['reachability'] {
  const { mcp_reachable: mcp, a2a_reachable: a2a, reachability_checked_at: checkedAt } = row;
  return mcp === null || a2a === null || checkedAt === null ? null : { mcp, a2a, checkedAt: Number(checkedAt) };
}

function fromText<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}
