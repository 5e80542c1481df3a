/** Letters, digits and underscores, short enough that the names made from it fit into PostgreSQL's 63 bytes. */
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,49}$/;

/** Every statement of the log, for one schema. */
export type LogStatements = ReturnType<typeof logStatements>;

/** @throws RangeError when the name could not stand in a statement as it is. */
export function logStatements(schema: string) {
  if (!SCHEMA_NAME.test(schema)) throw new RangeError(`"${schema}" is no schema name: ${SCHEMA_NAME.source}`);
  const channel = `${schema}_hint`;
  return {
    channel,

    exists: `SELECT to_regclass('${schema}.records') IS NOT NULL AND to_regclass('${schema}.lanes') IS NOT NULL AS exists`,

    /** Idempotent; run under a lock, because IF NOT EXISTS alone does not stand up to a second one at the same moment. */
    create: `
      CREATE SCHEMA IF NOT EXISTS ${schema};
      CREATE TABLE IF NOT EXISTS ${schema}.records (
        index bigint PRIMARY KEY,
        value bytea NOT NULL,
        appended_at timestamptz NOT NULL
      );
      CREATE TABLE IF NOT EXISTS ${schema}.lanes (
        lane smallint PRIMARY KEY,
        next_index bigint NOT NULL
      ) WITH (fillfactor = 10);
      INSERT INTO ${schema}.lanes (lane, next_index) VALUES (0, 0) ON CONFLICT DO NOTHING;`,

    /**
     * Stores lines ($1, joined by line breaks; $2 of them) and tells the other processes who ($3) did. The row of the
     * lane stays locked until the commit: indexes are contiguous and appear in their order. A session that was told not
     * to wait for its disk must wait for ours: acknowledged means durable.
     */
    append: `
      WITH counter AS (
        UPDATE ${schema}.lanes SET next_index = next_index + $2::int
        WHERE lane = 0
        RETURNING next_index - $2::int AS first
      ), stored AS (
        INSERT INTO ${schema}.records (index, value, appended_at)
        SELECT counter.first + line.number - 1, convert_to(line.text, 'UTF8'), clock_timestamp()
        FROM counter, unnest(string_to_array($1::text, E'\\n')) WITH ORDINALITY AS line (text, number)
        RETURNING 1
      )
      SELECT
        (SELECT count(*) FROM stored)::int AS stored,
        pg_notify('${channel}', $3::text),
        CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END`,

    /** Records from index $1 on: at most $2 of them, and at most $3 bytes unless the first alone is larger. */
    read: `
      SELECT index, value, floor(extract(epoch FROM appended_at) * 1000)::bigint AS appended_at_ms
      FROM (
        SELECT *, sum(octet_length(value)) OVER (ORDER BY index) - octet_length(value) AS bytes_before
        FROM (SELECT * FROM ${schema}.records WHERE index >= $1::bigint ORDER BY index LIMIT $2::int) AS candidates
      ) AS measured
      WHERE bytes_before < $3::bigint OR bytes_before = 0
      ORDER BY index`,

    end: `SELECT next_index FROM ${schema}.lanes WHERE lane = 0`,

    /** Of a log without records, where the first one will be. */
    start: `
      SELECT coalesce((SELECT min(index) FROM ${schema}.records), l.next_index) AS first_index
      FROM ${schema}.lanes l WHERE l.lane = 0`,

    listen: `LISTEN ${channel}`,
  } as const;
}

/** A lock of the database that stands for `$1`. */
export const TRY_LOCK = 'SELECT pg_try_advisory_lock(hashtextextended($1::text, 0)) AS locked';

export const LOCK_IN_TRANSACTION = 'SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))';

export const UNLOCK_AND_TELL =
  'SELECT pg_advisory_unlock(hashtextextended($1::text, 0)), pg_notify($2::text, $3::text)';
