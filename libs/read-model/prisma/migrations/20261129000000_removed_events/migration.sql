-- What is left of an event that is not kept any more: its position and its id, which stay taken, and what its entity was
-- counted by. Its text is gone.
-- CreateTable
CREATE TABLE "read_model"."removed_events" (
    "position" BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "workspace_id" INTEGER NOT NULL,
    "family" TEXT COLLATE "C" NOT NULL,
    "entity_id" TEXT COLLATE "C" NOT NULL,
    "entity_sequence" BIGINT NOT NULL,
    "occurred_at" BIGINT NOT NULL,
    "recorded_at" BIGINT NOT NULL,

    CONSTRAINT "removed_events_pkey" PRIMARY KEY ("position")
);

-- CreateIndex
CREATE UNIQUE INDEX "removed_events_id_key" ON "read_model"."removed_events"("id");

-- The highest position from which retention has removed an event of a workspace and family: who has seen less has missed
-- something, and is told. What was erased raises no floor.
-- CreateTable
CREATE TABLE "read_model"."retention_floors" (
    "workspace_id" INTEGER NOT NULL,
    "family" TEXT COLLATE "C" NOT NULL,
    "position" BIGINT NOT NULL,

    CONSTRAINT "retention_floors_pkey" PRIMARY KEY ("workspace_id","family")
);

-- As before, but an id that was removed is known, too.
CREATE OR REPLACE FUNCTION "read_model"."record_events"(
    "ids" UUID[],
    "workspace_ids" INTEGER[],
    "families" TEXT[],
    "entity_ids" TEXT[],
    "types" TEXT[],
    "occurred_ats" BIGINT[],
    "envelopes" TEXT[],
    "lanes" INTEGER[],
    "next_indexes" BIGINT[]
) RETURNS TABLE ("epoch" TEXT, "ordinal" BIGINT, "position" BIGINT, "entity_sequence" BIGINT, "recorded_at" BIGINT)
LANGUAGE plpgsql
-- Tables grow quickly under plans that are kept: only plans that look each row up by its index stay good.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    head RECORD;
    now_ms BIGINT;
    recorded_count BIGINT;
BEGIN
    -- From here to the commit no other recorder can look at ids or take positions.
    SELECT c.epoch::text AS epoch, c.last_position AS last_position INTO STRICT head
    FROM read_model.position_counter c WHERE c.id = 1 FOR UPDATE;
    now_ms := floor(extract(epoch FROM clock_timestamp()) * 1000);

    RETURN QUERY
    WITH given AS (
        -- An id that comes twice counts where it comes first.
        SELECT DISTINCT ON (g.id) g.*
        FROM unnest(ids, workspace_ids, families, entity_ids, types, occurred_ats, envelopes)
            WITH ORDINALITY AS g (id, workspace_id, family, entity_id, type, occurred_at, envelope, ordinal)
        ORDER BY g.id, g.ordinal
    ), fresh AS (
        SELECT g.*,
            row_number() OVER (ORDER BY g.ordinal) AS place,
            row_number() OVER (PARTITION BY g.workspace_id, g.family, g.entity_id ORDER BY g.ordinal) AS entity_place
        FROM given g
        WHERE NOT EXISTS (SELECT FROM read_model.recorded_events known WHERE known.id = g.id)
            AND NOT EXISTS (SELECT FROM read_model.removed_events known WHERE known.id = g.id)
    ), sequenced AS (
        -- As it was before this batch: nobody else writes here while the lock is held.
        SELECT f.*, coalesce(e.event_count, 0) + f.entity_place AS entity_sequence
        FROM fresh f
        LEFT JOIN read_model.entities e
            ON e.workspace_id = f.workspace_id AND e.family = f.family AND e.entity_id = f.entity_id
    ), touched AS (
        SELECT s.workspace_id, s.family, s.entity_id, count(*) AS event_count, min(s.place) AS first_place,
            max(s.place) AS last_place, (array_agg(s.occurred_at ORDER BY s.place DESC))[1] AS last_occurred_at,
            min(s.entity_sequence) = 1 AS is_new
        FROM sequenced s
        GROUP BY s.workspace_id, s.family, s.entity_id
    ), went_on AS (
        UPDATE read_model.entities e SET
            event_count = e.event_count + t.event_count,
            last_position = head.last_position + t.last_place,
            last_occurred_at = t.last_occurred_at
        FROM touched t
        WHERE NOT t.is_new AND e.workspace_id = t.workspace_id AND e.family = t.family AND e.entity_id = t.entity_id
    ), began AS (
        INSERT INTO read_model.entities
            (workspace_id, family, entity_id, event_count, first_position, last_position, last_occurred_at)
        SELECT t.workspace_id, t.family, t.entity_id, t.event_count, head.last_position + t.first_place,
            head.last_position + t.last_place, t.last_occurred_at
        FROM touched t
        WHERE t.is_new
    ), inserted AS (
        INSERT INTO read_model.recorded_events
            (position, id, workspace_id, family, entity_id, entity_sequence, type, occurred_at, recorded_at, envelope)
        SELECT head.last_position + s.place, s.id, s.workspace_id, s.family, s.entity_id, s.entity_sequence, s.type,
            s.occurred_at, now_ms, s.envelope
        FROM sequenced s
    )
    SELECT head.epoch, s.ordinal, head.last_position + s.place, s.entity_sequence, now_ms
    FROM sequenced s
    ORDER BY s.place;
    GET DIAGNOSTICS recorded_count = ROW_COUNT;

    IF recorded_count > 0 THEN
        UPDATE read_model.position_counter c SET last_position = head.last_position + recorded_count WHERE c.id = 1;
        PERFORM pg_notify('sluice_recorded', '');
    END IF;
    INSERT INTO read_model.lane_checkpoints AS l (lane, next_index)
    SELECT * FROM unnest(lanes, next_indexes)
    ON CONFLICT (lane) DO UPDATE SET next_index = greatest(l.next_index, excluded.next_index);
    IF recorded_count = 0 THEN
        RETURN QUERY SELECT head.epoch, 0::bigint, head.last_position, 0::bigint, now_ms;
    END IF;
END;
$$;
