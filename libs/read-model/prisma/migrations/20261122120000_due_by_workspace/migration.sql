-- What is due in each workspace: where very much is due, workspaces take turns.
-- CreateIndex
CREATE INDEX "workspace_documents_kind_workspace_id_due_at_created_positi_idx" ON "read_model"."workspace_documents"("kind", "workspace_id", "due_at", "created_position") WHERE "due_at" IS NOT NULL;
