import { MemoryChainStore, type ChainGrant, type ChainStore, type RegistryDraft } from '@sluice/agent-registry';
import { SluiceError } from '@sluice/event-log';
import { newEventId } from '@sluice/event-schema';
import { ChainWriter, WriterClosed } from '../src/chain/chain-writer';

const NONE = { journals: [], drafts: [], ignored: {} as never };
const CHAIN = { blockNumber: 1, blockHash: `0x${'1'.repeat(64)}`, transactionHash: `0x${'2'.repeat(64)}`, logIndex: 0 };
const draft = (overrides: Partial<RegistryDraft> = {}): RegistryDraft => ({
  type: 'agent_transferred',
  agentId: '1:0',
  data: { agentId: '1:0', chainId: 1, from: `0x${'a'.repeat(40)}`, to: `0x${'b'.repeat(40)}`, chain: CHAIN },
  key: 'k',
  eventId: newEventId(),
  occurredAt: 1,
  ...overrides,
});

let store: MemoryChainStore;
let grant: ChainGrant;
let offered: number[];
let refused: string[];
let ended: AbortController;
beforeEach(async () => {
  store = new MemoryChainStore();
  grant = (await store.acquire(1, 'one', 60_000)) as ChainGrant;
  offered = [];
  refused = [];
  ended = new AbortController();
});

function open(own: ChainStore = store, due: (kind: string, dueAt: number) => void = () => undefined): ChainWriter {
  return new ChainWriter({
    store: own,
    grant,
    outbox: { offer: (batchId) => void offered.push(batchId), untilRoom: () => Promise.resolve() },
    context: { chainId: 1, classifierAvailable: false, fileReReadIntervalMs: 1 },
    clock: { now: () => 1 },
    signals: {
      committed: () => undefined,
      ignored: () => undefined,
      reverted: () => undefined,
      refusedEvent: ({ key }) => void refused.push(key),
    },
    onDue: due,
    signal: ended.signal,
  });
}
const change = (key: string, dueAt?: number) => () => ({
  ...NONE,
  changes: [{ key, value: {}, ...(dueAt !== undefined && { dueAt }) }],
});
const keysOf = async () => [...(await store.read(1, ['file/1', 'file/2'])).keys()];

it('writes nothing behind a commit of which nobody knows whether it was made', async () => {
  const commit: ChainStore['commit'] = async (...parameters) => {
    await store.commit(...parameters);
    throw new SluiceError('read_model_unavailable', 'The answer is lost');
  };
  const lossy = new Proxy<ChainStore>(store, {
    get: (target, name) => (name === 'commit' ? commit : (Reflect.get(target, name) as () => void).bind(target)),
  });
  const writer = open(lossy);
  const first = writer.applyFindings([], change('file/1'));
  const second = writer.applyFindings([], change('file/2'));
  await expect(first).rejects.toMatchObject({ code: 'read_model_unavailable' });
  await expect(second).rejects.toThrow(WriterClosed);
  await expect(writer.commit({ cursor: { number: 1, hash: CHAIN.blockHash } })).rejects.toThrow(WriterClosed);
  expect(await keysOf()).toEqual(['file/1']);
  expect(offered).toEqual([]);
});

it('makes one change after the other, each on what the last one left', async () => {
  const writer = open();
  const seen: number[] = [];
  await Promise.all(
    Array.from({ length: 20 }, () =>
      writer.applyFindings(['file/1'], (documents) => {
        const count = Number(documents.get('file/1')?.value['count'] ?? 0) + 1;
        seen.push(count);
        return { ...NONE, changes: [{ key: 'file/1', value: { count } }] };
      }),
    ),
  );
  expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
});

it('leaves out, and tells, an event without the form of its type', async () => {
  const writer = open();
  const hostile = draft({ key: 'hostile', data: { agentId: '1:0', chainId: 1, from: 'nobody' } });
  const outcome = { ...NONE, changes: [], drafts: [draft(), hostile] };
  expect(await writer.applyFindings([], () => outcome)).toBe(1);
  expect(refused).toEqual(['hostile']);
  const [batch] = await store.outbox(grant, 1);
  expect(batch?.events.map(({ event }) => event.type)).toEqual(['agent_transferred']);
  expect(offered).toEqual([batch?.batchId]);
});

it('commits nothing where nothing changes, and nothing after its end', async () => {
  const writer = open();
  expect(await writer.applyFindings([], () => ({ ...NONE, changes: [] }))).toBe(0);
  ended.abort();
  expect(await writer.applyFindings([], change('file/1'))).toBeUndefined();
  expect(await keysOf()).toEqual([]);
});

it('tells what falls due', async () => {
  const due: string[] = [];
  const writer = open(store, (kind, dueAt) => void due.push(`${kind} ${dueAt}`));
  await writer.applyFindings([], change('file/1', 77));
  expect(due).toEqual(['file 77']);
});
