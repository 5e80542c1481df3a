import { SseFollower } from '../e2e/followers';
import { SocketFollower } from '../e2e/socket-followers';
import { LineFollower } from '../e2e/tcp-followers';
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
    ];
    await trial.round(`slow ${round}`, async () => {
      for (const subscriber of slow) await subscriber.stopReading();
      await storeFiller(system, { events: FILLER_EVENTS, bytes: FILLER_BYTES, round });
      for (const subscriber of slow) subscriber.readOn();
      return async () => {
        for (const subscriber of slow) {
          const fault = await subscriber.untilHas(FILLER_EVENTS * round);
          if (fault !== undefined) trial.report(`slow ${round}: ${fault}`);
          subscriber.close();
        }
        const sentAway = slow.filter((subscriber) => subscriber.wasSentAway).length;
        return [{ what: 'subscribers sent away', count: sentAway, atLeast: slow.length }];
      };
    });
  }
}

export const slowConsumers: FaultClass = {
  name: 'slow-consumers',
  what: 'subscribers of three doors stop reading during a burst of 32 MB, and come back',
  cluster: { rounds: 3, run },
  embedded: { rounds: 3, run },
};
