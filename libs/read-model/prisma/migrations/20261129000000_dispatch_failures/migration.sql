-- What failed is counted apart from what had to wait, and since when it fails is kept.
-- AlterTable
ALTER TABLE "agent_sessions"."dispatches" ADD COLUMN "failures" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "agent_sessions"."dispatches" ADD COLUMN "failing_since" TIMESTAMPTZ(6);

-- Ends a dispatch for whoever has this claim of it, and lets the next one of its session be claimed. False when there is a
-- later claim: a process may claim again what it lost.
DROP FUNCTION "agent_sessions"."finish_dispatch"(BIGINT, TEXT);

CREATE FUNCTION "agent_sessions"."finish_dispatch"("the_dispatch" BIGINT, "the_holder" TEXT, "the_attempt" INTEGER) RETURNS BOOLEAN
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    the_session TEXT;
BEGIN
    SELECT d.session_id INTO the_session
    FROM agent_sessions.dispatches d
    WHERE d.dispatch_id = the_dispatch AND d.holder = the_holder AND d.attempt = the_attempt;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- A commit must not add another one while this one looks for the next.
    PERFORM FROM agent_sessions.sessions s WHERE s.session_id = the_session FOR UPDATE;
    DELETE FROM agent_sessions.dispatches d
    WHERE d.dispatch_id = the_dispatch AND d.holder = the_holder AND d.attempt = the_attempt;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE agent_sessions.dispatches d SET ready_at = clock_timestamp()
    WHERE d.dispatch_id = (
        SELECT n.dispatch_id FROM agent_sessions.dispatches n
        WHERE n.session_id = the_session ORDER BY n.dispatch_id LIMIT 1);
    RETURN true;
END;
$$;
