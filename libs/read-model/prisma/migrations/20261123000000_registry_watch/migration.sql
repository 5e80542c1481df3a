-- What the watcher of chains keeps. It is no part of the read model: a rebuild of that one leaves it alone.
-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "registry_watch";

-- One chain: who may change what is known of it, and where that one goes on. "halted" and "report" are JSON texts.
-- CreateTable
CREATE TABLE "registry_watch"."chains" (
    "chain_id" BIGINT NOT NULL,
    "holder" TEXT,
    "fencing_token" BIGINT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "cursor_number" BIGINT,
    "cursor_hash" TEXT,
    "halted" TEXT,
    "accepts_deep_reorg" BOOLEAN NOT NULL DEFAULT false,
    "last_batch_id" BIGINT NOT NULL DEFAULT 0,
    "report" TEXT NOT NULL DEFAULT '{}',
    "reported_at" TIMESTAMPTZ(3),

    CONSTRAINT "chains_pkey" PRIMARY KEY ("chain_id")
);

-- The values are JSON texts: JSONB would refuse U+0000, and would keep neither numbers nor the order of names as they are.
-- CreateTable
CREATE TABLE "registry_watch"."documents" (
    "chain_id" BIGINT NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL,
    "value" TEXT NOT NULL,
    "due_at" DOUBLE PRECISION,

    CONSTRAINT "documents_pkey" PRIMARY KEY ("chain_id","key")
);

-- What undoes a block. "before" and "emitted" are JSON texts.
-- CreateTable
CREATE TABLE "registry_watch"."journals" (
    "chain_id" BIGINT NOT NULL,
    "number" BIGINT NOT NULL,
    "hash" TEXT NOT NULL,
    "parent_hash" TEXT NOT NULL,
    "timestamp" BIGINT NOT NULL,
    "before" TEXT NOT NULL,
    "emitted" TEXT NOT NULL,

    CONSTRAINT "journals_pkey" PRIMARY KEY ("chain_id","number")
);

-- Events on their way to the durable log: the texts of their envelopes, one a line.
-- CreateTable
CREATE TABLE "registry_watch"."outbox" (
    "chain_id" BIGINT NOT NULL,
    "batch_id" BIGINT NOT NULL,
    "events" TEXT NOT NULL,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("chain_id","batch_id")
);

-- CreateIndex
CREATE INDEX "documents_chain_id_kind_due_at_key_idx" ON "registry_watch"."documents"("chain_id", "kind", "due_at", "key") WHERE "due_at" IS NOT NULL;

-- Commits for whoever holds the grant, in one round trip; without it nothing happens and `granted` is false. From the look at
-- the grant to the commit nobody else can be given it. What is null stays as it is. Lists are texts with one item a line:
-- arrays would cost the driver more than the whole commit costs the database. Of `keys` each comes once; `dues` has NaN where
-- nothing is to be done. `halts` says whether `halted` is written. `batch_id` is null where there are no events.
CREATE FUNCTION "registry_watch"."commit_chain"(
    "the_chain" BIGINT,
    "the_holder" TEXT,
    "the_token" BIGINT,
    "cursor_number" BIGINT,
    "cursor_hash" TEXT,
    "removed" TEXT,
    "keys" TEXT,
    "values" TEXT,
    "dues" TEXT,
    "drop_above" BIGINT,
    "drop_up_to" BIGINT,
    "numbers" TEXT,
    "hashes" TEXT,
    "parent_hashes" TEXT,
    "timestamps" TEXT,
    "befores" TEXT,
    "emitteds" TEXT,
    "halts" BOOLEAN,
    "halted" TEXT,
    "events" TEXT
) RETURNS TABLE ("granted" BOOLEAN, "batch_id" BIGINT)
LANGUAGE plpgsql
-- As in record_events: only plans that look each row up by its index stay good.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    batch BIGINT;
BEGIN
    SELECT c.last_batch_id INTO batch FROM registry_watch.chains c
    WHERE c.chain_id = the_chain AND c.holder = the_holder AND c.fencing_token = the_token
        AND c.expires_at > clock_timestamp()
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT false, NULL::bigint;
        RETURN;
    END IF;

    IF removed IS NOT NULL THEN
        DELETE FROM registry_watch.documents d
        USING string_to_table(removed, E'\n') AS r (key)
        WHERE d.chain_id = the_chain AND d.key = r.key;
    END IF;

    IF keys IS NOT NULL THEN
        INSERT INTO registry_watch.documents AS d (chain_id, key, kind, value, due_at)
        SELECT the_chain, g.key, split_part(g.key, '/', 1), g.value, nullif(g.due, 'NaN')
        FROM unnest(string_to_array(keys, E'\n'), string_to_array(commit_chain.values, E'\n'),
            string_to_array(dues, E'\n')::float8[]) AS g (key, value, due)
        ON CONFLICT (chain_id, key) DO UPDATE SET value = excluded.value, due_at = excluded.due_at;
    END IF;

    IF drop_above IS NOT NULL OR drop_up_to IS NOT NULL THEN
        DELETE FROM registry_watch.journals j
        WHERE j.chain_id = the_chain AND j.number > drop_above;
        DELETE FROM registry_watch.journals j
        WHERE j.chain_id = the_chain AND j.number <= drop_up_to;
    END IF;

    IF numbers IS NOT NULL THEN
        INSERT INTO registry_watch.journals (chain_id, number, hash, parent_hash, timestamp, before, emitted)
        SELECT the_chain, g.number, g.hash, g.parent_hash, g.timestamp, g.before, g.emitted
        FROM unnest(string_to_array(numbers, E'\n')::bigint[], string_to_array(hashes, E'\n'),
            string_to_array(parent_hashes, E'\n'), string_to_array(timestamps, E'\n')::bigint[],
            string_to_array(befores, E'\n'), string_to_array(emitteds, E'\n'))
            AS g (number, hash, parent_hash, timestamp, before, emitted)
        -- A journal that the same commit forgets: its block is final already.
        WHERE drop_up_to IS NULL OR g.number > drop_up_to
        ON CONFLICT (chain_id, number) DO UPDATE SET
            hash = excluded.hash,
            parent_hash = excluded.parent_hash,
            timestamp = excluded.timestamp,
            before = excluded.before,
            emitted = excluded.emitted;
    END IF;

    IF events IS NOT NULL THEN
        batch := batch + 1;
        INSERT INTO registry_watch.outbox (chain_id, batch_id, events) VALUES (the_chain, batch, commit_chain.events);
    END IF;

    UPDATE registry_watch.chains c SET
        cursor_number = coalesce(commit_chain.cursor_number, c.cursor_number),
        cursor_hash = coalesce(commit_chain.cursor_hash, c.cursor_hash),
        halted = CASE WHEN halts THEN commit_chain.halted ELSE c.halted END,
        accepts_deep_reorg = c.accepts_deep_reorg AND NOT halts,
        last_batch_id = batch
    WHERE c.chain_id = the_chain;

    RETURN QUERY SELECT true, CASE WHEN commit_chain.events IS NULL THEN NULL ELSE batch END;
END;
$$;
