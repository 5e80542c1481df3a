-- What the workspace family is projected to. The members of "fields" are the JSON texts of their values: a text in JSON
-- may have characters that JSONB refuses (U+0000), and its own order of names. "scope" is the id of the owner where the
-- document's own id says nothing of it: two owners may have documents of one id. What can be long and outlives changes of
-- the rest has a column of its own, again as JSON text: a change of a status must not write a long text anew.
-- CreateTable
CREATE TABLE "read_model"."workspace_documents" (
    "workspace_id" INTEGER NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL,
    "id" TEXT COLLATE "C" NOT NULL,
    "scope" TEXT COLLATE "C" NOT NULL,
    "parent_id" TEXT COLLATE "C",
    "owner_kind" TEXT COLLATE "C",
    "owner_id" TEXT COLLATE "C",
    "fields" JSONB NOT NULL,
    "description" TEXT,
    "prompt" TEXT,
    "message" TEXT,
    "script" TEXT,
    "notifications" TEXT,
    "created_at" BIGINT NOT NULL,
    "updated_at" BIGINT NOT NULL,
    "created_position" BIGINT NOT NULL,
    "last_position" BIGINT NOT NULL,
    "due_at" BIGINT,

    CONSTRAINT "workspace_documents_pkey" PRIMARY KEY ("workspace_id","kind","id","scope")
);

-- What an owner that is gone owned before a position: nobody sees it, and it is deleted bit by bit.
-- CreateTable
CREATE TABLE "read_model"."workspace_removals" (
    "workspace_id" INTEGER NOT NULL,
    "owner_kind" TEXT COLLATE "C" NOT NULL,
    "owner_id" TEXT COLLATE "C" NOT NULL,
    "position" BIGINT NOT NULL,

    CONSTRAINT "workspace_removals_pkey" PRIMARY KEY ("workspace_id","owner_kind","owner_id")
);

-- CreateIndex
CREATE INDEX "workspace_documents_workspace_id_kind_created_position_idx" ON "read_model"."workspace_documents"("workspace_id", "kind", "created_position");

-- CreateIndex
CREATE INDEX "workspace_documents_workspace_id_kind_parent_id_created_pos_idx" ON "read_model"."workspace_documents"("workspace_id", "kind", "parent_id", "created_position") WHERE "parent_id" IS NOT NULL;

-- CreateIndex
CREATE INDEX "workspace_documents_workspace_id_owner_kind_owner_id_create_idx" ON "read_model"."workspace_documents"("workspace_id", "owner_kind", "owner_id", "created_position") WHERE "owner_id" IS NOT NULL;

-- CreateIndex
CREATE INDEX "workspace_documents_kind_due_at_created_position_idx" ON "read_model"."workspace_documents"("kind", "due_at", "created_position") WHERE "due_at" IS NOT NULL;

-- Applies the merged changes of one batch in one round trip, under the lock that record_events holds: nobody else writes
-- here meanwhile. `removals` come first: with `owned_before` goes what the named one owned before that position, with
-- `itself` the named one too. Then a document that is there gets `patch` and `patch_texts` laid over it, if given, unless the
-- change `replaces` it; else `fields` and `texts` make it, if given. A row with `if_owned` counts where that is whether the
-- owner is there; what is removed and not deleted yet is not. The texts are the long ones. `ended_runs` are laid over the field
-- `last_run` by its `run_id`.
CREATE FUNCTION "read_model"."change_workspace_documents"("removals" JSON, "changes" JSON) RETURNS VOID
LANGUAGE plpgsql
-- As in record_events: only plans that look each row up by its index stay good.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    IF json_array_length(removals) > 0 THEN
        DELETE FROM read_model.workspace_documents d
        USING json_to_recordset(removals) AS r (workspace_id INTEGER, kind TEXT, id TEXT, scope TEXT, itself BOOLEAN)
        WHERE r.itself AND d.workspace_id = r.workspace_id AND d.kind = r.kind AND d.id = r.id AND d.scope = r.scope;

        INSERT INTO read_model.workspace_removals (workspace_id, owner_kind, owner_id, position)
        SELECT r.workspace_id, r.kind, r.id, r.owned_before
        FROM json_to_recordset(removals) AS r (workspace_id INTEGER, kind TEXT, id TEXT, owned_before BIGINT)
        WHERE r.owned_before IS NOT NULL
        ON CONFLICT (workspace_id, owner_kind, owner_id) DO UPDATE SET position = excluded.position;
    END IF;

    INSERT INTO read_model.workspace_documents (workspace_id, kind, id, scope, parent_id, owner_kind, owner_id,
        fields, description, prompt, message, script, notifications, created_at, updated_at,
        created_position, last_position, due_at)
    WITH given AS MATERIALIZED (
        SELECT * FROM json_to_recordset(changes) AS c (workspace_id INTEGER, kind TEXT, id TEXT, scope TEXT,
            replaces BOOLEAN, if_owned BOOLEAN, parent_id TEXT, owner_kind TEXT, owner_id TEXT, fields JSONB, texts JSONB,
            patch JSONB, patch_texts JSONB, ended_runs JSONB, created_at BIGINT, updated_at BIGINT,
            created_position BIGINT, last_position BIGINT, patched_at BIGINT, patched_position BIGINT)
    ), changed AS MATERIALIZED (
        SELECT g.workspace_id, g.kind, g.id, g.scope, g.owner_kind, g.owner_id, g.ended_runs,
            CASE WHEN p.kept THEN g.patched_at ELSE g.updated_at END AS updated_at,
            CASE WHEN p.kept THEN g.patched_position ELSE g.last_position END AS last_position,
            CASE WHEN p.kept THEN k.parent_id ELSE g.parent_id END AS parent_id,
            CASE WHEN p.kept THEN k.created_at ELSE g.created_at END AS created_at,
            CASE WHEN p.kept THEN k.created_position ELSE g.created_position END AS created_position,
            -- A value of null is the text 'null'; a member that is null is one to take away.
            CASE WHEN p.kept THEN jsonb_strip_nulls(k.fields || g.patch) ELSE g.fields END AS fields,
            CASE WHEN NOT p.kept THEN g.texts ->> 'description' WHEN g.patch_texts ? 'description'
                THEN g.patch_texts ->> 'description' ELSE k.description END AS description,
            CASE WHEN NOT p.kept THEN g.texts ->> 'prompt' WHEN g.patch_texts ? 'prompt'
                THEN g.patch_texts ->> 'prompt' ELSE k.prompt END AS prompt,
            CASE WHEN NOT p.kept THEN g.texts ->> 'message' WHEN g.patch_texts ? 'message'
                THEN g.patch_texts ->> 'message' ELSE k.message END AS message,
            CASE WHEN NOT p.kept THEN g.texts ->> 'script' WHEN g.patch_texts ? 'script'
                THEN g.patch_texts ->> 'script' ELSE k.script END AS script,
            CASE WHEN NOT p.kept THEN g.texts ->> 'notifications' WHEN g.patch_texts ? 'notifications'
                THEN g.patch_texts ->> 'notifications' ELSE k.notifications END AS notifications
        FROM given g
        LEFT JOIN read_model.workspace_documents k
            ON k.workspace_id = g.workspace_id AND k.kind = g.kind AND k.id = g.id AND k.scope = g.scope
        CROSS JOIN LATERAL (
            SELECT k.id IS NOT NULL AND NOT g.replaces AND (k.owner_id IS NULL OR NOT EXISTS (
                SELECT FROM read_model.workspace_removals w
                WHERE w.workspace_id = k.workspace_id AND w.owner_kind = k.owner_kind AND w.owner_id = k.owner_id
                    AND k.created_position < w.position)) AS kept
        ) p
        WHERE CASE WHEN p.kept THEN g.patch IS NOT NULL ELSE g.fields IS NOT NULL END
            AND (g.if_owned IS NULL OR g.if_owned = EXISTS (
                SELECT FROM read_model.workspace_documents o
                WHERE o.workspace_id = g.workspace_id AND o.kind = g.owner_kind AND o.id = g.owner_id
                    AND o.scope = ''))
    ), completed AS MATERIALIZED (
        SELECT c.*, CASE WHEN e.ended IS NULL THEN c.fields ELSE
            c.fields || jsonb_build_object('last_run', ((c.fields ->> 'last_run')::jsonb || e.ended)::text)
            END AS all_fields
        FROM changed c
        CROSS JOIN LATERAL (
            SELECT CASE WHEN c.ended_runs IS NOT NULL
                THEN c.ended_runs -> ((c.fields ->> 'last_run')::jsonb ->> 'run_id') END AS ended
        ) e
    )
    SELECT c.workspace_id, c.kind, c.id, c.scope, c.parent_id, c.owner_kind, c.owner_id, c.all_fields,
        c.description, c.prompt, c.message, c.script, c.notifications, c.created_at, c.updated_at,
        c.created_position, c.last_position,
        CASE c.kind
            WHEN 'cron_job' THEN CASE WHEN c.all_fields ->> 'enabled' = 'true'
                THEN nullif(c.all_fields ->> 'next_run_at', 'null')::bigint END
            WHEN 'run' THEN (c.all_fields ->> 'deadline_at')::bigint
        END
    FROM completed c
    ON CONFLICT (workspace_id, kind, id, scope) DO UPDATE SET
        parent_id = excluded.parent_id,
        fields = excluded.fields,
        description = excluded.description,
        prompt = excluded.prompt,
        message = excluded.message,
        script = excluded.script,
        notifications = excluded.notifications,
        created_at = excluded.created_at,
        updated_at = excluded.updated_at,
        created_position = excluded.created_position,
        last_position = excluded.last_position,
        due_at = excluded.due_at;

    -- However much an owner had, one batch deletes so many: the lock must not be held for long. The next ones go on.
    IF EXISTS (SELECT FROM read_model.workspace_removals) THEN
        DELETE FROM read_model.workspace_documents d
        USING (
            SELECT o.workspace_id, o.kind, o.id, o.scope
            FROM read_model.workspace_removals w
            JOIN read_model.workspace_documents o
                ON o.workspace_id = w.workspace_id AND o.owner_kind = w.owner_kind AND o.owner_id = w.owner_id
                AND o.created_position < w.position
            LIMIT 5000
        ) gone
        WHERE d.workspace_id = gone.workspace_id AND d.kind = gone.kind AND d.id = gone.id AND d.scope = gone.scope;

        DELETE FROM read_model.workspace_removals w
        WHERE NOT EXISTS (
            SELECT FROM read_model.workspace_documents o
            WHERE o.workspace_id = w.workspace_id AND o.owner_kind = w.owner_kind AND o.owner_id = w.owner_id
                AND o.created_position < w.position);
    END IF;
END;
$$;
