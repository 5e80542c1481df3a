import { ponder } from 'ponder:registry';
import { agents, feedback } from 'ponder:schema';

const ZERO_ADDRESS = `0x${'00'.repeat(20)}`;
const INLINE = 'data:application/json,';

/** What the registration file says that is within its URI. */
function read(uri) {
  try {
    const file = JSON.parse(decodeURIComponent(uri.slice(INLINE.length)));
    const mcp = file.services?.find((service) => service.name === 'MCP');
    return { uri, name: String(file.name), mcpEndpoint: mcp?.endpoint ?? null };
  } catch {
    return { uri, name: '', mcpEndpoint: null };
  }
}

ponder.on('Identity:Registered', async ({ event, context }) => {
  const { agentId, agentURI, owner } = event.args;
  const counts = { scoreSum: 0n, feedbackCount: 0 };
  await context.db
    .insert(agents)
    .values({ id: agentId, owner, ...read(agentURI), ...counts, registeredAt: event.block.timestamp });
});

ponder.on('Identity:URIUpdated', async ({ event, context }) => {
  await context.db.update(agents, { id: event.args.agentId }).set(read(event.args.newURI));
});

ponder.on('Identity:Transfer', async ({ event, context }) => {
  if (event.args.from === ZERO_ADDRESS) return;
  await context.db.update(agents, { id: event.args.tokenId }).set({ owner: event.args.to });
});

ponder.on('Reputation:NewFeedback', async ({ event, context }) => {
  const { agentId, clientAddress, feedbackIndex, value, valueDecimals, tag1, tag2, endpoint, feedbackURI } = event.args;
  await context.db.insert(feedback).values({
    ...{ agentId, client: clientAddress, index: feedbackIndex, value, valueDecimals, tag1, tag2, endpoint },
    ...{ uri: feedbackURI, isRevoked: false, responses: 0, createdAt: event.block.timestamp },
  });
  await context.db
    .update(agents, { id: agentId })
    .set((agent) => ({ scoreSum: agent.scoreSum + value, feedbackCount: agent.feedbackCount + 1 }));
});

ponder.on('Reputation:FeedbackRevoked', async ({ event, context }) => {
  const { agentId, clientAddress, feedbackIndex } = event.args;
  const key = { agentId, client: clientAddress, index: feedbackIndex };
  const revoked = await context.db.find(feedback, key);
  await context.db.update(feedback, key).set({ isRevoked: true });
  await context.db.update(agents, { id: agentId }).set((agent) => ({
    scoreSum: agent.scoreSum - (revoked?.value ?? 0n),
    feedbackCount: agent.feedbackCount - 1,
  }));
});

ponder.on('Reputation:ResponseAppended', async ({ event, context }) => {
  const { agentId, clientAddress, feedbackIndex } = event.args;
  await context.db
    .update(feedback, { agentId, client: clientAddress, index: feedbackIndex })
    .set((row) => ({ responses: row.responses + 1 }));
});
