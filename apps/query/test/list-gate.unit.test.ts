import { ListGate, type ListGateOptions, type ListRefusal } from '../src/http/agents/list-gate';

/** A list that ends when it is told to. */
interface HeldList {
  readonly outcome: Promise<string>;
  end(): void;
}

describe('ListGate', () => {
  const refused: ListRefusal[] = [];
  const begun: string[] = [];
  const held: HeldList[] = [];

  afterEach(async () => {
    for (const { end } of held) end();
    await Promise.allSettled(held.splice(0).map(({ outcome }) => outcome));
  });

  const gateOf = (options: Partial<ListGateOptions> = {}) => {
    refused.length = 0;
    begun.length = 0;
    const limits = { atOnce: 3, atOncePerCaller: 2, waiting: 4, waitingPerCaller: 2, maxWaitMs: 60_000 };
    return new ListGate({ ...limits, onRefused: (reason) => refused.push(reason), ...options });
  };
  const hold = (gate: ListGate, caller: string, name = caller): HeldList => {
    let end = (): void => undefined;
    const ended = new Promise<string>((resolve) => (end = () => resolve(name)));
    const outcome = gate.run(caller, () => {
      begun.push(name);
      return ended;
    });
    const list = { outcome, end };
    held.push(list);
    return list;
  };

  it('lets in so many at once, and of one caller only some (G9)', () => {
    const gate = gateOf();
    for (const name of ['a1', 'a2', 'a3', 'b1', 'b2']) hold(gate, name.charAt(0), name);
    expect(begun).toEqual(['a1', 'a2', 'b1']);
    expect([gate.runningLists, gate.waitingLists]).toEqual([3, 2]);
  });

  it('gives turns in line, and passes over a caller who has enough under way', async () => {
    const gate = gateOf();
    const [a1, a2, , b1] = ['a1', 'a2', 'a3', 'b1', 'b2'].map((name) => hold(gate, name.charAt(0), name));
    b1?.end();
    expect(await b1?.outcome).toBe('b1');
    expect(begun).toEqual(['a1', 'a2', 'b1', 'b2']);
    a1?.end();
    await a1?.outcome;
    expect(begun).toEqual(['a1', 'a2', 'b1', 'b2', 'a3']);
    a2?.end();
    await a2?.outcome;
    expect([gate.runningLists, gate.waitingLists]).toEqual([2, 0]);
  });

  it('refuses a caller with too many in line, and everybody when the line is full (G9)', async () => {
    const gate = gateOf();
    for (const caller of ['a', 'a', 'a', 'a', 'b']) hold(gate, caller);
    await expect(hold(gate, 'a').outcome).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 1_000 });
    for (const caller of ['b', 'c']) hold(gate, caller);
    await expect(hold(gate, 'd').outcome).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 1_000 });
    expect(refused).toEqual(['caller', 'line']);
    expect(gate.waitingLists).toBe(4);
  });

  it('refuses whose turn does not come in time, and never begins their list (G9)', async () => {
    const gate = gateOf({ maxWaitMs: 1 });
    const lists = ['a', 'a', 'a'].map((caller) => hold(gate, caller));
    await expect(lists[2]?.outcome).rejects.toMatchObject({ code: 'overloaded' });
    for (const { end } of lists) end();
    await Promise.all(lists.slice(0, 2).map(({ outcome }) => outcome));
    expect([begun.length, gate.runningLists, gate.waitingLists, refused]).toEqual([2, 0, 0, ['wait']]);
  });

  it('gives the place of a list that fails to the next', async () => {
    const gate = gateOf({ atOnce: 1 });
    const failed = gate.run('a', () => Promise.reject(new Error('away')));
    const next = hold(gate, 'b');
    await expect(failed).rejects.toThrow('away');
    next.end();
    expect(await next.outcome).toBe('b');
    expect(gate.runningLists).toBe(0);
  });
});
