import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@sluice/event-log/conformance';
import { SseFollower, type Follower } from '../e2e/followers';
import { SocketFollower } from '../e2e/socket-followers';
import { LineFollower } from '../e2e/tcp-followers';
import type { FaultBench, FaultClass } from '../tools/faults/fault-class';

const FOLLOWERS_OF_A_DOOR = 100;
const WAVES = 3;
const BETWEEN_WAVES_MS = 1_000;
const OPEN_TIMEOUT_MS = 60_000;

const openOf = (crowd: readonly Follower[]): number => crowd.filter(({ isOpen }) => isOpen).length;

function untilAllOpen(crowd: readonly Follower[]): Promise<void> {
  const isWhole = () => openOf(crowd) === crowd.length;
  // Who is not there is counted.
  return until(isWhole, 'the whole crowd is open', OPEN_TIMEOUT_MS).catch(() => undefined);
}

/** Three hundred subscribers lose their connection at once, come back at once, and do so again while they come back. */
async function run({ system, trial, rounds }: FaultBench): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    await trial.round(`storm ${round}`, async () => {
      const options = { target: () => system.dev(), onEvent: () => undefined, from: 'earliest' as const };
      const make = (door: number): Follower => {
        if (door === 0) return new SseFollower(options);
        return door === 1 ? new SocketFollower(options) : new LineFollower(options, trial.entities.oneSandbox);
      };
      const crowd = Array.from({ length: 3 * FOLLOWERS_OF_A_DOOR }, (_, n) => make(n % 3));
      for (const follower of crowd) follower.start();
      await untilAllOpen(crowd);
      const cut = openOf(crowd);
      for (let wave = 0; wave < WAVES; wave++) {
        for (const follower of [...crowd, ...trial.readers]) follower.cut();
        await pause(BETWEEN_WAVES_MS);
      }
      await untilAllOpen(crowd);
      const back = openOf(crowd);
      for (const follower of crowd) follower.close();
      return [
        { what: 'open when they were cut', count: cut, atLeast: crowd.length },
        { what: 'back again', count: back, atLeast: crowd.length },
      ];
    });
  }
}

export const reconnectStorm: FaultClass = {
  name: 'reconnect-storm',
  what: '300 more subscribers, and all readers, are cut and come back at once, three times in a row',
  cluster: { rounds: 3, run },
  embedded: { rounds: 3, run },
};
