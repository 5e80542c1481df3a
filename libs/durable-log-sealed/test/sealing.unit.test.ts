import { decodeUtf8, isSealed, SluiceError, type Lane } from '@sluice/event-log';
import { readTexts, until } from '@sluice/event-log/conformance';
import { encodeEnvelope, newEventId, type EncodedEnvelope } from '@sluice/event-schema';
import { ENTITY, event, LIMITS, range, SealedWorld, shared } from './sealed-harness';

let world: SealedWorld;
beforeEach(() => {
  world = new SealedWorld();
});
afterEach(() => world.destroy());

describe('sealing', () => {
  it('seals what is about sandboxes, sessions and workspaces, and leaves public chain data open', async () => {
    const log = world.reader();
    for (const family of ['sandbox', 'session', 'workspace', 'registry'] as const) {
      await log.append([encodeEnvelope({ ...event(0).event, id: newEventId(), family })]);
    }
    const texts = (await world.stored()).map((value) => (isSealed(value) ? 'sealed' : decodeUtf8(value)));
    expect(texts.filter((text) => text === 'sealed')).toHaveLength(3);
    expect(texts.find((text) => text !== 'sealed')).toContain('"family":"registry"');
    expect(await readTexts(world.reader())).toHaveLength(4);
    expect((await log.erasure.begin(ENTITY)).caveat).toBeUndefined();
  });

  it('makes one key for an entity, and asks for it once, whatever is appended', async () => {
    const log = world.reader();
    await Promise.all(range(50).map((n) => log.append([event(n)])));
    for (const n of range(50)) await log.append([event(n)]);
    expect(world.metrics).toMatchObject([{ name: 'keys_looked_up', keys: 1, made: 1 }]);
  });

  it('looks the keys of many entities up together, and keeps so many at most', async () => {
    const log = world.open({ limits: { ...LIMITS, maxLookUpKeys: 20, maxCachedKeys: 10 } });
    await log.append(range(50).map((n) => event(n, { ...ENTITY, entityId: `s-${n}` })));
    const lookUps = world.metrics.filter(({ name }) => name === 'keys_looked_up');
    expect(world.made).toBe(50);
    expect(lookUps.length).toBeGreaterThanOrEqual(3);
    await log.append([event(0, { ...ENTITY, entityId: 's-0' })]);
    expect(world.metrics.filter(({ name }) => name === 'keys_looked_up').length).toBe(lookUps.length + 1);
    expect(await readTexts(world.reader())).toHaveLength(51);
  });

  it('has a key in the journal before any record is sealed by it', async () => {
    const seen: number[] = [];
    const log = world.open({
      limits: LIMITS,
      log: {
        ...shared(world.log),
        appendEntries: async (entries) => {
          seen.push((await world.journal.ends()).get(0 as Lane) ?? 0);
          await world.log.appendEntries(entries);
        },
      },
    });
    await log.append([event(0)]);
    expect(seen).toEqual([1]);
  });

  it('stores nothing while the journal cannot take the key, and says so', async () => {
    let isAway = true;
    const log = world.open({
      limits: LIMITS,
      journal: {
        ...shared(world.journal),
        appendEntries: (entries) =>
          isAway ? Promise.reject(new SluiceError('log_unavailable', 'away')) : world.journal.appendEntries(entries),
      },
    });
    await expect(log.append([event(0)])).rejects.toMatchObject({ code: 'log_unavailable' });
    expect(await world.stored()).toEqual([]);
    isAway = false;
    // The key is in the index by now: whoever comes next stores it, before it is used.
    await world.reader().append([event(1)]);
    expect((await world.journal.ends()).get(0 as Lane)).toBe(1);
    await log.append([event(2)]);
    expect(await readTexts(world.reader())).toHaveLength(2);
    expect(world.made).toBe(1);
  });

  it('goes on with the keys at hand while the index is away, until they are too old', async () => {
    const away = () => Promise.reject(new SluiceError('read_model_unavailable', 'away'));
    const log = world.open({ limits: { ...LIMITS, keyMaxAgeMs: 400 } });
    await log.append([event(0)]);
    const { keys } = world;
    const current = jest.spyOn(keys, 'current').mockImplementation(away);
    await log.append([event(1)]);
    await expect(log.append([event(0, { ...ENTITY, entityId: 'new' })])).rejects.toMatchObject({
      code: 'read_model_unavailable',
      retryable: true,
    });
    await until(
      () =>
        log.append([event(2)]).then(
          () => false,
          () => true,
        ),
      'the key is too old',
    );
    await expect(log.append([event(3)])).rejects.toMatchObject({ code: 'read_model_unavailable' });
    current.mockRestore();
    await log.append([event(4)]);
  });

  it('acknowledges nothing that was stored by a key that is too old by then', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const log = world.open({
      limits: { ...LIMITS, keyMaxAgeMs: 50 },
      log: {
        ...shared(world.log),
        appendEntries: async (entries) => {
          await held;
          await world.log.appendEntries(entries);
        },
      },
    });
    const appending = log.append([event(0)]);
    appending.catch(() => undefined);
    const startedAt = performance.now();
    await until(() => performance.now() - startedAt > 200, 'time passes');
    release();
    await expect(appending).rejects.toMatchObject({ code: 'log_unavailable', retryable: true });
  });

  it('keeps the order of an entity while its key is looked up, and holds up no other one', async () => {
    const log = world.reader();
    await log.append([event(0, { ...ENTITY, entityId: 'known' })]);
    const order: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const add = world.keys.add.bind(world.keys);
    jest.spyOn(world.keys, 'add').mockImplementation(async (keys) => {
      await held;
      return add(keys);
    });
    const waiting = [0, 1, 2].map((n) => log.append([event(n)]).then(() => void order.push(`waiting ${n}`)));
    await log.append([event(1, { ...ENTITY, entityId: 'known' })]).then(() => void order.push('known'));
    release();
    await Promise.all(waiting);
    expect(order).toEqual(['known', 'waiting 0', 'waiting 1', 'waiting 2']);
    const numbers = (await readTexts(world.reader())).map((text) => JSON.parse(text) as EncodedEnvelope['event']);
    expect(numbers.filter(({ entityId }) => entityId === ENTITY.entityId).map(({ data }) => data['n'])).toEqual([
      0, 1, 2,
    ]);
  });

  it('refuses what is above its bound while keys are looked up', async () => {
    const log = world.open({ limits: { ...LIMITS, maxWaitingEvents: 10 } });
    const outcomes = await Promise.allSettled(range(15).map((n) => log.append([event(n)])));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(5);
    expect(refused[0]?.reason).toMatchObject({ code: 'overloaded' });
  });

  it('uses one key where two processes make it at the same moment', async () => {
    const logs = range(4).map(() => world.reader());
    await Promise.all(logs.map((log, n) => log.append([event(n)])));
    const keyIds = new Set((await world.stored()).map((value) => Buffer.from(value).toString('hex', 1, 17)));
    expect(keyIds.size).toBe(1);
    expect(await readTexts(world.reader())).toHaveLength(4);
  });
});

it('asks the index three times for what is new, and again only for what another process was first with', async () => {
  const [known, fresh, taken] = ['known', 'fresh', 'taken'].map((entityId) => ({ ...ENTITY, entityId }));
  if (!known || !fresh || !taken) throw new Error('there are three');
  await world.reader().append([event(0, known)]);
  const asked: string[] = [];
  const { keys } = world;
  for (const name of ['current', 'add', 'markStored'] as const) {
    const call = keys[name].bind(keys) as (...args: unknown[]) => Promise<never>;
    jest.spyOn(keys, name).mockImplementation((...args: unknown[]) => {
      asked.push(name);
      return call(...args);
    });
  }
  const log = world.reader();
  await log.append([event(1, fresh)]);
  expect(asked.splice(0)).toEqual(['current', 'add', 'markStored']);
  const { made } = world;
  const add = jest.mocked(keys.add).getMockImplementation();
  jest.mocked(keys.add).mockImplementationOnce(async (offered) => {
    await world.reader().append([event(0, taken)]);
    asked.length = 0;
    return add?.(offered) ?? [];
  });
  await log.append([event(1, known), event(1, taken), event(1, { ...ENTITY, entityId: 'other' })]);
  expect(asked).toEqual(['add', 'current', 'markStored']);
  expect(world.made - made).toBe(2);
  const keyIds = (await world.stored()).map((value) => Buffer.from(value).toString('hex', 1, 17));
  expect([keyIds.length, new Set(keyIds).size]).toEqual([6, 4]);
  expect(await readTexts(world.reader())).toHaveLength(6);
});

describe('without sealing', () => {
  it('stores texts, reads what was sealed, and leaves word that there is something unsealed', async () => {
    await world.reader().append([event(0)]);
    const off = world.open({ sealing: false, limits: LIMITS });
    const plain = event(1);
    await off.append([plain]);
    expect((await world.stored()).map((value) => isSealed(value)).sort()).toEqual([false, true]);
    expect(await readTexts(off)).toHaveLength(2);
    const { caveat } = await world.reader().erasure.begin(ENTITY);
    expect(caveat).toContain('not sealed');
  });
});

it('hands over what was appended before it closes, and closes the journal last', async () => {
  const calls: string[] = [];
  const log = world.open({
    limits: LIMITS,
    log: {
      ...shared(world.log),
      appendEntries: async (entries) => {
        await world.log.appendEntries(entries);
        calls.push('appended');
      },
      close: async () => void calls.push('log closed'),
    },
    journal: { ...shared(world.journal), close: async () => void calls.push('journal closed') },
  });
  const appending = log.append([event(0)]);
  const closing = log.close();
  await expect(log.append([event(1)])).rejects.toMatchObject({ code: 'log_unavailable' });
  await expect(log.check()).rejects.toMatchObject({ code: 'log_unavailable' });
  await Promise.all([appending, closing, log.close()]);
  expect(calls).toEqual(['appended', 'log closed', 'journal closed']);
});

it('tells of no fault where it is closed before it could do what it does by itself', async () => {
  const refused = new SluiceError('log_unavailable', 'The log is closed');
  let isClosed = false;
  const untilClosed = () => until(() => isClosed).then(() => Promise.reject(refused));
  const log = world.open({ journal: { ...shared(world.journal), ends: untilClosed, follow: untilClosed } });
  void log.follow({
    group: 'test',
    maxBatchRecords: 1,
    loadCheckpoints: async () => new Map(),
    handle: async () => undefined,
  });
  const closing = log.close();
  isClosed = true;
  await closing;
  expect(world.faults).toEqual([]);
});
