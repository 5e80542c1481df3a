-- What the app of webhooks keeps. It is no part of the read model: a rebuild of that one leaves it alone.
-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "webhooks";

-- One endpoint: what its owner says of it (a JSON text: JSONB would refuse U+0000), who may deliver to it, and how far it is.
-- "blocked" has what is known of the event that is not through yet; it is written with each attempt, so rows have room.
-- "progress_version" rises with every change of how far it is: an attempt that is kept already is not kept again, and the holder
-- does not write over what the owner changed. Secrets are sealed.
-- CreateTable
CREATE TABLE "webhooks"."endpoints" (
    "endpoint_id" TEXT COLLATE "C" NOT NULL,
    "workspace_id" INTEGER NOT NULL,
    "version" BIGINT NOT NULL,
    "endpoint" TEXT NOT NULL,
    "disabled_reason" TEXT,
    "disabled_at" BIGINT,
    "holder" TEXT,
    "fencing_token" BIGINT NOT NULL DEFAULT 0,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,
    "epoch" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "blocked" TEXT,
    "last_delivery_id" BIGINT NOT NULL DEFAULT 0,
    "progress_version" BIGINT NOT NULL DEFAULT 1,

    CONSTRAINT "endpoints_pkey" PRIMARY KEY ("endpoint_id")
) WITH (fillfactor = 70);

-- What was sent to an endpoint. The numbers of one endpoint are contiguous, so the oldest beyond a count are a range.
-- CreateTable
CREATE TABLE "webhooks"."deliveries" (
    "endpoint_id" TEXT COLLATE "C" NOT NULL,
    "delivery_id" BIGINT NOT NULL,
    "at" BIGINT NOT NULL,
    "entry" TEXT NOT NULL,

    CONSTRAINT "deliveries_pkey" PRIMARY KEY ("endpoint_id","delivery_id")
);

-- Events that were given up. "replay_at": since when it waits to be sent again.
-- CreateTable
CREATE TABLE "webhooks"."dead_letters" (
    "endpoint_id" TEXT COLLATE "C" NOT NULL,
    "dead_letter_id" BIGINT NOT NULL,
    "dead_at" BIGINT NOT NULL,
    "replay_at" BIGINT,
    "letter" TEXT NOT NULL,

    CONSTRAINT "dead_letters_pkey" PRIMARY KEY ("endpoint_id","dead_letter_id")
);

-- CreateIndex
CREATE INDEX "endpoints_workspace_id_endpoint_id_idx" ON "webhooks"."endpoints"("workspace_id", "endpoint_id");

-- Who looks for endpoints that nobody holds finds none at once.
-- CreateIndex
CREATE INDEX "endpoints_unattended_idx" ON "webhooks"."endpoints"("expires_at") WHERE "disabled_reason" IS NULL;

-- CreateIndex
CREATE INDEX "deliveries_at_idx" ON "webhooks"."deliveries"("at");

-- CreateIndex
CREATE INDEX "dead_letters_dead_at_idx" ON "webhooks"."dead_letters"("dead_at");

-- CreateIndex
CREATE INDEX "dead_letters_waiting_idx" ON "webhooks"."dead_letters"("endpoint_id", "replay_at", "dead_letter_id") WHERE "replay_at" IS NOT NULL;

-- AddForeignKey
ALTER TABLE "webhooks"."deliveries" ADD CONSTRAINT "deliveries_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "webhooks"."endpoints"("endpoint_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhooks"."dead_letters" ADD CONSTRAINT "dead_letters_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "webhooks"."endpoints"("endpoint_id") ON DELETE CASCADE ON UPDATE CASCADE;
