-- The batches of the outbox are read once, soon, and deleted: to compress them would cost more than all else of their way.
ALTER TABLE "registry_watch"."outbox" ALTER COLUMN "events" SET STORAGE EXTERNAL;
