import { SluiceError } from './errors';
import type { CheckpointMoves, Lane, LaneCheckpoints } from './ports/durable-log';

/** How often a follower looks whether what is stored is still as far as it is, also while there is nothing to handle. */
export const CHECKPOINT_CHECK_MS = 5_000;

/**
 * What is stored is behind the follower: a failover lost it, or a backup was put back. Nothing of a batch that comes after what
 * was lost may be stored, or the records between would be left out for good.
 */
export class CheckpointLost extends SluiceError {
  constructor(lane: Lane, stored: number, expected: number) {
    const message = `What is stored is behind the follower in lane ${lane}: it is read again from ${stored}, not from ${expected}`;
    super('read_model_unavailable', message);
  }
}

/** The first lane in which less is stored than is expected; undefined where there is none. */
export function findLost(expected: LaneCheckpoints, stored: LaneCheckpoints): CheckpointLost | undefined {
  for (const [lane, next] of expected) {
    const found = stored.get(lane) ?? 0;
    if (found < next) return new CheckpointLost(lane, found, next);
  }
  return undefined;
}

/** @throws CheckpointLost when less is stored than these moves begin with */
export function assertNotLost(moves: CheckpointMoves, stored: LaneCheckpoints): void {
  const lost = findLost(new Map([...moves].map(([lane, { from }]) => [lane, from])), stored);
  if (lost) throw lost;
}

/** Where each lane is once the moves are made. */
export function targetsOf(moves: CheckpointMoves): LaneCheckpoints {
  return new Map([...moves].map(([lane, { to }]) => [lane, to]));
}
