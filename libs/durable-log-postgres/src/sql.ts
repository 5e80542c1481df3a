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

    /** What an erasure is to keep, as long as the connection lasts. */
    makeKept: `
      DROP TABLE IF EXISTS pg_temp.kept;
      CREATE TEMPORARY TABLE kept (number serial, id text PRIMARY KEY, text text NOT NULL, stored boolean NOT NULL DEFAULT false)`,

    keep: `
      INSERT INTO pg_temp.kept (id, text) SELECT * FROM unnest($1::text[], $2::text[])
      ON CONFLICT (id) DO UPDATE SET text = excluded.text`,

    dropKept: 'DROP TABLE pg_temp.kept',

    /** Of the records from index $1 to before $2, those that contain one of $3; at most $4 bytes of them, as with reading. */
    scan: `
      SELECT index, value, found
      FROM (
        SELECT index, value, count(*) OVER () AS found,
          sum(octet_length(value)) OVER (ORDER BY index) - octet_length(value) AS bytes_before
        FROM ${schema}.records
        WHERE index >= $1::bigint AND index < $2::bigint
          AND EXISTS (SELECT FROM unnest($3::bytea[]) AS spelling WHERE position(spelling IN value) > 0)
      ) AS measured
      WHERE bytes_before < $4::bigint OR bytes_before = 0
      ORDER BY index`,

    /** Records $1 are of the entity, with event ids $2 (null: none): below index $3 they get what is kept of them, or go. */
    erase: `
      WITH about AS (
        SELECT * FROM unnest($1::bigint[], $2::text[]) AS a (index, id)
      ), noted AS (
        UPDATE pg_temp.kept k SET stored = true FROM about WHERE k.id = about.id
      ), changed AS (
        UPDATE ${schema}.records r SET value = convert_to(k.text, 'UTF8')
        FROM about JOIN pg_temp.kept k ON k.id = about.id
        WHERE r.index = about.index AND r.index < $3::bigint AND r.value <> convert_to(k.text, 'UTF8')
      )
      DELETE FROM ${schema}.records r USING about
      WHERE r.index = about.index AND r.index < $3::bigint
        AND NOT EXISTS (SELECT FROM pg_temp.kept k WHERE k.id = about.id)`,

    /** What is kept and was found nowhere, after number $1; at most $2 bytes, unless the first alone is larger. */
    lacking: `
      SELECT number, id, text
      FROM (
        SELECT *, sum(octet_length(text)) OVER (ORDER BY number) - octet_length(text) AS bytes_before
        FROM (SELECT * FROM pg_temp.kept WHERE NOT stored AND number > $1::int ORDER BY number LIMIT 1000) AS candidates
      ) AS measured
      WHERE bytes_before < $2::bigint OR bytes_before = 0
      ORDER BY number`,
  } as const;
}

/** A lock of the database that stands for `$1`. */
export const TRY_LOCK = 'SELECT pg_try_advisory_lock(hashtextextended($1::text, 0)) AS locked';

export const LOCK_IN_TRANSACTION = 'SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))';

export const UNLOCK_AND_TELL =
  'SELECT pg_advisory_unlock(hashtextextended($1::text, 0)), pg_notify($2::text, $3::text)';
