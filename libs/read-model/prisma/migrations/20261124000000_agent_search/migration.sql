-- Agents by their classes: one index for both, as each of them narrows the other. What is written goes to its pending list
-- first, which is kept short: every search reads it.
-- CreateIndex
CREATE INDEX "agents_skills_domains_idx" ON "read_model"."agents"
    USING GIN ("skills", "domains") WITH (fastupdate = on, gin_pending_list_limit = 1024);
