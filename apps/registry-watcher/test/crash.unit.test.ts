import { MemoryChainStore, type ChainStore } from '@sluice/agent-registry';
import type { DurableLog } from '@sluice/event-log';
import { feedback, registered, revoked, uriUpdated } from './support/said';
import { ScriptedChain } from './support/scripted-chain';
import { CHAIN_ID, read, TestFiles, TestLog, until, watchProcess } from './support/watch-process';

/** Lets a process die at a certain step: before what it asked for was done, or right behind it. */
class Fate {
  steps = 0;
  isDead = false;

  constructor(
    private readonly dieAt: number,
    private readonly isDone: boolean,
  ) {}

  async step<T>(work: () => Promise<T>): Promise<T> {
    if (this.isDead) return this.never();
    const isLast = ++this.steps === this.dieAt;
    if (isLast && !this.isDone) return this.die();
    const result = await work();
    if (isLast) return this.die();
    return this.isDead ? this.never() : result;
  }

  private die<T>(): Promise<T> {
    this.isDead = true;
    return this.never();
  }

  /** A dead process hears of nothing; here it is told, so that it can be put away. */
  private never(): Promise<never> {
    return Promise.reject(new Error('dead'));
  }
}

function mortal<T extends object>(port: T, fate: Fate, methods: readonly (keyof T)[]): T {
  return new Proxy(port, {
    get: (target, name) => {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      const call = (...parameters: unknown[]) =>
        (member as (...all: unknown[]) => Promise<unknown>).apply(target, parameters);
      if (!methods.includes(name as keyof T)) return fate.isDead ? () => Promise.reject(new Error('dead')) : call;
      return (...parameters: unknown[]) => fate.step(() => call(...parameters));
    },
  });
}

const URI = 'https://agent.example/file.json';
const STORE_STEPS: readonly (keyof ChainStore)[] = ['load', 'read', 'commit', 'outbox', 'settle', 'journals'];

/** What happens on the chain, in turns: each is worked off before the next one begins. */
const TURNS: readonly ((chain: ScriptedChain) => void)[] = [
  (chain) => {
    chain.mine(...registered('0', { uri: URI }));
    chain.mineEmpty(80);
  },
  (chain) => void chain.mine(feedback('0', '1', '90')),
  (chain) => {
    chain.mine(...registered('1'), feedback('0', '2', '50'));
    chain.mine(feedback('1', '1', '70'));
  },
  (chain) => void chain.reorg(2, [feedback('0', '2', '50')], registered('1'), []),
  (chain) => void chain.mine(revoked('0', '1'), uriUpdated('1', URI)),
];

interface Run {
  readonly chain: ScriptedChain;
  readonly log: TestLog;
  readonly store: MemoryChainStore;
  readonly steps: number;
}

/** The whole story; the process dies at a step, and another one goes on. */
async function run(dieAt: number, isDone: boolean): Promise<Run> {
  let skippedMs = 0;
  const store = new MemoryChainStore(() => Date.now() + skippedMs);
  const log = new TestLog();
  const chain = new ScriptedChain();
  const files = new TestFiles();
  files.byUri.set(URI, read(URI, { name: 'Ada' }));
  const begin = (fate: Fate, holder: string) =>
    watchProcess({
      chain,
      files,
      holder,
      store: mortal<ChainStore>(store, fate, STORE_STEPS),
      log: mortal<Pick<DurableLog, 'append'>>(log, fate, ['append']),
      // Faults, not leases, end the first one; reports are no steps. The dead drain in vain, and the last one has nothing to.
      times: { leaseMs: 5_000, drainMs: 20 },
    });
  const fate = new Fate(dieAt, isDone);
  let process = begin(fate, 'first');
  await process.start();
  const takeOver = async () => {
    if (!fate.isDead || process.watcher !== first) return;
    await process.stop();
    skippedMs += 10_000;
    process = begin(new Fate(-1, false), 'second');
    await process.start();
  };
  const first = process.watcher;
  for (const turn of TURNS) {
    turn(chain);
    await until(async () => {
      await takeOver();
      const [status] = await store.statuses();
      if (status?.cursor?.hash !== chain.head.hash) return false;
      const due = await store.due({ chainId: CHAIN_ID, kind: 'file', dueBefore: Date.now(), limit: 10 });
      const grant = await store.acquire(CHAIN_ID, process.watcher === first ? 'first' : 'second', 5_000);
      return due.length === 0 && grant !== undefined && (await store.outbox(grant, 1)).length === 0;
    }, `the turn, died at ${dieAt}`);
  }
  await process.stop();
  return { chain, log, store, steps: fate.steps };
}

const idsByAgent = ({ log }: Run) =>
  ['0', '1'].map((tokenId) =>
    log.events.filter(({ entityId }) => entityId === `${CHAIN_ID}:${tokenId}`).map(({ id, type }) => `${type} ${id}`),
  );

/** What is known, without when it was looked at. */
async function known({ store, chain }: Run) {
  const keys = ['agent/0', 'agent/1', 'file/0', 'file/1', `reverted/${chain.head.hash}`];
  const documents = await store.read(CHAIN_ID, keys);
  return JSON.parse(
    JSON.stringify([...documents.values()], (name, value: unknown) => (/(At|Ms)$/.test(name) ? undefined : value)),
  ) as unknown;
}

it('loses and doubles nothing, whatever step a process dies at (G1, G2)', async () => {
  const whole = await run(-1, false);
  const expected = idsByAgent(whole);
  const documents = await known(whole);
  expect(expected[0]).toHaveLength(9);
  expect(whole.steps).toBeGreaterThan(20);
  for (let step = 1; step <= whole.steps; step++) {
    for (const isDone of [false, true]) {
      const broken = await run(step, isDone);
      expect({ step, isDone, ids: idsByAgent(broken) }).toEqual({ step, isDone, ids: expected });
      expect({ step, documents: await known(broken) }).toEqual({ step, documents });
    }
  }
});
