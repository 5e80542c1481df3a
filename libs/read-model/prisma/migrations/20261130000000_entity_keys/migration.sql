-- The keys by which the durable log's records are sealed. To destroy a key is to erase what it sealed. It is no part of the read
-- model; what is lost of it is in the journal of keys, beside the log.
-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "erasure";

-- The keys of each entity. Generations count from 0, and the newest seals. "variant" 0 is the one that seals, of its generation;
-- others came from the journal, of a time that this index had lost. "key" is null once it is destroyed. "stored_at": the journal
-- has it, so that it may be used. "known_since": from this moment on, every look-up has found the generation.
-- CreateTable
CREATE TABLE "erasure"."entity_keys" (
    "key_id" UUID NOT NULL,
    "workspace_id" INTEGER NOT NULL,
    "family" TEXT NOT NULL,
    "entity_id" TEXT NOT NULL,
    "generation" INTEGER NOT NULL,
    "variant" INTEGER NOT NULL DEFAULT 0,
    "key" BYTEA,
    "made_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "stored_at" TIMESTAMPTZ(3),
    "known_since" TIMESTAMPTZ(6),
    "destroyed_at" TIMESTAMPTZ(3),

    CONSTRAINT "entity_keys_pkey" PRIMARY KEY ("key_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "entity_keys_of_entity_key" ON "erasure"."entity_keys"("workspace_id", "family", "entity_id", "generation", "variant");

-- How far into the journal of keys this index has come.
-- CreateTable
CREATE TABLE "erasure"."journal_checkpoints" (
    "lane" INTEGER NOT NULL,
    "next_index" BIGINT NOT NULL,

    CONSTRAINT "journal_checkpoints_pkey" PRIMARY KEY ("lane")
);

-- What processes have to know of each other: the longest that any of them was ever allowed to use a key without asking for it
-- again, and whether there are records that should be sealed and are not.
-- CreateTable
CREATE TABLE "erasure"."sealing_policy" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "key_max_age_ms" BIGINT NOT NULL DEFAULT 0,
    "has_unsealed" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "sealing_policy_pkey" PRIMARY KEY ("id")
);
