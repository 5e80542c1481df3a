-- What operators have done to the read model. It is no part of it: a rebuild exchanges the read model and leaves this alone.
-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "maintenance";

-- One rebuild of the read model: what was asked for, who builds, and how far it is. "prepared": the model beside is made for
-- this rebuild; "projected": up to this position its events are projected. A builder whose lease ran out is refused by its
-- "fencing_token".
-- CreateTable
CREATE TABLE "maintenance"."rebuilds" (
    "rebuild_id" BIGSERIAL NOT NULL,
    "positions" TEXT NOT NULL,
    "drop_old" BOOLEAN NOT NULL,
    "state" TEXT NOT NULL,
    "is_open" BOOLEAN DEFAULT true,
    "requested_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),
    "holder" TEXT NOT NULL DEFAULT '',
    "fencing_token" BIGINT NOT NULL DEFAULT 0,
    "expires_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "prepared" BOOLEAN NOT NULL DEFAULT false,
    "projected" BIGINT NOT NULL DEFAULT 0,
    "left_out" BIGINT NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "fault" TEXT,

    CONSTRAINT "rebuilds_pkey" PRIMARY KEY ("rebuild_id")
);

-- One at a time: "is_open" is true until a rebuild is over, and null from then on.
-- CreateIndex
CREATE UNIQUE INDEX "rebuilds_is_open_key" ON "maintenance"."rebuilds"("is_open");
