-- Receipts are found in scopes: most in their session ("session_id" is its id then), those of requests that make sessions in one
-- that these have in common. Those of requests without a key are known by their hash: until they are marked as answered, and,
-- where the caller said that it sent the request before, by the attempts that were on their way meanwhile.
-- AlterTable
ALTER TABLE "agent_sessions"."receipts" ADD COLUMN "retried" BOOLEAN NOT NULL DEFAULT false;

-- CreateIndex
CREATE INDEX "receipts_retried_idx" ON "agent_sessions"."receipts"("session_id", "request_hash", "taken_at") WHERE "retried";

DROP FUNCTION "agent_sessions"."commit_session"(INTEGER, TEXT, BIGINT, TEXT, TEXT, TEXT, TEXT, BIGINT, BIGINT, BOOLEAN, TEXT,
    BIGINT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT);

-- Commits one thing that happened to a session, in one round trip, or says why not and changes nothing. The row of the session
-- is locked from the look at its version to the commit. `new_state` is null where the session is deleted; without a deadline
-- the run has none. Lists are texts with one item a line, null where they are empty. A request that has a key of its caller's
-- own has no `receipt_is_retry`.
CREATE FUNCTION "agent_sessions"."commit_session"(
    "the_workspace" INTEGER,
    "the_session" TEXT,
    "expected_version" BIGINT,
    "new_state" TEXT,
    "new_agent" TEXT,
    "new_agent_hash" TEXT,
    "new_agent_id" TEXT,
    "new_agent_version" BIGINT,
    "new_created_at" BIGINT,
    "new_archived" BOOLEAN,
    "new_status" TEXT,
    "new_deadline_at" BIGINT,
    "new_events" TEXT,
    "new_event_ids" TEXT,
    "new_event_types" TEXT,
    "new_dispatches" TEXT,
    "receipt_key" TEXT,
    "receipt_hash" TEXT,
    "receipt_answer" TEXT,
    "receipt_scope" TEXT,
    "receipt_is_retry" BOOLEAN,
    "receipt_arrived_ms_ago" DOUBLE PRECISION,
    "receipt_repeatable_for_ms" DOUBLE PRECISION
) RETURNS TABLE ("outcome" TEXT, "version" BIGINT, "taken_id" TEXT, "known_key" TEXT, "known_hash" TEXT, "known_answer" TEXT)
LANGUAGE plpgsql
-- As in record_events: only plans that look each row up by its index stay good.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    held RECORD;
    known RECORD;
    is_there BOOLEAN;
    is_known BOOLEAN;
    taken TEXT;
    last BIGINT := 0;
    added BIGINT := 0;
    moment TIMESTAMPTZ;
BEGIN
    -- Requests that make sessions have no row in common that could be locked.
    IF receipt_scope <> the_session THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(
            receipt_scope || E'\n' || CASE WHEN receipt_is_retry IS NULL THEN receipt_key ELSE receipt_hash END, 0));
    END IF;

    SELECT s.workspace_id, s.version, s.last_sequence, s.deleted_at INTO held
    FROM agent_sessions.sessions s WHERE s.session_id = the_session FOR UPDATE;
    is_there := FOUND;

    IF receipt_key IS NOT NULL THEN
        SELECT r.key, r.request_hash, r.answer INTO known
        FROM agent_sessions.receipts r WHERE r.session_id = receipt_scope AND r.key = receipt_key;
        is_known := FOUND;
        IF NOT is_known AND receipt_is_retry IS NOT NULL THEN
            SELECT r.key, r.request_hash, r.answer INTO known
            FROM agent_sessions.receipts r
            WHERE r.session_id = receipt_scope AND r.request_hash = receipt_hash AND r.retried
                AND r.taken_at > clock_timestamp() - receipt_arrived_ms_ago * interval '1 millisecond'
            ORDER BY r.taken_at DESC LIMIT 1;
            is_known := FOUND;
        END IF;
        IF NOT is_known AND receipt_is_retry THEN
            SELECT r.key, r.request_hash, r.answer INTO known
            FROM agent_sessions.receipts r
            WHERE r.session_id = receipt_scope AND r.request_hash = receipt_hash AND NOT r.answered
                AND r.taken_at > clock_timestamp() - receipt_repeatable_for_ms * interval '1 millisecond'
            ORDER BY r.taken_at DESC LIMIT 1;
            is_known := FOUND;
        END IF;
        IF is_known THEN
            RETURN QUERY SELECT 'repeated', NULL::bigint, NULL, known.key, known.request_hash, known.answer;
            RETURN;
        END IF;
    END IF;

    IF is_there THEN
        IF held.deleted_at IS NOT NULL OR held.workspace_id <> the_workspace OR held.version <> expected_version THEN
            RETURN QUERY SELECT 'conflict', NULL::bigint, NULL, NULL, NULL, NULL;
            RETURN;
        END IF;
        last := held.last_sequence;
    ELSIF expected_version <> 0 OR new_state IS NULL THEN
        RETURN QUERY SELECT 'conflict', NULL::bigint, NULL, NULL, NULL, NULL;
        RETURN;
    END IF;

    IF new_event_ids IS NOT NULL THEN
        SELECT g.id INTO taken
        FROM (
            SELECT i.id, i.ordinal, row_number() OVER (PARTITION BY i.id ORDER BY i.ordinal) AS nth
            FROM string_to_table(new_event_ids, E'\n') WITH ORDINALITY AS i (id, ordinal)
        ) g
        WHERE g.nth > 1 OR EXISTS (
            SELECT FROM agent_sessions.events e WHERE e.session_id = the_session AND e.event_id = g.id)
        ORDER BY g.ordinal LIMIT 1;
        IF FOUND THEN
            RETURN QUERY SELECT 'event_id_taken', NULL::bigint, taken, NULL, NULL, NULL;
            RETURN;
        END IF;
    END IF;

    moment := clock_timestamp();
    IF NOT is_there THEN
        INSERT INTO agent_sessions.sessions (session_id, workspace_id, version, last_sequence, created_at, archived, status,
            agent_id, agent_version, agent_hash, agent, state)
        VALUES (the_session, the_workspace, 0, 0, new_created_at, new_archived, new_status, new_agent_id, new_agent_version,
            new_agent_hash, new_agent, new_state)
        ON CONFLICT (session_id) DO NOTHING;
        -- Another one made it meanwhile.
        IF NOT FOUND THEN
            RETURN QUERY SELECT 'conflict', NULL::bigint, NULL, NULL, NULL, NULL;
            RETURN;
        END IF;
    END IF;

    IF new_event_ids IS NOT NULL THEN
        INSERT INTO agent_sessions.events (session_id, event_id, type)
        SELECT the_session, g.id, g.type
        FROM unnest(string_to_array(new_event_ids, E'\n'), string_to_array(new_event_types, E'\n')) AS g (id, type);
    END IF;

    IF new_events IS NOT NULL THEN
        INSERT INTO agent_sessions.outbox (session_id, sequence, committed_at, event)
        SELECT the_session, last + g.ordinal, moment, g.event
        FROM string_to_table(new_events, E'\n') WITH ORDINALITY AS g (event, ordinal);
        GET DIAGNOSTICS added = ROW_COUNT;
        INSERT INTO agent_sessions.waiting_outboxes (session_id, since) VALUES (the_session, moment)
        ON CONFLICT (session_id) DO NOTHING;
    END IF;

    IF new_dispatches IS NOT NULL THEN
        INSERT INTO agent_sessions.dispatches (session_id, workspace_id, dispatch, created_at, ready_at)
        SELECT the_session, the_workspace, g.dispatch, moment, CASE WHEN g.ordinal = 1 AND NOT EXISTS (
            SELECT FROM agent_sessions.dispatches d WHERE d.session_id = the_session) THEN moment END
        FROM string_to_table(new_dispatches, E'\n') WITH ORDINALITY AS g (dispatch, ordinal)
        ORDER BY g.ordinal;
    END IF;

    IF receipt_key IS NOT NULL THEN
        INSERT INTO agent_sessions.receipts (session_id, key, request_hash, answer, taken_at, answered, retried)
        VALUES (receipt_scope, receipt_key, receipt_hash, receipt_answer, moment, receipt_is_retry IS NULL,
            coalesce(receipt_is_retry, false));
    END IF;

    IF new_deadline_at IS NULL OR new_state IS NULL THEN
        DELETE FROM agent_sessions.deadlines d WHERE d.session_id = the_session;
    ELSE
        INSERT INTO agent_sessions.deadlines AS d (session_id, workspace_id, deadline_at)
        VALUES (the_session, the_workspace, new_deadline_at)
        ON CONFLICT (session_id) DO UPDATE SET deadline_at = excluded.deadline_at
        WHERE d.deadline_at <> excluded.deadline_at;
    END IF;

    IF new_state IS NULL THEN
        UPDATE agent_sessions.sessions s SET
            version = expected_version + 1, last_sequence = last + added, deleted_at = moment
        WHERE s.session_id = the_session;
    ELSE
        UPDATE agent_sessions.sessions s SET
            version = expected_version + 1,
            last_sequence = last + added,
            created_at = new_created_at,
            archived = new_archived,
            status = new_status,
            agent_id = new_agent_id,
            agent_version = new_agent_version,
            agent_hash = new_agent_hash,
            agent = CASE WHEN s.agent_hash = new_agent_hash THEN s.agent ELSE new_agent END,
            state = new_state
        WHERE s.session_id = the_session;
    END IF;
    RETURN QUERY SELECT 'committed', expected_version + 1, NULL, NULL, NULL, NULL;
END;
$$;
