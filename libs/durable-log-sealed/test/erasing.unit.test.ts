import { MemoryEntityKeys, SluiceError, type LogEntry } from '@sluice/event-log';
import { readTexts, until } from '@sluice/event-log/conformance';
import type { SealedDurableLog } from '../src';
import { batches, ENTITY, event, LIMITS, SealedWorld, shared } from './sealed-harness';

let world: SealedWorld;
beforeEach(() => {
  world = new SealedWorld();
});
afterEach(() => world.destroy());

describe('an erasure', () => {
  /** Ends where one step of finishing fails, as a process that is killed there does. */
  const steps = [
    'the first of what is kept',
    'the second of what is kept',
    'telling the journal',
    'destroying the key',
  ];

  it.each(steps.map((step, n) => [step, n] as const))(
    'that ended before %s is finished by another one',
    async (_, n) => {
      const log = world.open();
      const [first, second, gone] = [event(0), event(1), event(2)];
      await log.append([first, second, gone]);
      const { mark } = await log.erasure.begin(ENTITY);
      await until(() => log.erasure.isReady(ENTITY, mark));
      let left = n;
      const step = async () => {
        if (left-- === 0) throw new SluiceError('log_unavailable', 'killed');
      };
      const failing = (target: { appendEntries(entries: readonly LogEntry[]): Promise<void> }) => ({
        appendEntries: async (entries: readonly LogEntry[]) => {
          await step();
          await target.appendEntries(entries);
        },
      });
      // The newest generation is stored by now, so that finishing has these steps and no others.
      await world.open().append([event(3)]);
      const { keys } = world;
      const destroy = keys.destroy.bind(keys);
      const spy = jest.spyOn(keys, 'destroy').mockImplementation(async (ids) => {
        await step();
        await destroy(ids);
      });
      const killed: SealedDurableLog = world.open({
        log: { ...shared(world.log), ...failing(world.log) },
        journal: { ...shared(world.journal), ...failing(world.journal) },
      });
      const kept = () => batches([first], [second]);
      await expect(killed.erasure.finish(ENTITY, mark, kept())).rejects.toMatchObject({ message: 'killed' });
      spy.mockRestore();
      // Nothing that is to be kept is lost at any moment.
      const between = new Set(await readTexts(world.open()));
      expect([first, second].every(({ json }) => between.has(json))).toBe(true);
      await world.open().erasure.finish(ENTITY, mark, kept());
      const texts = new Set(await readTexts(world.reader()));
      expect([first, second, gone].map(({ json }) => texts.has(json))).toEqual([true, true, false]);
    },
  );

  it('is refused before it is ready, and where another one began meanwhile', async () => {
    const log = world.open({ limits: LIMITS });
    await log.append([event(0)]);
    const { mark, readyAt } = await log.erasure.begin(ENTITY);
    expect(readyAt).toBeGreaterThan(Date.now());
    expect(await log.erasure.isReady(ENTITY, mark)).toBe(false);
    await expect(log.erasure.finish(ENTITY, mark, batches())).rejects.toMatchObject({ code: 'conflict' });
    expect(await readTexts(world.reader())).toHaveLength(1);
  });

  it('does not go on by a key that a later one will destroy', async () => {
    const log = world.open();
    await log.append([event(0)]);
    const { mark } = await log.erasure.begin(ENTITY);
    await until(() => log.erasure.isReady(ENTITY, mark));
    async function* kept() {
      yield [event(1)];
      await log.erasure.begin(ENTITY);
      yield [event(2)];
    }
    await expect(log.erasure.finish(ENTITY, mark, kept())).rejects.toMatchObject({ code: 'conflict' });
  });

  it('destroys no key once it is abandoned, also while the journal is read', async () => {
    const log = world.open();
    await log.append([event(0)]);
    const { mark } = await log.erasure.begin(ENTITY);
    await until(() => log.erasure.isReady(ENTITY, mark));
    let isAbandoned = false;
    const find = world.keys.before.bind(world.keys);
    const reading = jest.spyOn(world.keys, 'before').mockImplementation(async (...asked) => {
      isAbandoned = true;
      return find(...asked);
    });
    const confirm = async () => {
      if (isAbandoned) throw new SluiceError('conflict', 'abandoned');
    };
    const finished = log.erasure.finish(ENTITY, mark, batches(), confirm);
    await expect(finished).rejects.toMatchObject({ message: 'abandoned' });
    reading.mockRestore();
    expect(await readTexts(world.reader())).toHaveLength(1);
  });

  it('waits as long as the longest that any process ever was allowed', async () => {
    const patient = world.open({ limits: LIMITS });
    await patient.append([event(0)]);
    const hasty = world.open({ limits: { ...LIMITS, keyMaxAgeMs: 1 } });
    const { mark } = await hasty.erasure.begin(ENTITY);
    const longEnough = async () => ((await world.keys.generationAgeMs(ENTITY, 1)) ?? 0) > 20;
    await until(longEnough, 'its own age has passed many times');
    expect(await hasty.erasure.isReady(ENTITY, mark)).toBe(false);
    expect(await hasty.erasure.readersForgetMs()).toBe(LIMITS.keyMaxAgeMs);
  });

  it('waits by two clocks, so that one that is set does not end it', async () => {
    const log = world.open({ limits: LIMITS });
    await log.append([event(0)]);
    const { mark } = await log.erasure.begin(ENTITY);
    const DAY_MS = 86_400_000;
    const [generation] = mark.split('-');
    expect(await log.erasure.isReady(ENTITY, `${generation}-${Date.now() - DAY_MS}`)).toBe(false);
    const clock = jest.spyOn(world.keys, 'generationAgeMs').mockResolvedValue(DAY_MS);
    expect(await log.erasure.isReady(ENTITY, mark)).toBe(false);
    await expect(log.erasure.finish(ENTITY, mark, batches())).rejects.toMatchObject({ code: 'conflict' });
    expect(await log.erasure.isReady(ENTITY, `${generation}-${Date.now() - DAY_MS}`)).toBe(true);
    clock.mockRestore();
  });

  it('is to be begun anew where the clock was set back since', async () => {
    const log = world.open();
    await log.append([event(0)]);
    const [generation] = (await log.erasure.begin(ENTITY)).mark.split('-');
    const later = `${generation}-${Date.now() + 86_400_000}`;
    await expect(log.erasure.isReady(ENTITY, later)).rejects.toMatchObject({ code: 'conflict' });
    // What clocks of several machines differ by is waited for.
    expect(await log.erasure.isReady(ENTITY, `${generation}-${Date.now() + 200}`)).toBe(false);
    for (const never of [`${generation}`, `7-${Date.now()}`]) {
      await expect(log.erasure.isReady(ENTITY, never)).rejects.toMatchObject({ code: 'conflict' });
    }
  });

  it('numbers its generation after those that only the journal knows', async () => {
    const log = world.open();
    await log.append([event(0)]);
    await log.erasure.begin(ENTITY);
    await world.open().append([event(1)]);
    // PostgreSQL is put back to before that.
    world.keys = new MemoryEntityKeys();
    const later = world.open();
    expect((await later.erasure.begin(ENTITY)).mark).toMatch(/^2-/);
  });

  it('is refused for public data, and where sealing is off', async () => {
    const log = world.reader();
    await expect(log.erasure.begin({ ...ENTITY, family: 'registry' })).rejects.toMatchObject({ code: 'conflict' });
    const off = world.open({ sealing: false, limits: LIMITS });
    expect(off.erasure.refusal).toContain('SLUICE_LOG_SEALING');
    await expect(off.erasure.begin(ENTITY)).rejects.toMatchObject({ code: 'conflict' });
  });
});
