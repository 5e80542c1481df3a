import {
  SluiceError,
  type Lane,
  type LogBounds,
  type RebuildPositions,
  type RebuildRemainder,
} from '@sluice/event-log';
import type { Queries } from '../database';
import { LIVE, NEXT } from './model-schemas';

interface RemainderRow {
  readonly head: string | null;
  readonly projected: string;
  readonly lane: number | null;
  readonly live_index: string | null;
  readonly next_index: string | null;
}

/** See RebuildWork.remainder. */
export async function readRemainder(
  queries: Queries,
  rebuildId: string,
  positions: RebuildPositions,
  { starts, ends }: LogBounds,
): Promise<RebuildRemainder> {
  // One statement, so one moment.
  const rows = await queries.$queryRaw<RemainderRow[]>`
    SELECT c.last_position AS head, r.projected, lanes.*
    FROM maintenance.rebuilds r
    LEFT JOIN ${LIVE}.position_counter c ON true
    LEFT JOIN (
      SELECT lane, l.next_index AS live_index, n.next_index
      FROM ${LIVE}.lane_checkpoints l FULL JOIN ${NEXT}.lane_checkpoints n USING (lane)
    ) lanes ON true
    WHERE r.rebuild_id = ${rebuildId}::bigint`;
  const [first] = rows;
  if (positions === 'keep' && first?.head == null) {
    throw new SluiceError('configuration', 'The live model has no position counter');
  }
  const found = new Map(rows.map((row) => [row.lane, row]));
  const lanes = new Set<Lane>(ends.keys());
  for (const { lane } of rows) if (lane !== null) lanes.add(lane as Lane);
  let records = 0;
  let unread = 0;
  for (const lane of lanes) {
    const { live_index: live, next_index: next } = found.get(lane) ?? { live_index: null, next_index: null };
    const end = ends.get(lane) ?? 0;
    const reached = Math.max(Number(next ?? 0), starts.get(lane) ?? 0);
    // A live model that has lost where it was is taken to be where the log ends.
    const target = live === null ? end : positions === 'keep' ? Number(live) : Math.max(Number(live), end);
    records += Math.max(0, target - reached);
    unread += Math.max(0, end - reached);
  }
  const missing = Math.max(0, Number(first?.head ?? 0) - Number(first?.projected ?? 0));
  return { records, unread, events: positions === 'keep' ? missing : 0 };
}
