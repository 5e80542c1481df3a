import { MemorySessionStore, type SessionCommit } from '@sluice/agent-sessions';
import { commitOf, committed, eventOf, sessionOf } from '@sluice/agent-sessions/conformance';
import { SluiceError } from '@sluice/event-log';
import type { EncodedEnvelope } from '@sluice/event-schema';
import { OutboxShipper } from './outbox-shipper';

const QUARTER_MB = 262_144;
const SESSION = sessionOf().id;
const signals = { appended: () => undefined, appendFailed: () => undefined };
const signal = new AbortController().signal;

let nowMs: number;
let store: MemorySessionStore;
/** What came to the log, append by append. */
let appends: (readonly EncodedEnvelope[])[];

beforeEach(() => {
  nowMs = 1_000_000;
  store = new MemorySessionStore(() => nowMs);
  appends = [];
});

type Append = (events: readonly EncodedEnvelope[]) => Promise<void>;

function shipperTo(append: Append = () => Promise.resolve()): OutboxShipper {
  return new OutboxShipper(
    store,
    {
      append: async (events) => {
        await append(events);
        appends.push(events);
      },
    },
    signals,
  );
}

const idsOf = (events: readonly EncodedEnvelope[]) => events.map(({ event }) => event.id);
const waiting = async (sessionId = SESSION) => (await store.outbox(sessionId, 1_000)).length;

/** An event of about so many bytes. */
function large(n: number, bytes: number): EncodedEnvelope {
  const { event } = eventOf(n);
  const made = { ...event, data: { ...event.data, text: 'x'.repeat(bytes) } };
  return { event: made, json: JSON.stringify(made) };
}

const commit = (expectedVersion: number, events: SessionCommit['events'], sessionId = SESSION) =>
  committed(store, { ...commitOf({ state: sessionOf({ id: sessionId }) }), expectedVersion, events });

/** A gate that opens when it is told to, and says when somebody is at it. */
function gate() {
  let open: () => void = () => undefined;
  let arrive: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  const pass = () => {
    arrive();
    return opened;
  };
  return { open: () => open(), reached, pass };
}

it('brings all that waits to the log in order, in appends of a bounded size (G9)', async () => {
  const events = Array.from({ length: 40 }, (_, n) => large(n, QUARTER_MB - 2_000));
  await commit(0, events);
  await shipperTo().ship(SESSION);
  expect(appends.flatMap(idsOf)).toEqual(idsOf(events));
  for (const append of appends) {
    expect(append.reduce((sum, { json }) => sum + json.length, 0)).toBeLessThanOrEqual(4 * 1_048_576);
  }
  expect(appends.length).toBeLessThan(5);
  expect(await waiting()).toBe(0);
});

it('is away when the log cannot be reached, not when it refuses an append', async () => {
  await commit(0, [eventOf(1)]);
  const refusing = shipperTo(() => Promise.reject(new SluiceError('overloaded', 'no')));
  await expect(refusing.ship(SESSION)).rejects.toMatchObject({ code: 'overloaded' });
  expect(() => refusing.requireLog()).not.toThrow();
  const away = shipperTo(() => Promise.reject(new SluiceError('log_unavailable', 'no')));
  await expect(away.ship(SESSION)).rejects.toMatchObject({ code: 'log_unavailable' });
  expect(() => away.requireLog()).toThrow(expect.objectContaining({ code: 'log_unavailable' }));
});

it('sweeps other sessions when the log refuses one, says so, and commands are taken', async () => {
  for (const id of ['sesn_a', 'sesn_bad', 'sesn_c']) {
    await commit(0, [eventOf(1, id)], id);
    nowMs += 1;
  }
  nowMs += 10_000;
  const shipper = shipperTo((events) =>
    events.some(({ event }) => event.entityId === 'sesn_bad')
      ? Promise.reject(new SluiceError('overloaded', 'too large'))
      : Promise.resolve(),
  );
  await expect(shipper.sweep(signal)).rejects.toMatchObject({ code: 'overloaded' });
  expect([await waiting('sesn_a'), await waiting('sesn_bad'), await waiting('sesn_c')]).toEqual([0, 1, 0]);
  expect(() => shipper.requireLog()).not.toThrow();
});

it('goes no further in a sweep when the log is away', async () => {
  for (let n = 0; n < 50; n++) await commit(0, [eventOf(n, `sesn_${n}`)], `sesn_${n}`);
  nowMs += 10_000;
  let calls = 0;
  const shipper = shipperTo(() => {
    calls++;
    return Promise.reject(new SluiceError('log_unavailable', 'away'));
  });
  await expect(shipper.sweep(signal)).rejects.toMatchObject({ code: 'log_unavailable' });
  expect(calls).toBeLessThan(20);
});

it('lets a caller go when what was committed before it is in the log, whatever comes meanwhile', async () => {
  const gates = [gate(), gate()];
  const shipper = shipperTo(() => gates.shift()?.pass() ?? Promise.resolve());
  const [one, other] = gates as [ReturnType<typeof gate>, ReturnType<typeof gate>];
  await commit(0, [eventOf(1)]);
  const first = shipper.ship(SESSION);
  await one.reached;
  await commit(1, [eventOf(2)]);
  const second = shipper.ship(SESSION);
  one.open();
  await other.reached;
  // The second append is held: the first caller does not wait for it.
  await first;
  expect(appends.map(idsOf)).toEqual([idsOf([eventOf(1)])]);
  other.open();
  await second;
  expect(appends.map(idsOf)).toEqual([idsOf([eventOf(1)]), idsOf([eventOf(2)])]);
});

it('tells those who came while an append failed that it failed, and ships when it is asked again', async () => {
  const held = gate();
  let isAway = true;
  const shipper = shipperTo(async () => {
    await held.pass();
    if (isAway) throw new SluiceError('log_unavailable', 'away');
  });
  await commit(0, [eventOf(1)]);
  const first = shipper.ship(SESSION);
  await held.reached;
  const second = shipper.ship(SESSION);
  const outcomes = Promise.allSettled([first, second]);
  held.open();
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  isAway = false;
  await shipper.ship(SESSION);
  expect(await waiting()).toBe(0);
});
