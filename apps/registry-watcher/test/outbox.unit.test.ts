import { MemoryChainStore, type ChainGrant } from '@sluice/agent-registry';
import { SluiceError } from '@sluice/event-log';
import { encodeEnvelope, newEventId, type EncodedEnvelope } from '@sluice/event-schema';
import { Outbox } from '../src/chain/outbox';
import { TestLog, until } from './support/watch-process';

const event = (name: string): EncodedEnvelope =>
  encodeEnvelope({
    id: newEventId(),
    family: 'registry',
    entityId: '1:0',
    workspaceId: 0,
    type: name,
    schemaVersion: 1,
    occurredAt: 1,
    data: {},
  });
const signals = { appended: () => undefined, outboxChanged: () => undefined };

let store: MemoryChainStore;
let grant: ChainGrant;
let log: TestLog;
let end: AbortController;
let failures: unknown[];
beforeEach(async () => {
  store = new MemoryChainStore();
  grant = (await store.acquire(1, 'one', 60_000)) as ChainGrant;
  log = new TestLog();
  end = new AbortController();
  failures = [];
});
afterEach(() => end.abort());

const open = () => new Outbox({ store, grant, log, signals: { ...signals, appendFailed: (e) => failures.push(e) } });
async function commit(outbox: Outbox, ...events: EncodedEnvelope[]): Promise<void> {
  outbox.offer((await store.commit(grant, { outbox: events })) as number, events);
}
const logged = () => log.appended.map(({ type }) => type);

it('appends what a former holder left behind first, then in the order of the commits, and settles', async () => {
  await store.commit(grant, { outbox: [event('a'), event('b')] });
  await store.commit(grant, { outbox: [event('c')] });
  const outbox = open();
  await commit(outbox, event('d'));
  const running = outbox.run(end.signal);
  await commit(outbox, event('e'), event('f'));
  outbox.close();
  await running;
  expect(logged()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  expect(await store.outbox(grant, 10)).toEqual([]);
  expect(outbox.size).toBe(0);
});

it('tries again what could not be appended, as it was, before anything else', async () => {
  log.isDown = true;
  const outbox = open();
  const running = outbox.run(end.signal);
  await commit(outbox, event('a'), event('b'));
  await until(() => failures.length >= 2, 'two failures');
  await commit(outbox, event('c'));
  log.isDown = false;
  outbox.close();
  await running;
  expect(logged()).toEqual(['a', 'b', 'c']);
});

it('keeps unsettled what it could not append when it is broken off', async () => {
  log.isDown = true;
  const outbox = open();
  const running = outbox.run(end.signal);
  await commit(outbox, event('a'));
  await until(() => failures.length > 0, 'a failure');
  end.abort();
  await running;
  expect(await store.outbox(grant, 10)).toHaveLength(1);
});

it('is not held up by an append that hangs when it is broken off', async () => {
  let asked = false;
  const outbox = new Outbox({
    store,
    grant,
    log: { append: () => new Promise(() => (asked = true)) },
    signals: { ...signals, appendFailed: () => undefined },
  });
  const running = outbox.run(end.signal);
  await commit(outbox, event('a'));
  await until(() => asked, 'an append');
  end.abort();
  await running;
  expect(await store.outbox(grant, 10)).toHaveLength(1);
});

it('has room for a bounded number of events', async () => {
  log.isDown = true;
  const outbox = open();
  const running = outbox.run(end.signal);
  const many = Array.from({ length: 20_000 }, () => event('x'));
  await commit(outbox, event('a'));
  await until(() => failures.length > 0, 'a failure');
  await commit(outbox, ...many);
  let hasRoom = false;
  const waiting = outbox.untilRoom(end.signal).then(() => (hasRoom = true));
  await until(() => failures.length > 2, 'more failures');
  expect(hasRoom).toBe(false);
  log.isDown = false;
  await waiting;
  outbox.close();
  await running;
  expect(logged()).toHaveLength(20_001);
});

it('fails when the store says that the right is lost', async () => {
  const outbox = open();
  await store.commit(grant, { outbox: [event('a')] });
  await store.release(grant);
  await expect(outbox.run(end.signal)).rejects.toThrow(SluiceError);
});
