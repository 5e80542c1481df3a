-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "access";

-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "read_model";

-- CreateTable
CREATE TABLE "read_model"."position_counter" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "epoch" CHAR(8) NOT NULL,
    "last_position" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "position_counter_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "read_model"."recorded_events" (
    "position" BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "workspace_id" INTEGER NOT NULL,
    "family" TEXT COLLATE "C" NOT NULL,
    "entity_id" TEXT COLLATE "C" NOT NULL,
    "entity_sequence" BIGINT NOT NULL,
    "type" TEXT COLLATE "C" NOT NULL,
    "occurred_at" BIGINT NOT NULL,
    "recorded_at" BIGINT NOT NULL,
    "envelope" TEXT NOT NULL,

    CONSTRAINT "recorded_events_pkey" PRIMARY KEY ("position")
);

-- CreateTable
CREATE TABLE "read_model"."entities" (
    "workspace_id" INTEGER NOT NULL,
    "family" TEXT COLLATE "C" NOT NULL,
    "entity_id" TEXT COLLATE "C" NOT NULL,
    "event_count" BIGINT NOT NULL,
    "first_position" BIGINT NOT NULL,
    "last_position" BIGINT NOT NULL,
    "last_occurred_at" BIGINT NOT NULL,

    CONSTRAINT "entities_pkey" PRIMARY KEY ("workspace_id","family","entity_id")
);

-- CreateTable
CREATE TABLE "read_model"."lane_checkpoints" (
    "lane" INTEGER NOT NULL,
    "next_index" BIGINT NOT NULL,

    CONSTRAINT "lane_checkpoints_pkey" PRIMARY KEY ("lane")
);

-- CreateTable
CREATE TABLE "read_model"."parked_records" (
    "parked_id" BIGSERIAL NOT NULL,
    "lane" INTEGER NOT NULL,
    "index" BIGINT NOT NULL,
    "value" BYTEA NOT NULL,
    "reason" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "workspace_id" INTEGER,
    "event_id" TEXT,
    "parked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "replayed_at" TIMESTAMPTZ(3),

    CONSTRAINT "parked_records_pkey" PRIMARY KEY ("parked_id")
);

-- CreateTable
CREATE TABLE "read_model"."publisher_lease" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "holder" TEXT NOT NULL DEFAULT '',
    "fencing_token" BIGINT NOT NULL DEFAULT 0,
    "published" BIGINT NOT NULL DEFAULT 0,
    "expires_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "publisher_lease_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "read_model"."sandboxes" (
    "workspace_id" INTEGER NOT NULL,
    "sandbox_id" TEXT COLLATE "C" NOT NULL,
    "status" TEXT NOT NULL,
    "executions_started" BIGINT NOT NULL,
    "executions_completed" BIGINT NOT NULL,
    "executions_failed" BIGINT NOT NULL,
    "last_position" BIGINT NOT NULL,
    "last_occurred_at" BIGINT NOT NULL,

    CONSTRAINT "sandboxes_pkey" PRIMARY KEY ("workspace_id","sandbox_id")
);

-- CreateTable
CREATE TABLE "access"."api_keys" (
    "key_id" UUID NOT NULL,
    "hash" CHAR(64) NOT NULL,
    "workspace_id" INTEGER,
    "role" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "limits" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("key_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "recorded_events_id_key" ON "read_model"."recorded_events"("id");

-- CreateIndex
CREATE INDEX "recorded_events_workspace_id_position_idx" ON "read_model"."recorded_events"("workspace_id", "position");

-- CreateIndex
CREATE INDEX "recorded_events_workspace_id_family_entity_id_position_idx" ON "read_model"."recorded_events"("workspace_id", "family", "entity_id", "position");

-- CreateIndex
CREATE INDEX "recorded_events_workspace_id_family_entity_id_occurred_at_idx" ON "read_model"."recorded_events"("workspace_id", "family", "entity_id", "occurred_at");

-- CreateIndex
CREATE UNIQUE INDEX "parked_records_lane_index_key" ON "read_model"."parked_records"("lane", "index");

-- CreateIndex
CREATE INDEX "parked_records_workspace_id_parked_id_idx" ON "read_model"."parked_records"("workspace_id", "parked_id");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_hash_key" ON "access"."api_keys"("hash");

-- CreateIndex
CREATE INDEX "api_keys_workspace_id_idx" ON "access"."api_keys"("workspace_id");

-- The two single rows. The epoch is random: a read model made from nothing must not honour the cursors of another one.
INSERT INTO "read_model"."position_counter" ("id", "epoch") VALUES (1, substr(md5(gen_random_uuid()::text), 1, 8));
INSERT INTO "read_model"."publisher_lease" ("id") VALUES (1);
