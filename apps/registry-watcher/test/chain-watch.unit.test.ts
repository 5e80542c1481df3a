import { feedback, registered, revoked, transferred, address } from './support/said';
import { CHAIN_ID, until } from './support/watch-process';
import { agent, WatchedWorld } from './support/watched-world';

/** Timers of Node.js may be early by a part of a millisecond. */
const TIMER_TOLERANCE_MS = 2;

let chain: WatchedWorld['chain'];
let log: WatchedWorld['log'];
let store: WatchedWorld['store'];
let world: WatchedWorld;
let watch: WatchedWorld['watch'];
let untilTypes: WatchedWorld['untilTypes'];
let untilAt: WatchedWorld['untilAt'];
beforeEach(() => {
  world = new WatchedWorld();
  ({ chain, log, store, watch, untilTypes, untilAt } = world);
});
afterEach(() => world.stop());

it('works off what is old in ranges, then what is new, each fact once and in order', async () => {
  chain.mine(...registered('0'));
  chain.mineEmpty(60);
  chain.mine(feedback('0', '1', '80'));
  chain.mineEmpty(200);
  const process = await watch();
  await untilTypes('0', 'agent_registered', 'reputation_change');
  await untilAt(process);
  chain.mine(...registered('1'), feedback('0', '2', '60'));
  await untilTypes('1', 'agent_registered');
  await untilTypes('0', 'agent_registered', 'reputation_change', 'reputation_change');
  expect(log.appended).toHaveLength(4);
  expect(log.of('agent_registered')[0]).toMatchObject({
    entityId: `${CHAIN_ID}:0`,
    workspaceId: 0,
    data: { agentId: `${CHAIN_ID}:0`, chainId: CHAIN_ID, name: 'Agent #0', owner: address(1), hasMcp: false },
  });
  expect(log.of('reputation_change').map(({ data }) => data['newScore'])).toEqual([80, 70]);
  const report = async () => (await process.status())?.report;
  await until(async () => (await report())?.['block'] === chain.head.number, 'the report of the head');
  expect(await report()).toMatchObject({ phase: 'live', head: chain.head.number, lagBlocks: 0, progress: 1 });
  expect(process.messages()).toEqual(expect.arrayContaining(['watches the chain', 'the chain is in phase live']));
});

it('starts at the start block, and waits for a chain that is not that long', async () => {
  chain.mine(...registered('0'));
  const process = await watch({ config: { startBlock: 5 } });
  chain.mineEmpty(2);
  chain.mine(...registered('1'));
  chain.mine(...registered('2'));
  await untilTypes('2', 'agent_registered');
  await untilAt(process);
  expect(log.events.map(({ entityId }) => entityId)).toEqual([agent('2')]);
});

it('takes back what came of blocks that vanished, and says it again where it comes back', async () => {
  chain.mine(...registered('0'));
  chain.mineEmpty(3);
  const process = await watch();
  await untilAt(process);
  chain.mine(feedback('0', '1', '80'));
  chain.mine(...registered('1'));
  await untilTypes('1', 'agent_registered');
  chain.reorg(2, [], [feedback('0', '1', '80')], []);
  await untilTypes(
    '0',
    'agent_registered',
    'reputation_change',
    'feedback_reverted',
    'reputation_change',
    'reputation_change',
  );
  await untilTypes('1', 'agent_registered', 'agent_registration_reverted');
  await untilAt(process);
  const ids = new Set(log.of('reputation_change').map(({ id }) => id));
  expect(ids.size).toBe(3);
  expect(log.of('reputation_change').map(({ data }) => data['newScore'])).toEqual([80, 0, 80]);
  expect(log.of('agent_registration_reverted')[0]?.data['revertedEventId']).toBe(log.of('agent_registered')[1]?.id);
});

it('tells apart what a block says each time that it comes back', async () => {
  const process = await watch();
  chain.mineEmpty(3);
  await untilAt(process);
  const block = chain.mine(...registered('0'));
  await untilTypes('0', 'agent_registered');
  chain.reorg(1, [], []);
  await untilTypes('0', 'agent_registered', 'agent_registration_reverted');
  await untilAt(process);
  chain.restore(2, [block]);
  chain.mineEmpty(2);
  await untilTypes('0', 'agent_registered', 'agent_registration_reverted', 'agent_registered');
  expect(new Set(log.events.map(({ id }) => id)).size).toBe(3);
});

it('halts when final blocks vanish, changes nothing, and goes on by itself when they are back', async () => {
  const process = await watch({ config: { confirmations: 3 } });
  chain.mine(...registered('0'));
  chain.mineEmpty(3);
  await untilAt(process);
  const { cursor } = (await process.status()) ?? {};
  const gone = chain.reorg(4, [], [], [], [], []);
  await until(async () => (await process.status())?.halted !== undefined, 'the halt');
  chain.mine(...registered('1'));
  const questions = chain.questions;
  await until(() => chain.questions > questions + 5, 'more looks');
  expect((await process.status())?.cursor).toEqual(cursor);
  expect(log.types()).toEqual(['agent_registered']);
  expect(process.lines.find(({ level }) => level === 'error')).toMatchObject({
    message: 'the chain is halted until an operator decides',
    reason: 'reorg_beyond_finality',
  });
  expect(await process.metrics()).toContain(`sluice_chain_halted{chain="${CHAIN_ID}"} 1`);
  chain.restore(6, gone);
  await until(async () => (await process.status())?.halted === undefined, 'the end of the halt');
  chain.mine(...registered('2'));
  await untilTypes('2', 'agent_registered');
  expect(log.types()).toEqual(['agent_registered', 'agent_registered']);
  expect(await process.metrics()).toContain(`sluice_chain_halted{chain="${CHAIN_ID}"} 0`);
});

it('undoes what was final once an operator agrees', async () => {
  const process = await watch({ config: { confirmations: 3 } });
  chain.mineEmpty(2);
  chain.mine(...registered('0'));
  chain.mineEmpty(8);
  await untilAt(process);
  chain.reorg(9, [], ...Array.from({ length: 9 }, () => []));
  await until(async () => (await process.status())?.halted !== undefined, 'the halt');
  expect(await store.acceptDeepReorg(CHAIN_ID)).toBe(true);
  await untilTypes('0', 'agent_registered', 'agent_registration_reverted');
  await untilAt(process);
  expect(await process.status()).toMatchObject({ halted: undefined, acceptsDeepReorg: false });
});

it('keeps a halt over a restart', async () => {
  const first = await watch({ config: { confirmations: 1 } });
  chain.mine(...registered('0'));
  chain.mineEmpty(2);
  await untilAt(first);
  chain.reorg(3, [], [], [], []);
  await until(async () => (await first.status())?.halted !== undefined, 'the halt');
  await first.stop();
  const second = await watch({ config: { confirmations: 1 } });
  await until(() => second.messages().includes('the chain is halted until an operator decides'), 'the line');
  expect(log.types()).toEqual(['agent_registered']);
  await store.acceptDeepReorg(CHAIN_ID);
  await untilTypes('0', 'agent_registered', 'agent_registration_reverted');
});

it('does not let a chain that shrinks move what was final', async () => {
  const process = await watch({ config: { confirmations: 4 } });
  chain.mine(...registered('0'));
  chain.mineEmpty(9);
  await untilAt(process);
  chain.reorg(3, [], [], []);
  await untilAt(process);
  // Two blocks shorter; four more from there on are six from where it was.
  chain.reorg(3, []);
  chain.reorg(4, [], [], [], [], [], [], []);
  await until(async () => (await process.status())?.halted !== undefined, 'the halt');
});

it('confirmed: says only what is final, and halts when that vanishes', async () => {
  const process = await watch({ config: { confirmations: 3, delivery: 'confirmed' } });
  chain.mineEmpty(3);
  chain.mine(...registered('0'));
  chain.mineEmpty(2);
  chain.reorg(3, registered('1'), [], []);
  chain.mineEmpty(1);
  await untilTypes('1', 'agent_registered');
  expect(log.types()).toEqual(['agent_registered']);
  chain.reorg(4, [], [], [], [], []);
  await until(async () => (await process.status())?.halted !== undefined, 'the halt');
  await store.acceptDeepReorg(CHAIN_ID);
  await untilTypes('1', 'agent_registered', 'agent_registration_reverted');
});

it('keeps journals of a bounded number of blocks', async () => {
  const process = await watch({ config: { confirmations: 2 } });
  chain.mineEmpty(300);
  await untilAt(process);
  for (let n = 0; n < 20; n++) {
    chain.mineEmpty(10);
    await untilAt(process);
  }
  const journals = await store.journals(CHAIN_ID, 0);
  expect(journals).toHaveLength(64);
  expect(journals[0]?.block.number).toBe(chain.head.number);
});

it('follows revocations and transfers', async () => {
  await watch();
  chain.mine(...registered('0'));
  chain.mine(feedback('0', '1', '80'), feedback('0', '2', '40'));
  chain.mine(revoked('0', '2'), ...transferred('0', address(9)));
  await untilTypes(
    '0',
    'agent_registered',
    'reputation_change',
    'reputation_change',
    'feedback_revoked',
    'reputation_change',
    'agent_updated',
    'agent_transferred',
  );
});

it('waits out a source that is away, and tells so', async () => {
  const process = await watch();
  chain.mineEmpty(2);
  await untilAt(process);
  chain.isDown = true;
  await until(async () => (await process.status())?.report['fault'] != null, 'the fault');
  chain.mine(...registered('0'));
  chain.isDown = false;
  await untilTypes('0', 'agent_registered');
  await until(async () => (await process.status())?.report['fault'] === null, 'the end of the fault');
  expect(await process.metrics()).toContain('place="source",code="chain_unavailable"');
});

it('asks a source that is away less and less', async () => {
  chain.isDown = true;
  const process = await watch();
  await until(() => chain.questions >= 5, 'five questions');
  await process.stop();
  const pausesMs = chain.askedAtMs.slice(1).map((atMs, index) => atMs - (chain.askedAtMs[index] ?? 0));
  for (const [index, leastMs] of [100, 200, 400, 800].entries())
    expect(pausesMs[index]).toBeGreaterThanOrEqual(leastMs - TIMER_TOLERANCE_MS);
});

it('goes on reading while the log is away, and appends in order when it is back', async () => {
  log.isDown = true;
  const process = await watch();
  chain.mine(...registered('0'));
  chain.mine(feedback('0', '1', '80'));
  await untilAt(process);
  expect(log.appended).toEqual([]);
  await until(async () => (await process.status())?.report['outboxEvents'] === 2, 'what waits');
  log.isDown = false;
  await untilTypes('0', 'agent_registered', 'reputation_change');
});

it('stops while the log is away, and leaves the rest to the next one', async () => {
  log.isDown = true;
  const first = await watch({ times: { drainMs: 100 } });
  chain.mine(...registered('0'));
  await untilAt(first);
  await first.stop();
  log.isDown = false;
  await watch({ holder: 'two' });
  await untilTypes('0', 'agent_registered');
});

it('stops while the source hangs', async () => {
  const process = await watch();
  await untilAt(process);
  chain.hangs = true;
  const { questions } = chain;
  chain.mine();
  await until(() => chain.questions > questions, 'a question');
  await process.stop();
});

it('shows how a chain is coming on only while it has it', async () => {
  const process = await watch();
  await untilAt(process);
  await until(async () => (await process.metrics()).includes('sluice_chain_block{'), 'the gauge');
  await process.stop();
  expect(await process.metrics()).not.toContain('sluice_chain_block{');
  expect(await process.metrics()).toContain(`sluice_chain_active{chain="${CHAIN_ID}"} 0`);
});

it('appends what is committed before it stops', async () => {
  const process = await watch();
  chain.mineEmpty(10);
  for (let n = 0; n < 30; n++) chain.mine(...registered(String(n)));
  await until(() => log.appended.length > 0, 'something');
  await process.stop();
  const { cursor } = (await process.status()) ?? {};
  const committed = Math.max(0, (cursor?.number ?? 0) - 10);
  expect(log.types()).toHaveLength(committed);
});
