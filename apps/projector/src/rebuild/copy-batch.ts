import type { CheckpointMoves, LaneCheckpoints, LogBatch, RebuildBatch, RebuildWork } from '@sluice/event-log';
import { decodeRecords, parkingRejected, type DecodedRecords } from '../project-batch';

/**
 * Brings one batch of the log into the model beside. What the live model has not handled yet is tried again after a pause,
 * until all of the batch is there.
 *
 * @param pause waits a little; rejects when the rebuild ends
 */
export async function copyBatch(
  { records, checkpoints }: LogBatch,
  work: Pick<RebuildWork, 'copy'>,
  pause: () => Promise<void>,
): Promise<void> {
  let left = records;
  for (;;) {
    const reached = await parkingRejected(decodeRecords(left), (decoded) => work.copy(toBatch(decoded, checkpoints)));
    left = left.filter(({ lane, index }) => index >= (reached.get(lane) ?? 0));
    if (left.length === 0 && isReached(checkpoints, reached)) return;
    await pause();
  }
}

function toBatch({ candidates, parked }: DecodedRecords, checkpoints: CheckpointMoves): RebuildBatch {
  const events = candidates.map(({ record: { lane, index }, envelope }) => ({ lane, index, envelope }));
  return { events, parked, checkpoints };
}

function isReached(checkpoints: CheckpointMoves, reached: LaneCheckpoints): boolean {
  return [...checkpoints].every(([lane, { to }]) => (reached.get(lane) ?? 0) >= to);
}
