-- For how long events are kept. "workspace_id" -1: those of every workspace that has no policy of its own for the family.
-- No "max_age_ms": for ever. The policy has been applied to all events up to "swept", in the numbering of "swept_epoch".
-- CreateTable
CREATE TABLE "maintenance"."retention_policies" (
    "workspace_id" INTEGER NOT NULL,
    "family" TEXT COLLATE "C" NOT NULL,
    "max_age_ms" BIGINT,
    "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "swept_epoch" CHAR(8) NOT NULL DEFAULT '',
    "swept" BIGINT NOT NULL DEFAULT 0,
    "removed_events" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "retention_policies_pkey" PRIMARY KEY ("workspace_id","family")
);

-- The right to remove what is too old: one holder at a time. A holder whose lease ran out is refused by its "fencing_token".
-- CreateTable
CREATE TABLE "maintenance"."retention_lease" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "holder" TEXT NOT NULL DEFAULT '',
    "fencing_token" BIGINT NOT NULL DEFAULT 0,
    "expires_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "retention_lease_pkey" PRIMARY KEY ("id")
);

INSERT INTO "maintenance"."retention_lease" ("id") VALUES (1);
