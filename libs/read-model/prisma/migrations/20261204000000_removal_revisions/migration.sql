-- Removals in the order in which they happened, so that a reader can say which ones it knows of, and is told of the others.
-- It is no part of the read model: a rebuild carries the revisions over, and what is removed after it has higher ones.
-- CreateSequence
CREATE SEQUENCE "maintenance"."removal_revision";

-- AlterTable
ALTER TABLE "read_model"."retention_floors" ADD COLUMN "revision" BIGINT NOT NULL DEFAULT 0;

-- Whoever raises a floor need not know of revisions.
CREATE FUNCTION "read_model"."revise_floor"() RETURNS TRIGGER
LANGUAGE plpgsql
AS $$
BEGIN
    -- Not below the clock: where commits are lost, a sequence may go back to what readers know of.
    NEW.revision := greatest(nextval('"maintenance"."removal_revision"'), floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
    PERFORM setval('"maintenance"."removal_revision"', NEW.revision);
    RETURN NEW;
END;
$$;

CREATE TRIGGER "revise_new_floor" BEFORE INSERT ON "read_model"."retention_floors"
    FOR EACH ROW WHEN (NEW.revision = 0) EXECUTE FUNCTION "read_model"."revise_floor"();

CREATE TRIGGER "revise_raised_floor" BEFORE UPDATE ON "read_model"."retention_floors"
    FOR EACH ROW WHEN (NEW.position > OLD.position) EXECUTE FUNCTION "read_model"."revise_floor"();

-- Those that are there already.
UPDATE "read_model"."retention_floors" SET "revision" = nextval('"maintenance"."removal_revision"');

-- The removals that an endpoint's application knows of.
-- AlterTable
ALTER TABLE "webhooks"."endpoints" ADD COLUMN "revision" BIGINT NOT NULL DEFAULT 0;
