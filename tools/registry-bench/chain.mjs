import { startLocalChain } from '@sluice/local-chain';

const ACCOUNTS = 12;

/** How many blocks stay to be asked for their state: nobody asks here. */
const KEPT_STATES = 16;

/** Feedback that one transaction gives. */
const FEEDBACK_A_TRANSACTION = 15;

const ENDPOINT = 'https://agent.example/';

/** On top: no event is so young that it could vanish. */
const FINAL_BLOCKS = 64;

/**
 * A chain with a realistic mix of registry events, spread evenly over its blocks.
 *
 * @param {{registrations: number, feedback: number, others: number, blocks: number}} mix `others`: in turns a new URI, a
 * transfer, and feedback that is revoked or responded to (which is then one of `feedback`)
 * @returns the chain, its registries, the number of events by kind, and of logs
 */
export async function buildChain(mix, log = () => undefined) {
  const chain = await startLocalChain({
    accounts: ACCOUNTS,
    keptStates: KEPT_STATES,
    // A second a block: the newest one is not in the future.
    genesisTimestamp: Math.floor(Date.now() / 1000) - 2 * mix.blocks - 3600,
  });
  try {
    const registries = await chain.deployRegistries();
    await chain.setAutomine(false);
    const startedAt = performance.now();
    const counts = await fill(chain, registries, mix);
    await chain.mine(FINAL_BLOCKS);
    await chain.setAutomine(true);
    const head = await chain.head();
    const seconds = (performance.now() - startedAt) / 1000;
    log(`chain: ${total(counts)} events in ${mix.blocks} blocks, made in ${seconds.toFixed(0)} s`);
    return { chain, registries, counts, events: total(counts), head: head.number, blocks: mix.blocks };
  } catch (error) {
    await chain.stop();
    throw error;
  }
}

const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);

async function fill(chain, registries, mix) {
  const { calls, send } = registries;
  const [deployer, keeper, ...clients] = chain.accounts;
  const counts = { Registered: 0, NewFeedback: 0, URIUpdated: 0, Transfer: 0, FeedbackRevoked: 0, ResponseAppended: 0 };
  const owners = new Map();
  const ownerOf = (agentId) => owners.get(agentId) ?? deployer;
  const kept = new Map();
  let others = 0;
  let nextIndex = 1n;

  /** One by one: what a sender does has an order. */
  const sendOther = async (turn) => {
    // A step that is prime to most numbers of agents: they come by turns.
    const agentId = BigInt((turn * 7919) % counts.Registered);
    const from = ownerOf(agentId);
    if (turn % 4 === 0) {
      counts.URIUpdated++;
      await send(calls.setAgentUri({ from, agentId, uri: uriOf(String(agentId), 'Now it speaks another language.') }));
      return 0;
    }
    if (turn % 4 === 1) {
      counts.Transfer++;
      const to = clients[turn % clients.length];
      owners.set(agentId, to);
      await send(calls.transfer({ from, to, agentId }));
      return 0;
    }
    const feedbackIndex = (kept.get(agentId) ?? 0n) + 1n;
    kept.set(agentId, feedbackIndex);
    await send(calls.giveFeedback({ from: keeper, agentId, value: 77n, tag1: 'starred', endpoint: ENDPOINT }));
    if (turn % 4 === 2) {
      counts.FeedbackRevoked++;
      await send(calls.revokeFeedback({ from: keeper, agentId, feedbackIndex }));
    } else {
      counts.ResponseAppended++;
      await send(calls.appendResponse({ from, agentId, client: keeper, feedbackIndex, responseUri: 'ipfs://answer' }));
    }
    return 1;
  };

  for (let block = 0; block < mix.blocks; block++) {
    const share = (all) => Math.floor((all * (block + 1)) / mix.blocks) - Math.floor((all * block) / mix.blocks);
    const count = share(mix.registrations);
    if (count > 0)
      await send(calls.bulkRegister({ from: deployer, count, uri: uriOf('{id}', 'It does what it says.') }));
    counts.Registered += count;
    let feedback = share(mix.feedback);
    counts.NewFeedback += feedback;
    for (let turns = share(mix.others); turns > 0; turns--) feedback -= await sendOther(others++);
    for (let turn = 0; feedback > 0; turn++) {
      const firstAgentId = (block * 31 + turn * 101) % counts.Registered;
      const agents = Math.min(FEEDBACK_A_TRANSACTION, feedback, counts.Registered - firstAgentId);
      const from = clients[(block + turn) % clients.length];
      const which = { firstAgentId: BigInt(firstAgentId), agents, firstIndex: nextIndex };
      await send(calls.bulkFeedback({ from, count: agents, ...which, tag1: 'starred' }));
      feedback -= agents;
      nextIndex += BigInt(agents);
    }
    await chain.mine();
  }
  return counts;
}

/** A registration file within its URI, in the words and of the length that such files have. */
function uriOf(id, description) {
  const file = {
    type: 'https://eips.ethereum.org/EIPS/eip-8004#registration-v1',
    name: `Agent ${id}`,
    description: `An agent for measurements. ${description}`,
    image: 'https://agent.example/image.png',
    services: [
      // Endpoints of other kinds would be probed, which the others do not do.
      { name: 'web', endpoint: ENDPOINT },
      { name: 'email', endpoint: 'agent@agent.example' },
    ],
    supportedTrust: ['reputation'],
    active: true,
  };
  // The place of the id is the contract's to fill.
  return `data:application/json,${encodeURIComponent(JSON.stringify(file)).replaceAll('%7Bid%7D', '{id}')}`;
}
