import { registered } from './support/said';
import { until } from './support/watch-process';
import { WatchedWorld } from './support/watched-world';

let chain: WatchedWorld['chain'];
let log: WatchedWorld['log'];
let world: WatchedWorld;
let watch: WatchedWorld['watch'];
let untilTypes: WatchedWorld['untilTypes'];
let untilAt: WatchedWorld['untilAt'];
beforeEach(() => {
  world = new WatchedWorld();
  ({ chain, log, watch, untilTypes, untilAt } = world);
});
afterEach(() => world.stop());

it('takes back what vanished as soon as another block is in its place, also while the new branch is shorter', async () => {
  const process = await watch();
  chain.mineEmpty(3);
  chain.mine(...registered('0'));
  chain.mineEmpty(2);
  await untilAt(process);
  chain.reorg(3, [], []);
  await untilTypes('0', 'agent_registered', 'agent_registration_reverted');
  await untilAt(process);
});

it('takes nothing back when the chain only seems shorter, as where endpoints lag', async () => {
  const process = await watch();
  chain.mineEmpty(3);
  chain.mine(...registered('0'));
  chain.mineEmpty(2);
  await untilAt(process);
  const { cursor } = (await process.status()) ?? {};
  const gone = chain.reorg(3);
  const { questions } = chain;
  await until(() => chain.questions > questions + 5, 'more looks');
  expect((await process.status())?.cursor).toEqual(cursor);
  chain.restore(0, gone);
  chain.mine(...registered('1'));
  await untilTypes('1', 'agent_registered');
  expect(log.types()).toEqual(['agent_registered', 'agent_registered']);
});

it('takes back what vanished from a chain that only became shorter with its next block', async () => {
  const process = await watch();
  chain.mineEmpty(3);
  chain.mine(...registered('0'));
  chain.mineEmpty(2);
  await untilAt(process);
  chain.reorg(3);
  const { questions } = chain;
  await until(() => chain.questions > questions + 5, 'more looks');
  expect(log.types()).toEqual(['agent_registered']);
  chain.mine();
  await untilTypes('0', 'agent_registered', 'agent_registration_reverted');
  await untilAt(process);
});

it('says once, and shows, that a chain is not as long as its startBlock', async () => {
  const process = await watch({ config: { startBlock: 5 } });
  const fault = async () => (await process.status())?.report['fault'];
  await until(async () => (await fault()) != null, 'the wait in the report');
  const { questions } = chain;
  await until(() => chain.questions > questions + 5, 'more looks');
  expect(await fault()).toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('startBlock 5') as unknown,
  });
  expect(process.messages().filter((message) => message === 'survived a fault')).toHaveLength(1);
  chain.mineEmpty(5);
  chain.mine(...registered('0'));
  await untilTypes('0', 'agent_registered');
  await until(async () => (await fault()) === null, 'the end of the wait in the report');
});
