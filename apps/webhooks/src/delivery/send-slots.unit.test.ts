import { setMaxListeners } from 'node:events';
import { SendSlots, type SlotRequest } from './send-slots';

const LIMITS = { total: 4, perWorkspace: 2, perHost: 3, retries: 2 };
const never = new AbortController().signal;
const wanted = (workspaceId: number, change: Partial<SlotRequest> = {}): SlotRequest => ({
  workspaceId,
  host: `host ${workspaceId}`,
  isRetry: false,
  ...change,
});

/** Requests in the order in which they were granted. */
class Asked {
  readonly granted: string[] = [];
  private readonly held = new Map<string, () => void>();
  constructor(private readonly slots: SendSlots) {}

  async ask(name: string, request: SlotRequest, signal = never): Promise<void> {
    const asked = this.slots.take(request, signal).then((giveBack) => {
      this.granted.push(name);
      this.held.set(name, giveBack);
    });
    asked.catch(() => undefined);
    await settled();
  }

  async giveBack(name: string): Promise<void> {
    this.held.get(name)?.();
    this.held.get(name)?.();
    await settled();
  }
}

/** Lets what is granted already be noticed. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await Promise.resolve();
}

describe('SendSlots', () => {
  it('bounds all, a workspace, a host and what failed before (G9)', async () => {
    const slots = new SendSlots(LIMITS);
    const asked = new Asked(slots);
    for (const name of ['a', 'b', 'c']) await asked.ask(name, wanted(1));
    expect(asked.granted).toEqual(['a', 'b']);
    await asked.ask('d', wanted(2, { isRetry: true }));
    await asked.ask('e', wanted(3, { isRetry: true }));
    expect(slots.counts).toEqual({ running: 4, waiting: 1 });
    await asked.giveBack('b');
    expect(asked.granted).toEqual(['a', 'b', 'd', 'e', 'c']);
    await asked.ask('f', wanted(4, { isRetry: true }));
    await asked.giveBack('c');
    expect(asked.granted).not.toContain('f');
    await asked.giveBack('d');
    expect(asked.granted.at(-1)).toBe('f');
    for (const name of ['a', 'e', 'f']) await asked.giveBack(name);
    expect(slots.counts).toEqual({ running: 0, waiting: 0 });

    for (const [n, name] of ['g', 'h', 'i', 'j'].entries()) await asked.ask(name, wanted(n, { host: 'same' }));
    expect(slots.counts).toEqual({ running: 3, waiting: 1 });
  });

  it('lets workspaces take turns, however many of one wait', async () => {
    const asked = new Asked(new SendSlots({ total: 1, perWorkspace: 1, perHost: 1, retries: 1 }));
    await asked.ask('first', wanted(1));
    for (const name of ['1a', '1b', '1c']) await asked.ask(name, wanted(1));
    for (const name of ['2a', '2b']) await asked.ask(name, wanted(2));
    for (const name of ['first', '1a', '2a', '1b', '2b']) await asked.giveBack(name);
    expect(asked.granted).toEqual(['first', '1a', '2a', '1b', '2b', '1c']);
  });

  it('forgets who waits no more', async () => {
    const slots = new SendSlots({ total: 1, perWorkspace: 1, perHost: 1, retries: 1 });
    const asked = new Asked(slots);
    await asked.ask('first', wanted(1));
    const leaving = new AbortController();
    setMaxListeners(0, leaving.signal);
    await asked.ask('gone', wanted(1), leaving.signal);
    leaving.abort(new Error('no more'));
    await expect(slots.take(wanted(1), leaving.signal)).rejects.toThrow('no more');
    expect(slots.counts).toEqual({ running: 1, waiting: 0 });
    await asked.giveBack('first');
    expect(asked.granted).toEqual(['first']);
  });

  it('grants all who are free now, not only one of them', async () => {
    const slots = new SendSlots({ total: 9, perWorkspace: 1, perHost: 1, retries: 9 });
    const asked = new Asked(slots);
    await asked.ask('first', wanted(1, { host: 'a' }));
    await asked.ask('same workspace', wanted(1, { host: 'b' }));
    await asked.ask('same host', wanted(2, { host: 'a' }));
    await asked.giveBack('first');
    expect(asked.granted).toEqual(['first', 'same workspace', 'same host']);
  });

  it('lets only so many wait, and forgets all of them when they leave at once (G9)', async () => {
    const slots = new SendSlots({ total: 1, perWorkspace: 1, perHost: 1, retries: 1, waiting: 3_000 });
    const giveBack = await slots.take(wanted(1), never);
    const leaving = new AbortController();
    setMaxListeners(0, leaving.signal);
    const waiting = Array.from({ length: 3_000 }, () => slots.take(wanted(1), leaving.signal));
    await expect(slots.take(wanted(1), never)).rejects.toMatchObject({ code: 'overloaded' });
    expect(slots.counts).toEqual({ running: 1, waiting: 3_000 });
    leaving.abort(new Error('left'));
    await Promise.allSettled(waiting);
    expect(slots.counts).toEqual({ running: 1, waiting: 0 });
    giveBack();
  });
});
