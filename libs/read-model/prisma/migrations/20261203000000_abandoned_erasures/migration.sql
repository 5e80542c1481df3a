-- An erasure that was abandoned is not open and not finished: its step is the one that it was abandoned at.
-- AlterTable
ALTER TABLE "maintenance"."erasures" ADD COLUMN "abandoned_at" TIMESTAMPTZ(3);
