-- One erasure: what was asked for, and how far it is. "fields" and "progress" are JSON texts. "step": the next thing to do;
-- "due_at": not before then. Who is at it has the lease, and is refused by its "fencing_token" when that ran out. "is_open" is
-- true until it is done, and null from then on, so that each entity has one open erasure at most.
-- CreateTable
CREATE TABLE "maintenance"."erasures" (
    "erasure_id" BIGSERIAL NOT NULL,
    "workspace_id" INTEGER NOT NULL,
    "family" TEXT COLLATE "C" NOT NULL,
    "entity_id" TEXT COLLATE "C" NOT NULL,
    "fields" TEXT NOT NULL,
    "step" TEXT NOT NULL,
    "progress" TEXT NOT NULL DEFAULT '{}',
    "is_open" BOOLEAN DEFAULT true,
    "requested_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "holder" TEXT NOT NULL DEFAULT '',
    "fencing_token" BIGINT NOT NULL DEFAULT 0,
    "expires_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "up_to" BIGINT,
    "scanned" BIGINT NOT NULL DEFAULT 0,
    "erased_events" BIGINT NOT NULL DEFAULT 0,
    "erased_parked" BIGINT NOT NULL DEFAULT 0,
    "fault" TEXT,

    CONSTRAINT "erasures_pkey" PRIMARY KEY ("erasure_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "erasures_of_entity_key" ON "maintenance"."erasures"("workspace_id", "family", "entity_id", "is_open");

-- CreateIndex
CREATE INDEX "erasures_is_open_due_at_idx" ON "maintenance"."erasures"("is_open", "due_at");
