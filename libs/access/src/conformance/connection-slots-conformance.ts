import type { SluiceError } from '@sluice/event-log';
import type { ConnectionLease } from '../limits/connection-limiter';
import type { ConnectionSlots } from '../limits/connection-slots';

export interface ConnectionSlotsHarness {
  /** A replica; all of one test count together, every test counts anew. */
  open(): Promise<ConnectionSlots>;
  /** Lets go of everything that was opened. */
  destroy(): Promise<void>;
}

const TOO_MANY = expect.objectContaining({ code: 'too_many_connections', retryAfterMs: expect.any(Number) });

/** What every ConnectionSlots must do. Run it with a harness around each implementation. */
export function describeConnectionSlots(name: string, createHarness: () => Promise<ConnectionSlotsHarness>): void {
  describe(`ConnectionSlots: ${name}`, () => {
    let harness: ConnectionSlotsHarness;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(() => harness.destroy());

    const neverLost = (reason: SluiceError) => {
      throw reason;
    };

    /** Seeks a slot until a replica has one: what was given back is free soon, not at once. */
    async function untilFree(slots: ConnectionSlots, key: string, limit: number): Promise<ConnectionLease> {
      for (const end = performance.now() + 60_000; ;) {
        try {
          return await slots.acquire(key, limit, neverLost);
        } catch (error) {
          expect(error).toEqual(TOO_MANY);
          if (performance.now() > end) throw error;
        }
      }
    }

    it('gives as many slots as there are, over all replicas', async () => {
      const [one, other] = [await harness.open(), await harness.open()];
      await one.acquire('key/a', 3, neverLost);
      await other.acquire('key/a', 3, neverLost);
      const last = await one.acquire('key/a', 3, neverLost);
      for (const slots of [one, other]) await expect(slots.acquire('key/a', 3, neverLost)).rejects.toEqual(TOO_MANY);
      last.release();
      await untilFree(other, 'key/a', 3);
      await expect(one.acquire('key/a', 3, neverLost)).rejects.toEqual(TOO_MANY);
    });

    it('counts each key for itself, whatever characters it has', async () => {
      const slots = await harness.open();
      const keys = ['pool/key/a', 'pool/key/A', 'pool.key.a', 'pool/sandbox/1/*.>', 'ключ/\u{1f41a}', ' '];
      for (const key of keys) await slots.acquire(key, 1, neverLost);
      for (const key of keys) await expect(slots.acquire(key, 1, neverLost)).rejects.toEqual(TOO_MANY);
    });

    it('gives a slot back once, however often it is released', async () => {
      const slots = await harness.open();
      const first = await slots.acquire('k', 2, neverLost);
      await slots.acquire('k', 2, neverLost);
      first.release();
      first.release();
      await untilFree(slots, 'k', 2);
      first.release();
      await expect(slots.acquire('k', 2, neverLost)).rejects.toEqual(TOO_MANY);
    });

    it('goes by the limit that is named, also when it becomes smaller', async () => {
      const slots = await harness.open();
      await expect(slots.acquire('k', 0, neverLost)).rejects.toEqual(TOO_MANY);
      for (let n = 0; n < 5; n++) await slots.acquire('k', 5, neverLost);
      await expect(slots.acquire('k', 4, neverLost)).rejects.toEqual(TOO_MANY);
      await slots.acquire('k', 6, neverLost);
    });

    it('never gives more than the limit to many who come at once', async () => {
      const replicas = [await harness.open(), await harness.open(), await harness.open()];
      const LIMIT = 10;
      let held = 0;
      let most = 0;
      let given = 0;
      const visit = async (slots: ConnectionSlots) => {
        try {
          const lease = await slots.acquire('crowd', LIMIT, neverLost);
          given++;
          most = Math.max(most, ++held);
          await new Promise((resolve) => setImmediate(resolve));
          held--;
          lease.release();
        } catch (error) {
          expect(error).toEqual(TOO_MANY);
        }
      };
      await Promise.all(replicas.flatMap((slots) => Array.from({ length: 200 }, () => visit(slots))));
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(LIMIT);
      expect(given).toBeGreaterThanOrEqual(LIMIT);
    });

    it('gives nothing any more when it is closed, and closes twice', async () => {
      const slots = await harness.open();
      await slots.acquire('k', 2, neverLost);
      await slots.close();
      await slots.close();
      await expect(slots.acquire('k', 2, neverLost)).rejects.toMatchObject({ code: 'shutting_down' });
    });
  });
}
