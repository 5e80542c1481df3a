import {
  MAX_DUE_CHAIN_DOCUMENTS,
  MemoryChainStore,
  tokenIdOf,
  type ChainDocument,
  type ChainGrant,
  type LedgerOutcome,
} from '@sluice/agent-registry';
import { until } from '../../test/support/watch-process';
import { ChainWriter } from './chain-writer';
import { OffChainLoop, type OffChainTask } from './off-chain-loop';

const FRUITLESS = MAX_DUE_CHAIN_DOCUMENTS + 500;
const NOW = 1_000_000;

let store: MemoryChainStore;
let grant: ChainGrant;
let ended: AbortController;
let nowMs: number;
beforeEach(async () => {
  store = new MemoryChainStore();
  grant = (await store.acquire(1, 'one', 60_000)) as ChainGrant;
  ended = new AbortController();
  nowMs = NOW;
});
let running: Promise<void> = Promise.resolve();
afterEach(async () => {
  ended.abort();
  await running;
});

const outcome = (changes: LedgerOutcome['changes']): LedgerOutcome => ({
  changes,
  journals: [],
  drafts: [],
  ignored: {} as LedgerOutcome['ignored'],
});

function run(work: OffChainTask<string>['work'], apply?: OffChainTask<string>['apply']) {
  const told = { found: 0, postponed: 0, faults: 0 };
  const silent = () => undefined;
  const clock = { now: () => nowMs };
  const writer = new ChainWriter({
    store,
    grant,
    outbox: { offer: silent, untilRoom: () => Promise.resolve() },
    context: { chainId: 1, classifierAvailable: false, fileReReadIntervalMs: 1 },
    clock,
    signals: { committed: silent, ignored: silent, reverted: silent, refusedEvent: silent },
    onDue: silent,
    signal: ended.signal,
  });
  const loop = new OffChainLoop<string>(
    {
      kind: 'files',
      documentKind: 'file',
      concurrency: 64,
      pollIntervalMs: 10,
      againMs: () => 5_000,
      work,
      keys: (tokenId) => [`file/${tokenId}`],
      apply: apply ?? ((_, tokenId) => outcome([{ key: `file/${tokenId}`, value: {} }])),
      outcomeOf: () => 'read',
    },
    {
      chainId: 1,
      store,
      writer,
      clock,
      isPaused: () => false,
      signals: {
        found: () => void told.found++,
        postponed: () => void told.postponed++,
        fault: () => void told.faults++,
        inHand: silent,
      },
    },
  );
  running = loop.run(ended.signal);
  return told;
}

const put = (...changes: readonly { readonly tokenId: string; readonly dueAt: number }[]) =>
  store.commit(grant, { changes: changes.map(({ tokenId, dueAt }) => ({ key: `file/${tokenId}`, value: {}, dueAt })) });
const dueAtOf = async (tokenId: string) => (await store.read(1, [`file/${tokenId}`])).get(`file/${tokenId}`)?.dueAt;

it.each<[string, () => Promise<undefined>]>([
  ['comes to nothing', () => Promise.resolve(undefined)],
  ['fails', () => Promise.reject(new Error('a bug'))],
])(
  'comes to fresh work behind more than is looked at whose work %s, and tries that later (G9)',
  async (_, fruitless) => {
    const tries = new Map<string, number>();
    await put(...Array.from({ length: FRUITLESS }, (_, index) => ({ tokenId: String(index), dueAt: index })), {
      tokenId: 'fresh',
      dueAt: FRUITLESS,
    });
    const told = run((document: ChainDocument) => {
      const tokenId = tokenIdOf(document);
      tries.set(tokenId, (tries.get(tokenId) ?? 0) + 1);
      return tokenId === 'fresh' ? Promise.resolve('done') : fruitless();
    });
    await until(
      () => told.found === 1 && told.postponed === FRUITLESS,
      () => JSON.stringify(told),
    );
    expect(new Set(tries.values())).toEqual(new Set([1]));
    expect([await dueAtOf('0'), await dueAtOf('fresh')]).toEqual([NOW + 5_000, undefined]);
    nowMs = NOW + 5_000;
    await until(() => told.postponed === 2 * FRUITLESS, 'the second try');
    expect(told.found).toBe(1);
  },
);

it('puts off what stays due in spite of its finding', async () => {
  await put({ tokenId: '0', dueAt: 1 });
  let tries = 0;
  const told = run(
    () => Promise.resolve(String(tries++)),
    () => outcome([]),
  );
  await until(() => told.postponed === 1, 'the postponement');
  expect([tries, told.found, await dueAtOf('0')]).toEqual([1, 1, NOW + 5_000]);
});

it('does at once what became due anew while it was in hand', async () => {
  await put({ tokenId: '0', dueAt: 1 });
  let tries = 0;
  const told = run(async () => {
    if (tries++ > 0) return 'done';
    await put({ tokenId: '0', dueAt: 2 });
    return undefined;
  });
  await until(() => told.found === 1, 'the second try');
  expect(told.postponed).toBe(0);
});
