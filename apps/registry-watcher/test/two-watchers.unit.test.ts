import { MemoryChainStore, type ChainStore } from '@sluice/agent-registry';
import { feedback, registered } from './support/said';
import { ScriptedChain } from './support/scripted-chain';
import { CHAIN_ID, TestLog, until, watchProcess } from './support/watch-process';

let chain: ScriptedChain;
let log: TestLog;
let store: MemoryChainStore;
let running: { stop(): Promise<void> }[];
beforeEach(() => {
  chain = new ScriptedChain();
  log = new TestLog();
  store = new MemoryChainStore();
  running = [];
});
afterEach(() => Promise.all(running.map((process) => process.stop())));

async function watch(holder: string, own: ChainStore = store, leaseMs = 2_000) {
  const process = watchProcess({ chain, log, store: own, holder, times: { leaseMs } });
  running.push(process);
  await process.start();
  return process;
}
const holder = async () => (await store.statuses())[0]?.holder;
const untilAt = () => until(async () => (await store.statuses())[0]?.cursor?.hash === chain.head.hash, 'the head');

it('has one active watcher, and another that goes on when it stops', async () => {
  const first = await watch('first');
  await until(async () => (await holder()) === 'first', 'the first one');
  const second = await watch('second');
  chain.mine(...registered('0'));
  await untilAt();
  expect(second.messages()).not.toContain('watches the chain');
  await first.stop();
  chain.mine(...registered('1'));
  await until(async () => (await holder()) === 'second', 'the second one');
  await until(() => log.of('agent_registered').length === 2, 'both');
  expect(log.appended).toHaveLength(2);
});

it('takes over from one that says nothing any more when its lease has run out, and nothing is doubled', async () => {
  let isCutOff = false;
  const cutOff = new Proxy<ChainStore>(store, {
    get: (target, name) => {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      return (...parameters: unknown[]): unknown =>
        isCutOff ? new Promise(() => undefined) : (member as (...all: unknown[]) => unknown).apply(target, parameters);
    },
  });
  await watch('first', cutOff, 300);
  chain.mine(...registered('0'));
  await untilAt();
  isCutOff = true;
  running = [];
  const second = await watch('second');
  await until(async () => (await holder()) === 'second', 'the second one');
  chain.mine(feedback('0', '1', '80'));
  await until(
    () => log.types().join() === 'agent_registered,reputation_change',
    () => log.types().join(),
  );
  expect(new Set(log.appended.map(({ id }) => id)).size).toBe(log.appended.length);
  expect(second.messages()).toContain('watches the chain');
});

it('does not let one commit that lost the chain without noticing', async () => {
  // Its renewals are lost on the way, so it believes itself the holder.
  let grant: unknown;
  const deaf = new Proxy<ChainStore>(store, {
    get: (target, name) => {
      if (name !== 'acquire') {
        const member = Reflect.get(target, name) as (...all: unknown[]) => unknown;
        return member.bind(target);
      }
      return async (chainId: number, who: string) => (grant ??= await store.acquire(chainId, who, 100));
    },
  });
  const zombie = await watch('zombie', deaf, 60_000);
  chain.mine(...registered('0'));
  await untilAt();
  await until(async () => (await store.acquire(CHAIN_ID, 'other', 60_000)) !== undefined, 'the other one');
  const { cursor } = (await store.statuses())[0] ?? {};
  chain.mine(...registered('1'));
  await until(async () => (await zombie.metrics()).includes('place="session",code="conflict"'), 'the refusal');
  expect((await store.statuses())[0]?.cursor).toEqual(cursor);
  expect(log.types()).toEqual(['agent_registered']);
});
