import { decodeUtf8, MemoryEntityKeys, type LogEntity } from '@sluice/event-log';
import { readTexts, until } from '@sluice/event-log/conformance';
import { entityKey, type EncodedEnvelope } from '@sluice/event-schema';
import { batches, ENTITY, event, SealedWorld } from './sealed-harness';

let world: SealedWorld;
beforeEach(() => {
  world = new SealedWorld();
});
afterEach(() => world.destroy());

describe('reading', () => {
  it('reads what is not sealed, and hands on what does not open, as it is', async () => {
    const log = world.reader();
    const [plain, sealed] = [event(0), event(1)];
    await log.append([sealed]);
    const [record] = await world.stored();
    const changed = Buffer.from(record ?? []);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    const unknown = Buffer.from(record ?? []);
    unknown.fill(7, 1, 17);
    for (const value of [Buffer.from(plain.json), changed, unknown, Buffer.from([1]), Buffer.from('poison')]) {
      world.log.appendRaw(entityKey(sealed.event), value);
    }
    const values: Uint8Array[] = [];
    const follower = await world.reader().follow({
      group: 'test',
      maxBatchRecords: 10,
      loadCheckpoints: async () => new Map(),
      handle: async ({ records }) => void values.push(...records.map(({ value }) => value)),
    });
    await until(() => values.length >= 6, 'all are handed on');
    await follower.stop();
    expect(values.slice(0, 2).map((value) => decodeUtf8(value))).toEqual([sealed.json, plain.json]);
    expect(values.slice(2, 4).map((value) => Buffer.from(value).toString('hex'))).toEqual(
      [changed, unknown].map((value) => value.toString('hex')),
    );
    expect(world.count('unreadable_records')).toBe(2);
    expect((await log.erasure.begin(ENTITY)).caveat).toContain('not sealed');
  });

  it('finds every key again when the index is lost, and no destroyed one', async () => {
    const log = world.open();
    const kept: LogEntity = { ...ENTITY, entityId: 'kept' };
    await log.append([event(0), event(0, kept)]);
    const { mark } = await log.erasure.begin(ENTITY);
    await until(() => log.erasure.isReady(ENTITY, mark));
    await log.erasure.finish(ENTITY, mark, batches());
    await log.append([event(1)]);
    world.keys = new MemoryEntityKeys();
    const after = world.reader();
    await after.append([event(2), event(1, kept)]);
    const texts = (await readTexts(after)).map((text) => JSON.parse(text) as EncodedEnvelope['event']);
    expect(texts.map(({ entityId, data }) => `${entityId} ${String(data['n'])}`).sort()).toEqual([
      'kept 0',
      'kept 1',
      'sandbox-1 1',
      'sandbox-1 2',
    ]);
    expect(world.count('erased_records_skipped')).toBeGreaterThan(0);
  });

  it('destroys a key in an index that was put back to a time before', async () => {
    const log = world.open();
    await log.append([event(0)]);
    const backup = new MemoryEntityKeys();
    await backup.add(
      (await world.keys.current([ENTITY])).flatMap(({ key, ...rest }) => (key === undefined ? [] : [{ ...rest, key }])),
    );
    const { mark } = await log.erasure.begin(ENTITY);
    await until(() => log.erasure.isReady(ENTITY, mark));
    await log.erasure.finish(ENTITY, mark, batches());
    world.keys = backup;
    expect(await readTexts(world.reader())).toEqual([]);
  });

  it('tells the journal again of a key that was stored after it was destroyed', async () => {
    const log = world.open();
    await log.append([event(0)]);
    const [late] = await world.journalled();
    const { mark } = await log.erasure.begin(ENTITY);
    await until(() => log.erasure.isReady(ENTITY, mark));
    await log.erasure.finish(ENTITY, mark, batches());
    await world.journal.appendEntries([{ key: late?.keyId ?? '', value: Buffer.from(JSON.stringify(late)) }]);
    // Whoever follows the log keeps the index up to the journal.
    expect(await readTexts(log)).toEqual([]);
    await until(
      async () => (await world.journalled()).filter(({ keyId }) => keyId === late?.keyId).at(-1)?.key === undefined,
    );
  });
});
