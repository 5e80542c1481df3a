import { MemoryChainStore, type ChainBlock, type ChainFact } from '@sluice/agent-registry';
import { feedback, registered, revoked } from './support/said';
import { ScriptedChain, type Said } from './support/scripted-chain';
import { CHAIN_ID, TestLog, until, watchProcess } from './support/watch-process';

const CONFIRMATIONS = 4;
const SEEDS = 25;
const ACTIONS = 25;

/** Whole numbers below a limit, the same for a seed each time. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

/** What somebody could say on a chain that says this. */
function sayingsOn(facts: readonly ChainFact[], random: (below: number) => number): Said[] {
  const agents = facts.filter(({ kind }) => kind === 'registered').length;
  if (agents === 0 || random(4) === 0) return registered(String(agents));
  const tokenId = String(random(agents));
  const given = facts.filter((fact) => fact.kind === 'feedback_given' && fact.tokenId === tokenId).length;
  const open = facts.filter((fact) => fact.kind === 'feedback_revoked' && fact.tokenId === tokenId).length;
  if (given > open && random(3) === 0) return [revoked(tokenId, String(open + 1))];
  return [feedback(tokenId, String(given + 1), String(random(101)))];
}

/** Score and count of each agent, as the chain says. */
function truthOf(facts: readonly ChainFact[]): Record<string, { score: number; count: number }> {
  const agents: Record<string, Map<string, number>> = {};
  for (const fact of facts) {
    if (fact.kind === 'registered') agents[fact.tokenId] = new Map();
    if (fact.kind === 'feedback_given') agents[fact.tokenId]?.set(String(fact.feedbackIndex), Number(fact.value));
    if (fact.kind === 'feedback_revoked') agents[fact.tokenId]?.delete(fact.feedbackIndex);
  }
  return Object.fromEntries(
    Object.entries(agents).map(([tokenId, ratings]) => {
      const sum = [...ratings.values()].reduce((total, value) => total + value, 0);
      const score = ratings.size === 0 ? 0 : Math.round((sum / ratings.size) * 100) / 100;
      return [tokenId, { score, count: ratings.size }];
    }),
  );
}

/** The same, as a reader of the events has it in the end. */
function readOf(log: TestLog): Record<string, { score: number; count: number }> {
  const agents: Record<string, { score: number; count: number }> = {};
  for (const { type, entityId, data } of log.events) {
    const tokenId = entityId.split(':')[1] ?? '';
    if (type === 'agent_registered') {
      if (agents[tokenId]) throw new Error(`agent ${tokenId} is registered twice`);
      agents[tokenId] = { score: 0, count: 0 };
    }
    if (type === 'agent_registration_reverted') delete agents[tokenId];
    if (type !== 'reputation_change') continue;
    const { previousScore, newScore, feedbackCount } = data as Record<string, number>;
    if (agents[tokenId]?.score !== previousScore) throw new Error(`a score of agent ${tokenId} is missing`);
    agents[tokenId] = { score: newScore ?? 0, count: feedbackCount ?? 0 };
  }
  return agents;
}

async function simulate(seed: number): Promise<void> {
  const random = randomOf(seed);
  const chain = new ScriptedChain();
  const log = new TestLog();
  let skippedMs = 0;
  const store = new MemoryChainStore(() => Date.now() + skippedMs);
  let holders = 0;
  const begin = async (drainMs = random(2) * 100) => {
    const holder = `holder ${++holders}`;
    const config = { confirmations: CONFIRMATIONS };
    const process = watchProcess({ chain, log, store, holder, config, times: { drainMs } });
    await process.start();
    return process;
  };
  const factsBelow = (number: number) => chain.all.slice(0, number).flatMap(({ facts }) => facts);
  const mine = () => chain.mine(...(random(3) === 0 ? [] : sayingsOn(factsBelow(chain.all.length), random)));
  let process = await begin();
  let gone: { readonly at: number; readonly blocks: readonly ChainBlock[] } | undefined;
  for (let action = 0; action < ACTIONS; action++) {
    const choice = random(10);
    if (choice < 4) mine();
    else if (choice < 6) {
      const depth = Math.min(1 + random(CONFIRMATIONS), chain.all.length - 1);
      gone = { at: chain.all.length - depth, blocks: chain.reorg(depth) };
      for (let n = 0; n < depth + random(2); n++) mine();
    } else if (choice === 9 && gone && chain.all.length - gone.at <= CONFIRMATIONS) {
      // What was taken back comes again, as it was.
      const { at, blocks } = gone;
      const height = chain.all.length;
      gone = { at, blocks: chain.all.slice(at) };
      chain.restore(height - at, blocks);
      while (chain.all.length < height) mine();
    } else if (choice === 6) chain.isDown = !chain.isDown;
    else if (choice === 7) log.isDown = !log.isDown;
    else if (choice === 8) {
      await process.stop();
      skippedMs += random(2) * 10_000;
      process = await begin();
    } else await new Promise((resolve) => setImmediate(resolve));
    for (let turns = random(30); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
  }
  chain.isDown = false;
  log.isDown = false;
  chain.mine();
  await until(async () => {
    const [status] = await store.statuses();
    if (status?.halted) throw new Error(`seed ${seed}: ${status.halted.message}`);
    return status?.cursor?.hash === chain.head.hash;
  }, `seed ${seed}: the head`);
  await process.stop();
  // The next one appends what is left.
  process = await begin();
  const isSettled = async () => {
    const grant = await store.acquire(CHAIN_ID, `holder ${holders}`, 2_000);
    return grant !== undefined && (await store.outbox(grant, 1)).length === 0;
  };
  await until(isSettled, `seed ${seed}: the outbox`);
  await process.stop();
  expect({ seed, agents: readOf(log) }).toEqual({ seed, agents: truthOf(chain.all.flatMap(({ facts }) => facts)) });
  const net = log.of('agent_registered').length - log.of('agent_registration_reverted').length;
  expect([seed, net]).toEqual([seed, factsBelow(chain.all.length).filter(({ kind }) => kind === 'registered').length]);
}

it('brings readers to what the chain says, whatever happens on the way (G2, G6)', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) await simulate(seed);
});
