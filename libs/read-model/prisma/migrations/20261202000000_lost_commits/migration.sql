-- A failover or a backup that is put back may take commits away while recorders go on from where they are. So a recorder says
-- what it holds for stored ("from_indexes"), and is refused where less is: what was lost is to be read and recorded again first.
-- Recorders that do not say it call the function without.
CREATE FUNCTION "read_model"."record_events_after"(
    "ids" UUID[],
    "workspace_ids" INTEGER[],
    "families" TEXT[],
    "entity_ids" TEXT[],
    "types" TEXT[],
    "occurred_ats" BIGINT[],
    "envelopes" TEXT[],
    "lanes" INTEGER[],
    "next_indexes" BIGINT[],
    "from_indexes" BIGINT[]
) RETURNS TABLE ("epoch" TEXT, "ordinal" BIGINT, "position" BIGINT, "entity_sequence" BIGINT, "recorded_at" BIGINT)
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    lost RECORD;
BEGIN
    -- From here to the commit no other recorder can move a checkpoint.
    PERFORM FROM read_model.position_counter c WHERE c.id = 1 FOR UPDATE;
    SELECT f.lane AS lane, coalesce(l.next_index, 0) AS stored, f.from_index AS expected INTO lost
    FROM unnest(lanes, from_indexes) AS f (lane, from_index)
    LEFT JOIN read_model.lane_checkpoints l ON l.lane = f.lane
    WHERE coalesce(l.next_index, 0) < f.from_index
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'lane % is at %, not at %', lost.lane, lost.stored, lost.expected USING
            ERRCODE = 'SL001',
            DETAIL = json_build_object('lane', lost.lane, 'stored', lost.stored, 'expected', lost.expected);
    END IF;
    RETURN QUERY SELECT * FROM read_model.record_events(
        ids, workspace_ids, families, entity_ids, types, occurred_ats, envelopes, lanes, next_indexes);
END;
$$;
