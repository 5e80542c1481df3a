import { SseFollower } from '../e2e/followers';
import { SocketFollower } from '../e2e/socket-followers';
import { LineFollower, RespFollower } from '../e2e/tcp-followers';
import type { FaultBench, FaultClass } from '../tools/faults/fault-class';
import { storeFiller } from '../tools/faults/filler';
import { SlowSubscriber } from '../tools/faults/slow-subscriber';

/** More than fits into a subscriber's queue and the buffers of its connection. */
const FILLER_EVENTS = 160;
const FILLER_BYTES = 200_000;

/**
 * Subscribers that stop reading while much is stored are sent away with a code (G5, G9), the others are not held up, and
 * who was slow gets everything once it comes back with its cursor.
 */
async function run({ system, trial, rounds }: FaultBench): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    const slow = [
      new SlowSubscriber(system, 'GET /v1/stream', (options) => new SseFollower(options)),
      new SlowSubscriber(system, '/v1/socket', (options) => new SocketFollower(options)),
      new SlowSubscriber(system, 'TCP lines', (options) => new LineFollower(options, 'filler')),
      new SlowSubscriber(system, 'RESP', (options) => new RespFollower(options, 'filler')),
    ];
    const witness = new SlowSubscriber(system, 'one that reads', (options) => new SseFollower(options));
    await trial.round(`slow ${round}`, async () => {
      for (const subscriber of slow) await subscriber.stopReading();
      await storeFiller(system, { events: FILLER_EVENTS, bytes: FILLER_BYTES, round });
      // What is stored may not be sent yet: they stay slow until one who reads has all of it.
      const behind = await witness.untilHas(FILLER_EVENTS * round);
      if (behind !== undefined) trial.report(`slow ${round}: ${behind}`);
      witness.close();
      for (const subscriber of slow) subscriber.readOn();
      return async () => {
        for (const subscriber of slow) {
          const fault = await subscriber.untilHas(FILLER_EVENTS * round);
          if (fault !== undefined) trial.report(`slow ${round}: ${fault}`);
          subscriber.close();
        }
        return slow.map(({ door, wasSentAway }) => ({ what: `${door} sent away`, count: wasSentAway ? 1 : 0 }));
      };
    });
  }
}

export const slowConsumers: FaultClass = {
  name: 'slow-consumers',
  what: 'subscribers of four doors stop reading during a burst of 32 MB, and come back',
  cluster: { rounds: 3, run },
  embedded: { rounds: 3, run },
};
