-- What the app of sessions keeps. It is no part of the read model: a rebuild of that one leaves it alone.
-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "agent_sessions";

-- One session. "state" and "agent" are JSON texts: JSONB would refuse U+0000. The snapshot of the agent is long and seldom
-- changes, so it has a column of its own that is written only when its hash is another one. A deleted session stays until
-- nobody has to hear of it any more.
-- CreateTable
CREATE TABLE "agent_sessions"."sessions" (
    "session_id" TEXT COLLATE "C" NOT NULL,
    "workspace_id" INTEGER NOT NULL,
    "version" BIGINT NOT NULL,
    "last_sequence" BIGINT NOT NULL,
    "created_at" BIGINT NOT NULL,
    "deleted_at" TIMESTAMPTZ(6),
    "archived" BOOLEAN NOT NULL,
    "status" TEXT COLLATE "C" NOT NULL,
    "agent_id" TEXT COLLATE "C" NOT NULL,
    "agent_version" BIGINT NOT NULL,
    "agent_hash" TEXT NOT NULL,
    "agent" TEXT NOT NULL,
    "state" TEXT NOT NULL,

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("session_id")
) WITH (fillfactor = 70);

-- Which runs end by themselves, and when.
-- CreateTable
CREATE TABLE "agent_sessions"."deadlines" (
    "session_id" TEXT COLLATE "C" NOT NULL,
    "workspace_id" INTEGER NOT NULL,
    "deadline_at" BIGINT NOT NULL,

    CONSTRAINT "deadlines_pkey" PRIMARY KEY ("session_id")
);

-- The events that a session has had, by the ids of the SDK.
-- CreateTable
CREATE TABLE "agent_sessions"."events" (
    "session_id" TEXT COLLATE "C" NOT NULL,
    "event_id" TEXT COLLATE "C" NOT NULL,
    "type" TEXT COLLATE "C" NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("session_id","event_id")
);

-- Events on their way to the durable log: the texts of their envelopes.
-- CreateTable
CREATE TABLE "agent_sessions"."outbox" (
    "session_id" TEXT COLLATE "C" NOT NULL,
    "sequence" BIGINT NOT NULL,
    "committed_at" TIMESTAMPTZ(6) NOT NULL,
    "event" TEXT NOT NULL,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("session_id","sequence")
);

-- The sessions that have something in the outbox, and since when the oldest of it waits.
-- CreateTable
CREATE TABLE "agent_sessions"."waiting_outboxes" (
    "session_id" TEXT COLLATE "C" NOT NULL,
    "since" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "waiting_outboxes_pkey" PRIMARY KEY ("session_id")
);

-- Requests that were taken. They are found in scopes: most in their session ("session_id" is its id then), those of requests that
-- make sessions in one that these have in common. Those of requests without a key are known by their hash: until they are marked
-- as answered, and, where the caller said that it sent the request before ("retried"), by the attempts that were on their way
-- meanwhile. "answer" is a JSON text.
-- CreateTable
CREATE TABLE "agent_sessions"."receipts" (
    "session_id" TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "request_hash" TEXT NOT NULL,
    "answer" TEXT NOT NULL,
    "taken_at" TIMESTAMPTZ(6) NOT NULL,
    "answered" BOOLEAN NOT NULL DEFAULT false,
    "retried" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "receipts_pkey" PRIMARY KEY ("session_id","key")
);

-- What engines are to be told. "ready_at" is when it may be claimed; null while another one of the session is before it. What
-- failed is counted apart from what had to wait.
-- CreateTable
CREATE TABLE "agent_sessions"."dispatches" (
    "dispatch_id" BIGSERIAL NOT NULL,
    "session_id" TEXT COLLATE "C" NOT NULL,
    "workspace_id" INTEGER NOT NULL,
    "dispatch" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "holder" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "ready_at" TIMESTAMPTZ(6),
    "failures" INTEGER NOT NULL DEFAULT 0,
    "failing_since" TIMESTAMPTZ(6),

    CONSTRAINT "dispatches_pkey" PRIMARY KEY ("dispatch_id")
);

-- What sessions are made of. "fields" is a JSON text; "size_bytes" is the field of that name, "archived" whether
-- "archived_at" is there.
-- CreateTable
CREATE TABLE "agent_sessions"."documents" (
    "workspace_id" INTEGER NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL,
    "id" TEXT COLLATE "C" NOT NULL,
    "parent_id" TEXT COLLATE "C",
    "created_at" BIGINT NOT NULL,
    "updated_at" BIGINT NOT NULL,
    "archived" BOOLEAN NOT NULL,
    "archived_at" BIGINT,
    "expires_at" BIGINT,
    "version" BIGINT NOT NULL,
    "size_bytes" BIGINT,
    "fields" TEXT NOT NULL,

    CONSTRAINT "documents_pkey" PRIMARY KEY ("workspace_id","kind","id")
);

-- The sums of "size_bytes".
-- CreateTable
CREATE TABLE "agent_sessions"."document_sizes" (
    "workspace_id" INTEGER NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL,
    "bytes" BIGINT NOT NULL,

    CONSTRAINT "document_sizes_pkey" PRIMARY KEY ("workspace_id","kind")
);

-- The lists of sessions. Without statistics the planner cannot tell one from the other, so each has a condition of its own, which all
-- rows meet and which only the lists that it is for name.
-- CreateIndex
CREATE INDEX "sessions_listed_idx" ON "agent_sessions"."sessions"("workspace_id", "archived", "status", "created_at", "session_id") WHERE "deleted_at" IS NULL AND "session_id" >= '';

-- CreateIndex
CREATE INDEX "sessions_of_agent_idx" ON "agent_sessions"."sessions"("workspace_id", "agent_id", "archived", "status", "created_at", "session_id") WHERE "deleted_at" IS NULL AND "session_id" <> '';

-- CreateIndex
CREATE INDEX "sessions_of_agent_version_idx" ON "agent_sessions"."sessions"("workspace_id", "agent_id", "agent_version", "archived", "status", "created_at", "session_id") WHERE "deleted_at" IS NULL AND "agent_version" >= 0;

-- CreateIndex
CREATE INDEX "sessions_deleted_at_idx" ON "agent_sessions"."sessions"("deleted_at") WHERE "deleted_at" IS NOT NULL;

-- CreateIndex
CREATE INDEX "deadlines_deadline_at_session_id_idx" ON "agent_sessions"."deadlines"("deadline_at", "session_id");

-- CreateIndex
CREATE INDEX "waiting_outboxes_since_session_id_idx" ON "agent_sessions"."waiting_outboxes"("since", "session_id");

-- CreateIndex
CREATE INDEX "receipts_unanswered_idx" ON "agent_sessions"."receipts"("session_id", "request_hash", "taken_at") WHERE NOT "answered";

-- CreateIndex
CREATE INDEX "receipts_retried_idx" ON "agent_sessions"."receipts"("session_id", "request_hash", "taken_at") WHERE "retried";

-- CreateIndex
CREATE INDEX "receipts_taken_at_idx" ON "agent_sessions"."receipts"("taken_at");

-- CreateIndex
CREATE INDEX "dispatches_session_id_dispatch_id_idx" ON "agent_sessions"."dispatches"("session_id", "dispatch_id");

-- CreateIndex
CREATE INDEX "dispatches_ready_at_dispatch_id_idx" ON "agent_sessions"."dispatches"("ready_at", "dispatch_id") WHERE "ready_at" IS NOT NULL;

-- The lists of documents. Each index has a condition, so that a look-up by the primary key never goes by another one.
-- CreateIndex
CREATE INDEX "documents_present_idx" ON "agent_sessions"."documents"("workspace_id", "kind", "created_at", "id") WHERE NOT "archived";

-- CreateIndex
CREATE INDEX "documents_archived_idx" ON "agent_sessions"."documents"("workspace_id", "kind", "created_at", "id") WHERE "archived";

-- CreateIndex
CREATE INDEX "documents_of_parent_idx" ON "agent_sessions"."documents"("workspace_id", "kind", "parent_id", "created_at", "id") WHERE NOT "archived" AND "parent_id" IS NOT NULL;

-- CreateIndex
CREATE INDEX "documents_archived_of_parent_idx" ON "agent_sessions"."documents"("workspace_id", "kind", "parent_id", "created_at", "id") WHERE "archived" AND "parent_id" IS NOT NULL;

-- CreateIndex
CREATE INDEX "documents_kind_expires_at_id_idx" ON "agent_sessions"."documents"("kind", "expires_at", "id") WHERE "expires_at" IS NOT NULL;

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

-- Forgets what was appended. The lock keeps a commit from adding to an outbox that is found empty here.
CREATE FUNCTION "agent_sessions"."settle_outbox"("the_session" TEXT, "up_to" BIGINT) RETURNS VOID
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    oldest TIMESTAMPTZ;
BEGIN
    PERFORM FROM agent_sessions.sessions s WHERE s.session_id = the_session FOR UPDATE;
    DELETE FROM agent_sessions.outbox o WHERE o.session_id = the_session AND o.sequence <= up_to;
    SELECT o.committed_at INTO oldest
    FROM agent_sessions.outbox o WHERE o.session_id = the_session ORDER BY o.sequence LIMIT 1;
    IF FOUND THEN
        UPDATE agent_sessions.waiting_outboxes w SET since = oldest WHERE w.session_id = the_session AND w.since <> oldest;
    ELSE
        DELETE FROM agent_sessions.waiting_outboxes w WHERE w.session_id = the_session;
    END IF;
END;
$$;

-- Ends a dispatch for whoever has this claim of it, and lets the next one of its session be claimed. False when there is a
-- later claim: a process may claim again what it lost.
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

-- Forgets at most so many receipts of before, and rows of sessions that were deleted before and of which nobody has to hear.
CREATE FUNCTION "agent_sessions"."forget_receipts"("before" TIMESTAMPTZ, "most" INTEGER) RETURNS INTEGER
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    forgotten INTEGER;
    deleted INTEGER;
    gone TEXT;
BEGIN
    DELETE FROM agent_sessions.receipts r USING (
        SELECT o.session_id, o.key FROM agent_sessions.receipts o WHERE o.taken_at <= before
        ORDER BY o.taken_at LIMIT most FOR UPDATE SKIP LOCKED
    ) old
    WHERE r.session_id = old.session_id AND r.key = old.key;
    GET DIAGNOSTICS forgotten = ROW_COUNT;

    FOR gone IN
        SELECT s.session_id FROM agent_sessions.sessions s
        WHERE s.deleted_at <= before
            AND NOT EXISTS (SELECT FROM agent_sessions.receipts r WHERE r.session_id = s.session_id)
            AND NOT EXISTS (SELECT FROM agent_sessions.outbox o WHERE o.session_id = s.session_id)
            AND NOT EXISTS (SELECT FROM agent_sessions.dispatches d WHERE d.session_id = s.session_id)
        ORDER BY s.deleted_at LIMIT greatest(most - forgotten, 0)
        FOR UPDATE SKIP LOCKED
    LOOP
        EXIT WHEN forgotten >= most;
        DELETE FROM agent_sessions.events e USING (
            SELECT o.session_id, o.event_id FROM agent_sessions.events o WHERE o.session_id = gone LIMIT most - forgotten
        ) old
        WHERE e.session_id = old.session_id AND e.event_id = old.event_id;
        GET DIAGNOSTICS deleted = ROW_COUNT;
        forgotten := forgotten + deleted;
        EXIT WHEN forgotten >= most;
        DELETE FROM agent_sessions.sessions s WHERE s.session_id = gone;
        forgotten := forgotten + 1;
    END LOOP;
    RETURN forgotten;
END;
$$;

-- Keeps the sums of sizes.
CREATE FUNCTION "agent_sessions"."add_document_size"() RETURNS TRIGGER
LANGUAGE plpgsql
AS $$
DECLARE
    difference BIGINT := 0;
    sized RECORD;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        sized := OLD;
        difference := difference - coalesce(OLD.size_bytes, 0);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        sized := NEW;
        difference := difference + coalesce(NEW.size_bytes, 0);
    END IF;
    IF difference <> 0 THEN
        INSERT INTO agent_sessions.document_sizes AS s (workspace_id, kind, bytes)
        VALUES (sized.workspace_id, sized.kind, difference)
        ON CONFLICT (workspace_id, kind) DO UPDATE SET bytes = s.bytes + excluded.bytes;
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER "documents_size" AFTER INSERT OR DELETE OR UPDATE OF "size_bytes" ON "agent_sessions"."documents"
FOR EACH ROW EXECUTE FUNCTION "agent_sessions"."add_document_size"();

-- Stores new documents, all or none: false when there is one of these ids. They are in the order of their names, so that no two
-- callers wait for each other.
CREATE FUNCTION "agent_sessions"."create_documents"("documents" JSON) RETURNS BOOLEAN
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO agent_sessions.documents (workspace_id, kind, id, parent_id, created_at, updated_at, archived, archived_at,
        expires_at, version, size_bytes, fields)
    SELECT d.workspace_id, d.kind, d.id, d.parent_id, d.created_at, d.updated_at, d.archived_at IS NOT NULL, d.archived_at,
        d.expires_at, 1, d.size_bytes, d.fields
    FROM json_to_recordset(documents) AS d (workspace_id INTEGER, kind TEXT, id TEXT, parent_id TEXT, created_at BIGINT,
        updated_at BIGINT, archived_at BIGINT, expires_at BIGINT, size_bytes BIGINT, fields TEXT)
    ORDER BY d.workspace_id, d.kind COLLATE "C", d.id COLLATE "C";
    RETURN true;
EXCEPTION
    WHEN unique_violation THEN
        RETURN false;
END;
$$;

-- Replaces a document of that version, and stores new ones with it; false, and nothing changed, when it has another version or
-- there is one of the new ids.
CREATE FUNCTION "agent_sessions"."replace_document"("document" JSON, "expected_version" BIGINT, "also" JSON)
RETURNS BOOLEAN
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    UPDATE agent_sessions.documents p SET
        parent_id = d.parent_id,
        created_at = d.created_at,
        updated_at = d.updated_at,
        archived = d.archived_at IS NOT NULL,
        archived_at = d.archived_at,
        expires_at = d.expires_at,
        version = expected_version + 1,
        size_bytes = d.size_bytes,
        fields = d.fields
    FROM json_to_record(document) AS d (workspace_id INTEGER, kind TEXT, id TEXT, parent_id TEXT, created_at BIGINT,
        updated_at BIGINT, archived_at BIGINT, expires_at BIGINT, size_bytes BIGINT, fields TEXT)
    WHERE p.workspace_id = d.workspace_id AND p.kind = d.kind AND p.id = d.id AND p.version = expected_version;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF NOT agent_sessions.create_documents(also) THEN
        RAISE unique_violation;
    END IF;
    RETURN true;
EXCEPTION
    WHEN unique_violation THEN
        RETURN false;
END;
$$;

-- Projection: the events of sessions, as the sessions API knows them. What they say is in the recorded events.
-- CreateTable
CREATE TABLE "read_model"."session_events" (
    "workspace_id" INTEGER NOT NULL,
    "session_id" TEXT COLLATE "C" NOT NULL,
    "event_id" TEXT COLLATE "C" NOT NULL,
    "position" BIGINT NOT NULL,
    "type" TEXT COLLATE "C" NOT NULL,
    "processed_at" BIGINT,

    CONSTRAINT "session_events_pkey" PRIMARY KEY ("workspace_id","session_id","event_id")
);

-- The lists of events. As above: with its condition, which all positions meet, none is taken for a look-up by the primary key.
-- CreateIndex
CREATE INDEX "session_events_listed_idx" ON "read_model"."session_events"("workspace_id", "session_id", "position") INCLUDE ("event_id", "type", "processed_at") WHERE "position" >= 0;

-- CreateIndex
CREATE INDEX "session_events_of_type_idx" ON "read_model"."session_events"("workspace_id", "session_id", "type", "position") INCLUDE ("event_id", "processed_at") WHERE "position" >= 0;

-- Makes merged changes: first those of events that were there before, and then new ones, of which one that is there already
-- counts for nothing. Lists are texts with one item a line, null where they are empty; a time that is not there is null.
CREATE FUNCTION "read_model"."change_session_events"(
    "processed_workspaces" TEXT,
    "processed_sessions" TEXT,
    "processed_ids" TEXT,
    "processed_times" TEXT,
    "added_workspaces" TEXT,
    "added_sessions" TEXT,
    "added_ids" TEXT,
    "added_positions" TEXT,
    "added_types" TEXT,
    "added_times" TEXT
) RETURNS VOID
LANGUAGE plpgsql
-- As in record_events: only plans that look each row up by its index stay good.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    IF processed_ids IS NOT NULL THEN
        UPDATE read_model.session_events e SET processed_at = p.processed_at
        FROM unnest(string_to_array(processed_workspaces, E'\n')::int[], string_to_array(processed_sessions, E'\n'),
            string_to_array(processed_ids, E'\n'), string_to_array(processed_times, E'\n')::bigint[])
            AS p (workspace_id, session_id, event_id, processed_at)
        WHERE e.workspace_id = p.workspace_id AND e.session_id = p.session_id AND e.event_id = p.event_id
            AND e.processed_at IS NULL;
    END IF;

    IF added_ids IS NOT NULL THEN
        INSERT INTO read_model.session_events (workspace_id, session_id, event_id, position, type, processed_at)
        SELECT * FROM unnest(string_to_array(added_workspaces, E'\n')::int[], string_to_array(added_sessions, E'\n'),
            string_to_array(added_ids, E'\n'), string_to_array(added_positions, E'\n')::bigint[],
            string_to_array(added_types, E'\n'), string_to_array(added_times, E'\n', 'null')::bigint[])
        ON CONFLICT (workspace_id, session_id, event_id) DO NOTHING;
    END IF;
END;
$$;
