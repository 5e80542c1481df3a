-- Agents of registries. What people wrote is in JSON texts, which take any character; the other columns are what is searched.
-- "file" is what the registration file says; what is searched of it has columns too. With room on its page, a change of what is
-- in no index touches no index.
-- CreateTable
CREATE TABLE "read_model"."agents" (
    "agent_id" TEXT COLLATE "C" NOT NULL,
    "chain_id" BIGINT NOT NULL,
    "owner" TEXT COLLATE "C" NOT NULL,
    "name_key" TEXT COLLATE "C" NOT NULL,
    "has_mcp" BOOLEAN NOT NULL,
    "has_a2a" BOOLEAN NOT NULL,
    "active" BOOLEAN,
    "uri" TEXT,
    "wallet" TEXT,
    "file" TEXT NOT NULL,
    "file_error" TEXT,
    "metadata" TEXT NOT NULL,
    "mcp_reachable" BOOLEAN,
    "a2a_reachable" BOOLEAN,
    "reachability_checked_at" BIGINT,
    "classification" TEXT,
    "skills" TEXT[],
    "domains" TEXT[],
    "registered_at" BIGINT NOT NULL,
    "created_position" BIGINT NOT NULL,

    CONSTRAINT "agents_pkey" PRIMARY KEY ("agent_id")
) WITH (fillfactor = 90);

-- What changes with nearly every event about an agent: a row for each agent, short, and in few indexes.
-- CreateTable
CREATE TABLE "read_model"."agent_standings" (
    "agent_id" TEXT COLLATE "C" NOT NULL,
    "chain_id" BIGINT NOT NULL,
    "created_position" BIGINT NOT NULL,
    "score" DOUBLE PRECISION,
    "feedback_count" BIGINT NOT NULL,
    "updated_at" BIGINT NOT NULL,
    "last_position" BIGINT NOT NULL,

    CONSTRAINT "agent_standings_pkey" PRIMARY KEY ("agent_id")
);

-- What was said about agents. What is older than its agent belongs to an earlier one of that id, and nobody sees it.
-- CreateTable
CREATE TABLE "read_model"."agent_feedback" (
    "agent_id" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "content" TEXT NOT NULL,
    "revoked" BOOLEAN NOT NULL,
    "created_position" BIGINT NOT NULL,

    CONSTRAINT "agent_feedback_pkey" PRIMARY KEY ("agent_id","name")
);

-- Answers to feedback. What is older than its feedback belongs to an earlier one of that name, and nobody sees it.
-- CreateTable
CREATE TABLE "read_model"."agent_feedback_responses" (
    "event_id" UUID NOT NULL,
    "agent_id" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "content" TEXT NOT NULL,
    "length" INTEGER NOT NULL,
    "position" BIGINT NOT NULL,

    CONSTRAINT "agent_feedback_responses_pkey" PRIMARY KEY ("event_id")
);

-- CreateIndex
CREATE INDEX "agents_created_position_idx" ON "read_model"."agents"("created_position");

-- CreateIndex
CREATE INDEX "agents_name_key_created_position_idx" ON "read_model"."agents"("name_key", "created_position");

-- CreateIndex
CREATE INDEX "agents_owner_created_position_idx" ON "read_model"."agents"("owner", "created_position");

-- CreateIndex
CREATE INDEX "agents_chain_id_created_position_idx" ON "read_model"."agents"("chain_id", "created_position");

-- CreateIndex
CREATE INDEX "agent_standings_last_position_idx" ON "read_model"."agent_standings"("last_position");

-- CreateIndex
CREATE INDEX "agent_standings_score_created_position_idx" ON "read_model"."agent_standings"("score", "created_position");

-- CreateIndex
CREATE INDEX "agent_feedback_agent_id_created_position_idx" ON "read_model"."agent_feedback"("agent_id", "created_position");

-- CreateIndex
CREATE INDEX "agent_feedback_responses_agent_id_name_position_idx" ON "read_model"."agent_feedback_responses"("agent_id", "name", "position");

-- Applies the merged changes of one batch in one round trip, under the lock that record_events holds: nobody else writes
-- here meanwhile. First the agents of `gone` go, and the feedback of all that are `ended`: of those, and of those that begin
-- anew (both are ids, one a line). Then `begun` agents are made, `patched` ones get the parts that are among `parts`, and the
-- standings of `touched` ones change. Then feedback goes, is made (anew), and is revoked or is not any more; then responses are taken away and added. Nothing
-- happens without the agent, or to feedback that is not there.
--
-- What comes with nearly every event is texts of lines, one line of each for a row: JSON would cost several times as much.
CREATE FUNCTION "read_model"."change_agents"(
    "gone" TEXT,
    "ended" TEXT,
    "begun" JSON,
    "patched" JSON,
    "touched_ids" TEXT,
    "touched_rated" TEXT,
    "touched_scores" TEXT,
    "touched_counts" TEXT,
    "touched_times" TEXT,
    "touched_positions" TEXT,
    "made_ids" TEXT,
    "made_names" TEXT,
    "made_contents" TEXT,
    "made_revoked" TEXT,
    "made_positions" TEXT,
    "unmade" JSON,
    "revoked" JSON,
    "responses" JSON,
    "withdrawn" JSON
) RETURNS VOID
LANGUAGE plpgsql
-- As in record_events: only plans that look each row up by its index stay good.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    -- However much feedback an agent had, one batch deletes so many rows: the lock must not be held for long. Nobody sees the rest.
    most_deleted CONSTANT INTEGER := 5000;
BEGIN
    IF ended IS NOT NULL THEN
        DELETE FROM read_model.agents a USING string_to_table(gone, E'\n') AS g (agent_id) WHERE a.agent_id = g.agent_id;

        DELETE FROM read_model.agent_standings s USING string_to_table(gone, E'\n') AS g (agent_id)
        WHERE s.agent_id = g.agent_id;

        DELETE FROM read_model.agent_feedback f
        USING (
            SELECT o.agent_id, o.name FROM string_to_table(ended, E'\n') AS g (agent_id)
            JOIN read_model.agent_feedback o ON o.agent_id = g.agent_id
            LIMIT most_deleted
        ) e
        WHERE f.agent_id = e.agent_id AND f.name = e.name;

        DELETE FROM read_model.agent_feedback_responses r
        USING (
            SELECT o.event_id FROM string_to_table(ended, E'\n') AS g (agent_id)
            JOIN read_model.agent_feedback_responses o ON o.agent_id = g.agent_id
            LIMIT most_deleted
        ) e
        WHERE r.event_id = e.event_id;
    END IF;

    IF json_array_length(begun) > 0 THEN
        INSERT INTO read_model.agents (agent_id, chain_id, owner, name_key, has_mcp, has_a2a, active, uri, wallet, file,
            file_error, metadata, mcp_reachable, a2a_reachable, reachability_checked_at,
            classification, skills, domains, registered_at, created_position)
        SELECT b.agent_id, b.chain_id, b.owner, b.name_key, b.has_mcp, b.has_a2a, b.active, b.uri, b.wallet, b.file,
            b.file_error, b.metadata, b.mcp_reachable, b.a2a_reachable,
            b.reachability_checked_at, b.classification, b.skills, b.domains, b.registered_at, b.created_position
        FROM json_to_recordset(begun) AS b (agent_id TEXT, chain_id BIGINT, owner TEXT, name_key TEXT, has_mcp BOOLEAN,
            has_a2a BOOLEAN, active BOOLEAN, uri TEXT, wallet TEXT, file TEXT,
            file_error TEXT, metadata TEXT, mcp_reachable BOOLEAN, a2a_reachable BOOLEAN, reachability_checked_at BIGINT,
            classification TEXT, skills TEXT[], domains TEXT[], registered_at BIGINT, created_position BIGINT)
        ON CONFLICT (agent_id) DO UPDATE SET
            owner = excluded.owner,
            name_key = excluded.name_key,
            has_mcp = excluded.has_mcp,
            has_a2a = excluded.has_a2a,
            active = excluded.active,
            uri = excluded.uri,
            wallet = excluded.wallet,
            file = excluded.file,
            file_error = excluded.file_error,
            metadata = excluded.metadata,
            mcp_reachable = excluded.mcp_reachable,
            a2a_reachable = excluded.a2a_reachable,
            reachability_checked_at = excluded.reachability_checked_at,
            classification = excluded.classification,
            skills = excluded.skills,
            domains = excluded.domains,
            registered_at = excluded.registered_at,
            created_position = excluded.created_position;

        INSERT INTO read_model.agent_standings (agent_id, chain_id, created_position, score, feedback_count, updated_at,
            last_position)
        SELECT b.agent_id, b.chain_id, b.created_position, b.score, b.feedback_count, b.updated_at, b.last_position
        FROM json_to_recordset(begun) AS b (agent_id TEXT, chain_id BIGINT, created_position BIGINT,
            score DOUBLE PRECISION, feedback_count BIGINT, updated_at BIGINT, last_position BIGINT)
        ON CONFLICT (agent_id) DO UPDATE SET
            created_position = excluded.created_position,
            score = excluded.score,
            feedback_count = excluded.feedback_count,
            updated_at = excluded.updated_at,
            last_position = excluded.last_position;
    END IF;

    IF json_array_length(patched) > 0 THEN
        UPDATE read_model.agents a SET
            owner = CASE WHEN 'owner' = ANY (p.parts) THEN p.owner ELSE a.owner END,
            name_key = CASE WHEN 'file' = ANY (p.parts) THEN p.name_key ELSE a.name_key END,
            has_mcp = CASE WHEN 'file' = ANY (p.parts) THEN p.has_mcp ELSE a.has_mcp END,
            has_a2a = CASE WHEN 'file' = ANY (p.parts) THEN p.has_a2a ELSE a.has_a2a END,
            active = CASE WHEN 'file' = ANY (p.parts) THEN p.active ELSE a.active END,
            uri = CASE WHEN 'uri' = ANY (p.parts) THEN p.uri ELSE a.uri END,
            wallet = CASE WHEN 'wallet' = ANY (p.parts) THEN p.wallet ELSE a.wallet END,
            file = CASE WHEN 'file' = ANY (p.parts) THEN p.file ELSE a.file END,
            file_error = CASE WHEN 'fileError' = ANY (p.parts) THEN p.file_error ELSE a.file_error END,
            metadata = CASE WHEN 'metadata' = ANY (p.parts) THEN p.metadata ELSE a.metadata END,
            mcp_reachable = CASE WHEN 'reachability' = ANY (p.parts) THEN p.mcp_reachable ELSE a.mcp_reachable END,
            a2a_reachable = CASE WHEN 'reachability' = ANY (p.parts) THEN p.a2a_reachable ELSE a.a2a_reachable END,
            reachability_checked_at = CASE WHEN 'reachability' = ANY (p.parts)
                THEN p.reachability_checked_at ELSE a.reachability_checked_at END,
            classification = CASE WHEN 'classification' = ANY (p.parts) THEN p.classification ELSE a.classification END,
            skills = CASE WHEN 'classification' = ANY (p.parts) THEN p.skills ELSE a.skills END,
            domains = CASE WHEN 'classification' = ANY (p.parts) THEN p.domains ELSE a.domains END
        FROM json_to_recordset(patched) AS p (agent_id TEXT, parts TEXT[], owner TEXT, name_key TEXT, has_mcp BOOLEAN,
            has_a2a BOOLEAN, active BOOLEAN, uri TEXT, wallet TEXT, file TEXT,
            file_error TEXT, metadata TEXT, mcp_reachable BOOLEAN, a2a_reachable BOOLEAN, reachability_checked_at BIGINT,
            classification TEXT, skills TEXT[], domains TEXT[])
        WHERE a.agent_id = p.agent_id;
    END IF;

    IF touched_ids IS NOT NULL THEN
        UPDATE read_model.agent_standings s SET
            score = CASE WHEN g.rated THEN g.score ELSE s.score END,
            feedback_count = CASE WHEN g.rated THEN g.feedback_count ELSE s.feedback_count END,
            updated_at = g.updated_at,
            last_position = g.last_position
        FROM unnest(
            string_to_array(touched_ids, E'\n'),
            string_to_array(touched_rated, E'\n')::boolean[],
            string_to_array(touched_scores, E'\n', 'null')::double precision[],
            string_to_array(touched_counts, E'\n')::bigint[],
            string_to_array(touched_times, E'\n')::bigint[],
            string_to_array(touched_positions, E'\n')::bigint[]
        ) AS g (agent_id, rated, score, feedback_count, updated_at, last_position)
        WHERE s.agent_id = g.agent_id;
    END IF;

    IF json_array_length(unmade) > 0 THEN
        DELETE FROM read_model.agent_feedback f
        USING json_to_recordset(unmade) AS g (agent_id TEXT, name TEXT)
        WHERE f.agent_id = g.agent_id AND f.name = g.name;

        DELETE FROM read_model.agent_feedback_responses r
        USING (
            SELECT o.event_id
            FROM json_to_recordset(unmade) AS g (agent_id TEXT, name TEXT)
            JOIN read_model.agent_feedback_responses o ON o.agent_id = g.agent_id AND o.name = g.name
            LIMIT most_deleted
        ) e
        WHERE r.event_id = e.event_id;
    END IF;

    IF made_ids IS NOT NULL THEN
        INSERT INTO read_model.agent_feedback (agent_id, name, content, revoked, created_position)
        SELECT g.agent_id, g.name, g.content, g.revoked, g.created_position
        FROM unnest(
            string_to_array(made_ids, E'\n'),
            string_to_array(made_names, E'\n'),
            string_to_array(made_contents, E'\n'),
            string_to_array(made_revoked, E'\n')::boolean[],
            string_to_array(made_positions, E'\n')::bigint[]
        ) AS g (agent_id, name, content, revoked, created_position)
        WHERE EXISTS (SELECT FROM read_model.agent_standings s WHERE s.agent_id = g.agent_id)
        ON CONFLICT (agent_id, name) DO UPDATE SET
            content = excluded.content,
            revoked = excluded.revoked,
            created_position = excluded.created_position;
    END IF;

    IF json_array_length(revoked) > 0 THEN
        UPDATE read_model.agent_feedback f SET revoked = g.revoked
        FROM json_to_recordset(change_agents.revoked) AS g (agent_id TEXT, name TEXT, revoked BOOLEAN)
        JOIN read_model.agents a ON a.agent_id = g.agent_id
        WHERE f.agent_id = g.agent_id AND f.name = g.name AND f.created_position > a.created_position;
    END IF;

    IF json_array_length(withdrawn) > 0 THEN
        DELETE FROM read_model.agent_feedback_responses r
        USING json_to_recordset(withdrawn) AS w (agent_id TEXT, name TEXT, event_id UUID)
        WHERE r.event_id = w.event_id AND r.agent_id = w.agent_id AND r.name = w.name;
    END IF;

    IF json_array_length(responses) > 0 THEN
        INSERT INTO read_model.agent_feedback_responses (event_id, agent_id, name, content, length, position)
        SELECT g.event_id, g.agent_id, g.name, g.content, g.length, g.position
        FROM json_to_recordset(responses)
            AS g (event_id UUID, agent_id TEXT, name TEXT, content TEXT, length INTEGER, position BIGINT)
        JOIN read_model.agents a ON a.agent_id = g.agent_id
        JOIN read_model.agent_feedback f ON f.agent_id = g.agent_id AND f.name = g.name
            AND f.created_position > a.created_position
        ON CONFLICT (event_id) DO NOTHING;
    END IF;
END;
$$;

-- As before, but an entity is inserted or updated by what is known of it: trying to insert each one first costs twice as much,
-- and nobody else writes here while the lock is held.
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

-- Entities change with each of their events, in no indexed column: with room on its page such a change touches no index.
ALTER TABLE "read_model"."entities" SET (fillfactor = 80);
