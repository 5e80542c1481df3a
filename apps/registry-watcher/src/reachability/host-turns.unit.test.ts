import { HostTurns, type HostTurn, type HostTurnOutcome } from './host-turns';

const NEVER = new AbortController().signal;

function asTurn(outcome: HostTurnOutcome | undefined): HostTurn {
  if (outcome === undefined || typeof outcome === 'string') throw new Error(`no turn: ${outcome}`);
  return outcome;
}

describe('HostTurns', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  /** Asks for turns and notes what comes of them, in order. */
  function world(options: ConstructorParameters<typeof HostTurns>[0] = {}) {
    const turns = new HostTurns({ minIntervalMs: 100, ...options });
    const given: string[] = [];
    const held = new Map<string, HostTurn>();
    const ask = (who: string, host = 'a', signal = NEVER) =>
      turns.take(host, signal).then((outcome) => {
        given.push(typeof outcome === 'string' ? `${who} ${outcome}` : who);
        if (typeof outcome !== 'string') held.set(who, outcome);
      });
    return { turns, given, ask, end: (who: string, holdOffMs?: number) => asTurn(held.get(who)).end(holdOffMs) };
  }
  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  it('gives one turn at a time, in the order of asking, with a pause between', async () => {
    const { given, ask, end } = world();
    void ask('1');
    void ask('2');
    void ask('3');
    await pass(1_000);
    expect(given).toEqual(['1']);
    end('1');
    await pass(99);
    expect(given).toEqual(['1']);
    await pass(1);
    expect(given).toEqual(['1', '2']);
    await pass(1_000);
    expect(given).toEqual(['1', '2']);
    end('2');
    end('2');
    await pass(100);
    expect(given).toEqual(['1', '2', '3']);
  });

  it('pauses also when nobody waited', async () => {
    const { given, ask, end } = world();
    await ask('1');
    end('1');
    void ask('2');
    await pass(99);
    expect(given).toEqual(['1']);
    await pass(1);
    expect(given).toEqual(['1', '2']);
    end('2');
    await pass(100);
    await ask('3');
    expect(given).toEqual(['1', '2', '3']);
  });

  it('keeps hosts apart', async () => {
    const { given, ask } = world();
    await Promise.all([ask('1', 'a'), ask('2', 'b:1'), ask('3', 'b:2')]);
    expect(given).toEqual(['1', '2', '3']);
  });

  it('sends those who wait away when the host wants to be left alone, and those who come meanwhile', async () => {
    const { given, ask, end } = world({ maxHoldOffMs: 5_000 });
    await ask('1');
    void ask('2');
    end('1', 1_000_000);
    await pass(0);
    await ask('3');
    await pass(4_999);
    await ask('4');
    expect(given).toEqual(['1', '2 held_off', '3 held_off', '4 held_off']);
    await pass(1);
    await ask('5');
    expect(given[4]).toBe('5');
  });

  it('forgets who gave up, and goes on with the next', async () => {
    const { turns, given, ask, end } = world();
    const abort = new AbortController();
    await ask('1');
    void ask('2', 'a', abort.signal);
    void ask('3');
    abort.abort();
    await pass(0);
    expect(turns.waiting).toBe(1);
    end('1');
    await pass(100);
    expect(given).toEqual(['1', '2 aborted', '3']);
    await ask('4', 'a', abort.signal);
    expect(given[3]).toBe('4 aborted');
  });

  it('gives the next turn also when the only one who waited out the pause gave up', async () => {
    const { given, ask, end } = world();
    const abort = new AbortController();
    await ask('1');
    end('1');
    void ask('2', 'a', abort.signal);
    await pass(50);
    abort.abort();
    void ask('3');
    void ask('4');
    await pass(500);
    expect(given).toEqual(['1', '2 aborted', '3']);
  });

  it('is not busy for who had a turn there just now', async () => {
    const { turns, given, ask, end } = world({ maxWaitingPerHost: 1 });
    await ask('1');
    void ask('2');
    end('1');
    void turns.take('a', NEVER, true).then(() => given.push('1 again'));
    await ask('3');
    await pass(100);
    end('2');
    await pass(100);
    expect(given).toEqual(['1', '3 busy', '2', '1 again']);
  });

  it('is busy beyond its bounds, and forgets hosts that rest (G9)', async () => {
    const { turns, given, ask, end } = world({ maxWaitingPerHost: 1, maxHosts: 2 });
    await ask('1', 'a');
    void ask('2', 'a');
    await ask('3', 'a');
    await ask('4', 'b');
    await ask('5', 'c');
    expect(given).toEqual(['1', '3 busy', '4', '5 busy']);
    end('4');
    await pass(100);
    await ask('6', 'c');
    expect(given[4]).toBe('6');
    expect(turns.size).toBe(2);
  });

  it('forgets the hold-off that ends first, and no pause, rather than turn new hosts away (G9)', async () => {
    let forgotten = 0;
    const { turns, given, ask, end } = world({ maxHosts: 3, onHostForgotten: () => forgotten++ });
    await Promise.all([ask('1', 'a'), ask('2', 'b'), ask('3', 'c')]);
    end('1', 20_000);
    end('2', 10_000);
    end('3');
    await pass(99);
    await ask('4', 'd');
    await pass(1);
    await Promise.all([ask('5', 'd'), ask('6', 'e')]);
    await ask('7', 'a');
    await ask('8', 'b');
    expect(forgotten).toBe(2);
    await ask('9', 'f');
    expect(given).toEqual(['1', '2', '3', '4 busy', '5', '6', '7 held_off', '8', '9 busy']);
    expect([turns.size, forgotten]).toEqual([3, 2]);
  });

  it('is at the disposal of new hosts while each of those it knows wants to be left alone (G9)', async () => {
    const { turns, given, ask, end } = world({ maxHosts: 50, minIntervalMs: 0 });
    for (let host = 0; host < 500; host++) {
      await ask(`${host}`, `host-${host}`);
      end(`${host}`, 1_000 + host);
      expect(turns.size).toBeLessThanOrEqual(50);
    }
    expect(given).toHaveLength(500);
    expect(given.filter((outcome) => outcome.includes(' '))).toEqual([]);
  });
});
