import { logEntityKey, SluiceError, type LogEntity } from '@sluice/event-log';
import { thisMoment } from './key-age';
import type { SealingKey } from './key-registry';
import { DEFAULT_SEALED_LIMITS } from './options';
import { REFRESH_RETRY_MS, SealingKeys } from './sealing-keys';

const ENTITIES: readonly LogEntity[] = ['a', 'b'].map((entityId) => ({ workspaceId: 1, family: 'sandbox', entityId }));
const KEY_MAX_AGE_MS = 60_000;
/** Old enough to be asked for again, and young enough to be used. */
const REFRESH_MS = 40_000;

describe('SealingKeys', () => {
  let isAway: boolean;
  let lookUps: number;
  let faults: unknown[];
  let keys: SealingKeys;
  beforeEach(() => {
    jest.useFakeTimers();
    [isAway, lookUps, faults] = [false, 0, []];
    keys = open(KEY_MAX_AGE_MS);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const open = (keyMaxAgeMs: number) => {
    const sealingKeys = async (entities: readonly LogEntity[]) => {
      lookUps++;
      if (isAway) throw new SluiceError('read_model_unavailable', 'away');
      return new Map(entities.map((entity): [string, SealingKey] => [logEntityKey(entity), keyOf(entity)]));
    };
    return new SealingKeys(
      { sealingKeys },
      {
        sealing: true,
        limits: { ...DEFAULT_SEALED_LIMITS, keyMaxAgeMs },
        onFault: (error) => faults.push(error),
        onMetric: () => undefined,
      },
    );
  };

  /** As appends do: each entity, all the time. */
  const use = async (durationMs: number, stepMs = 10) => {
    for (let ms = 0; ms < durationMs; ms += stepMs) {
      for (const entity of ENTITIES) keys.get(entity);
      await jest.advanceTimersByTimeAsync(stepMs);
    }
  };

  it('asks again before a key is too old, once', async () => {
    await keys.load(ENTITIES);
    await use(REFRESH_MS);
    expect(lookUps).toBe(2);
    expect(faults).toEqual([]);
  });

  it('pauses between look-ups that fail, goes on by what it has, and tells of an outage once (G9)', async () => {
    await keys.load(ENTITIES);
    isAway = true;
    await jest.advanceTimersByTimeAsync(REFRESH_MS);
    lookUps = 0;
    await use(REFRESH_RETRY_MS.first);
    expect(lookUps).toBe(1);
    await use(9 * REFRESH_RETRY_MS.first);
    expect(ENTITIES.every((entity) => keys.get(entity))).toBe(true);
    // At once, and after 1, 3 and 7 times the first pause.
    expect(lookUps).toBe(4);
    expect(faults).toHaveLength(1);
    isAway = false;
    lookUps = 0;
    await use(REFRESH_RETRY_MS.maximum / 2);
    // One to see that it is back, and the others with the next.
    expect(lookUps).toBe(2);
    isAway = true;
    await use(REFRESH_MS);
    expect(faults).toHaveLength(2);
  });

  it('asks again within the longest pause, however long it fails', async () => {
    keys = open(10 * KEY_MAX_AGE_MS);
    await keys.load(ENTITIES);
    isAway = true;
    await jest.advanceTimersByTimeAsync(5 * KEY_MAX_AGE_MS + 1);
    lookUps = 0;
    const { first, maximum } = REFRESH_RETRY_MS;
    await use(2 * maximum, first / 2);
    const before = lookUps;
    await use(4 * maximum, first / 2);
    expect(lookUps - before).toBe(4);
  });

  it('asks for a key that it does not have in any case', async () => {
    isAway = true;
    for (let n = 0; n < 3; n++) await expect(keys.load(ENTITIES)).rejects.toMatchObject({ message: 'away' });
    isAway = false;
    expect((await keys.load(ENTITIES)).size).toBe(2);
    expect(faults).toHaveLength(1);
  });
});

function keyOf(entity: LogEntity): SealingKey {
  return { keyId: crypto.randomUUID(), entity, generation: 0, key: new Uint8Array(32), askedAt: thisMoment() };
}
