-- The events of an entity in their orders, whether a family is named or not. Families hardly share ids, so indexes that
-- begin with the family would only be more to write.
-- CreateIndex
CREATE INDEX "recorded_events_workspace_id_entity_id_position_idx" ON "read_model"."recorded_events"("workspace_id", "entity_id", "position");

-- CreateIndex
CREATE INDEX "recorded_events_workspace_id_entity_id_occurred_at_idx" ON "read_model"."recorded_events"("workspace_id", "entity_id", "occurred_at");

-- DropIndex
DROP INDEX "read_model"."recorded_events_workspace_id_family_entity_id_position_idx";

-- DropIndex
DROP INDEX "read_model"."recorded_events_workspace_id_family_entity_id_occurred_at_idx";
