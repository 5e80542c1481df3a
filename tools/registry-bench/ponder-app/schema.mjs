import { onchainTable, primaryKey } from 'ponder';

export const agents = onchainTable('agents', (t) => ({
  id: t.bigint().primaryKey(),
  owner: t.hex().notNull(),
  uri: t.text().notNull(),
  name: t.text().notNull(),
  mcpEndpoint: t.text(),
  scoreSum: t.bigint().notNull(),
  feedbackCount: t.integer().notNull(),
  registeredAt: t.bigint().notNull(),
}));

export const feedback = onchainTable(
  'feedback',
  (t) => ({
    agentId: t.bigint().notNull(),
    client: t.hex().notNull(),
    index: t.bigint().notNull(),
    value: t.bigint().notNull(),
    valueDecimals: t.integer().notNull(),
    tag1: t.text().notNull(),
    tag2: t.text().notNull(),
    endpoint: t.text().notNull(),
    uri: t.text().notNull(),
    isRevoked: t.boolean().notNull(),
    responses: t.integer().notNull(),
    createdAt: t.bigint().notNull(),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.agentId, table.client, table.index] }) }),
);
