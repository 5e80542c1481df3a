import {
  MAX_DUE_CHAIN_DOCUMENTS,
  type BlockJournal,
  type ChainCommit,
  type ChainDocument,
  type ChainGrant,
  type ChainHalt,
  type ChainState,
  type ChainStatus,
  type ChainStore,
  type JsonObject,
  type OutboxBatch,
} from '@sluice/agent-registry';
import { SluiceError } from '@sluice/event-log';
import { commitChain } from './chain-commit';
import {
  fromCursor,
  fromDocumentRow,
  fromEventLines,
  fromHeaderRow,
  fromJournalRow,
  isKey,
  type ChainRow,
  type DocumentRow,
  type HeaderRow,
  type JournalRow,
} from './chain-rows';
import type { Database, Queries } from './database';
import { Prisma } from './generated/client';
import { toLines } from './text-lines';
import { orUnavailable } from './unavailable';

/** Most documents that are asked for at once: one statement for each so many. */
const MAX_KEYS_AT_ONCE = 10_000;

/**
 * ChainStore in PostgreSQL. The database's clock decides about leases, so replicas need not agree on the time. What moves much
 * goes past Prisma's client, see `inTransaction`.
 */
export class PrismaChainStore implements ChainStore {
  constructor(
    private readonly database: Database,
    private readonly pastClient: Queries,
  ) {}

  async acquire(chainId: number, holder: string, leaseMs: number): Promise<ChainGrant | undefined> {
    const [row] = await orUnavailable(
      () => this.database.$queryRaw<{ fencing_token: bigint }[]>`
      INSERT INTO registry_watch.chains AS c (chain_id, holder, fencing_token, expires_at)
      VALUES (${BigInt(chainId)}, ${holder}, 1, clock_timestamp() + ${leaseMs} * interval '1 millisecond')
      ON CONFLICT (chain_id) DO UPDATE SET
        fencing_token = c.fencing_token
          + CASE WHEN c.holder = excluded.holder AND c.expires_at > clock_timestamp() THEN 0 ELSE 1 END,
        holder = excluded.holder,
        expires_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
      WHERE c.holder IS NULL OR c.holder = excluded.holder OR c.expires_at <= clock_timestamp()
      RETURNING fencing_token`,
    );
    return row && { chainId, holder, fencingToken: Number(row.fencing_token) };
  }

  async release(grant: ChainGrant): Promise<void> {
    await orUnavailable(
      () => this.database.$executeRaw`
      UPDATE registry_watch.chains SET holder = NULL, expires_at = clock_timestamp()
      WHERE chain_id = ${BigInt(grant.chainId)} AND holder = ${grant.holder}
        AND fencing_token = ${BigInt(grant.fencingToken)}`,
    );
  }

  async load(grant: ChainGrant): Promise<ChainState> {
    const rows = await orUnavailable(
      () => this.database.$queryRaw<(ChainRow & Partial<HeaderRow>)[]>`
      SELECT c.cursor_number, c.cursor_hash, c.halted, c.accepts_deep_reorg, j.number, j.hash, j.parent_hash, j.timestamp
      FROM registry_watch.chains c
      LEFT JOIN registry_watch.journals j ON j.chain_id = c.chain_id
      WHERE ${isHeldBy(grant)} ORDER BY j.number`,
    );
    const [chain] = rows;
    if (!chain) throw lost(grant);
    return {
      cursor: fromCursor(chain),
      journaled: rows.flatMap((row) => (typeof row.number === 'bigint' ? [fromHeaderRow(row as HeaderRow)] : [])),
      halted: fromText<ChainHalt>(chain.halted),
      acceptsDeepReorg: chain.accepts_deep_reorg,
    };
  }

  async read(chainId: number, keys: readonly string[]): Promise<ReadonlyMap<string, ChainDocument>> {
    const found = new Map<string, ChainDocument>();
    const possible = keys.filter(isKey);
    for (let start = 0; start < possible.length; start += MAX_KEYS_AT_ONCE) {
      const some = possible.slice(start, start + MAX_KEYS_AT_ONCE);
      const rows = await orUnavailable(
        () => this.pastClient.$queryRaw<DocumentRow[]>`
        SELECT key, value, due_at FROM registry_watch.documents
        WHERE chain_id = ${BigInt(chainId)} AND key = ANY(string_to_array(${toLines(some)}, E'\\n'))`,
      );
      for (const row of rows) found.set(row.key, fromDocumentRow(row));
    }
    return found;
  }

  async due(query: {
    readonly chainId: number;
    readonly kind: string;
    readonly dueBefore: number;
    readonly limit: number;
  }): Promise<readonly ChainDocument[]> {
    const limit = Math.min(query.limit, MAX_DUE_CHAIN_DOCUMENTS);
    const rows = await orUnavailable(
      () => this.database.$queryRaw<DocumentRow[]>`
      SELECT key, value, due_at FROM registry_watch.documents
      WHERE chain_id = ${BigInt(query.chainId)} AND kind = ${query.kind} AND due_at <= ${query.dueBefore}::float8
      ORDER BY due_at, key LIMIT ${limit}`,
    );
    return rows.map(fromDocumentRow);
  }

  async journals(chainId: number, above: number): Promise<readonly BlockJournal[]> {
    const rows = await orUnavailable(
      () => this.database.$queryRaw<JournalRow[]>`
      SELECT number, hash, parent_hash, timestamp, before, emitted FROM registry_watch.journals
      WHERE chain_id = ${BigInt(chainId)} AND number > ${BigInt(above)} ORDER BY number DESC`,
    );
    return rows.map(fromJournalRow);
  }

  async commit(grant: ChainGrant, commit: ChainCommit): Promise<number | undefined> {
    const { granted, batchId } = await orUnavailable(() => commitChain(this.pastClient, grant, commit));
    if (!granted) throw lost(grant);
    return batchId;
  }

  async outbox(grant: ChainGrant, limit: number): Promise<readonly OutboxBatch[]> {
    const rows = await orUnavailable(
      () => this.pastClient.$queryRaw<{ batch_id: string | null; events: string | null }[]>`
      SELECT o.batch_id, o.events FROM registry_watch.chains c
      LEFT JOIN LATERAL (
        SELECT batch_id, events FROM registry_watch.outbox
        WHERE chain_id = c.chain_id ORDER BY batch_id LIMIT ${limit}
      ) o ON true
      WHERE ${isHeldBy(grant)} ORDER BY o.batch_id`,
    );
    if (rows.length === 0) throw lost(grant);
    return rows.flatMap(({ batch_id, events }) =>
      batch_id === null || events === null ? [] : [{ batchId: Number(batch_id), events: fromEventLines(events) }],
    );
  }

  async settle(grant: ChainGrant, upToBatchId: number): Promise<void> {
    const rows = await orUnavailable(
      () => this.database.$queryRaw<{ chain_id: bigint }[]>`
      WITH held AS (
        SELECT c.chain_id FROM registry_watch.chains c WHERE ${isHeldBy(grant)} FOR UPDATE
      ), settled AS (
        DELETE FROM registry_watch.outbox o USING held
        WHERE o.chain_id = held.chain_id AND o.batch_id <= ${BigInt(upToBatchId)}
      )
      SELECT chain_id FROM held`,
    );
    if (rows.length === 0) throw lost(grant);
  }

  async report(grant: ChainGrant, report: JsonObject): Promise<void> {
    await orUnavailable(
      () => this.database.$executeRaw`
      UPDATE registry_watch.chains SET report = ${JSON.stringify(report)}, reported_at = clock_timestamp()
      WHERE chain_id = ${BigInt(grant.chainId)} AND fencing_token = ${BigInt(grant.fencingToken)}`,
    );
  }

  async statuses(): Promise<readonly ChainStatus[]> {
    const rows = await orUnavailable(
      () => this.database.$queryRaw<StatusRow[]>`
      SELECT chain_id, CASE WHEN expires_at > clock_timestamp() THEN holder END AS holder, cursor_number, cursor_hash,
        halted, accepts_deep_reorg, report, reported_at
      FROM registry_watch.chains ORDER BY chain_id`,
    );
    return rows.map((row) => ({
      chainId: Number(row.chain_id),
      cursor: fromCursor(row),
      holder: row.holder ?? undefined,
      halted: fromText<ChainHalt>(row.halted),
      acceptsDeepReorg: row.accepts_deep_reorg,
      report: JSON.parse(row.report) as JsonObject,
      reportedAt: row.reported_at?.getTime(),
    }));
  }

  async acceptDeepReorg(chainId: number): Promise<boolean> {
    const changed = await orUnavailable(
      () => this.database.$executeRaw`
      UPDATE registry_watch.chains SET accepts_deep_reorg = true
      WHERE chain_id = ${BigInt(chainId)} AND halted IS NOT NULL`,
    );
    return changed === 1;
  }
}

interface StatusRow extends ChainRow {
  readonly chain_id: bigint;
  readonly holder: string | null;
  readonly report: string;
  readonly reported_at: Date | null;
}

function isHeldBy({ chainId, holder, fencingToken }: ChainGrant): Prisma.Sql {
  return Prisma.sql`c.chain_id = ${BigInt(chainId)} AND c.holder = ${holder} AND c.fencing_token = ${BigInt(fencingToken)}
    AND c.expires_at > clock_timestamp()`;
}

function lost({ chainId, holder }: ChainGrant): SluiceError {
  return new SluiceError('conflict', `${holder} does not hold the grant of chain ${chainId} any more`);
}

function fromText<T>(text: string | null): T | undefined {
  return text === null ? undefined : (JSON.parse(text) as T);
}
