import type { WebhookStore } from '@sluice/webhook-delivery';
import type { Queries } from './database';
import { toLines } from './text-lines';
import { orUnavailable } from './unavailable';

/** Lets dead letters wait to be sent again; how many that did not before. Undefined where there is no such endpoint. */
export async function letReplay(
  queries: Queries,
  query: Parameters<WebhookStore['replay']>[0],
): Promise<number | undefined> {
  const { workspaceId, endpointId, deadLetterIds, replayAt } = query;
  const isAll = deadLetterIds === 'all';
  const ids = toLines(isAll ? [] : deadLetterIds.map(String));
  const [row] = await orUnavailable(
    () => queries.$queryRaw<{ count: bigint }[]>`
      WITH of AS (
        SELECT endpoint_id FROM webhooks.endpoints
        WHERE endpoint_id = ${endpointId} AND workspace_id = ${workspaceId}::int
      ), waiting AS (
        UPDATE webhooks.dead_letters l SET replay_at = ${BigInt(replayAt)}::bigint FROM of
        WHERE l.endpoint_id = of.endpoint_id AND l.replay_at IS NULL
          AND (${isAll} OR l.dead_letter_id = ANY(string_to_array(${ids}::text, E'\\n')::bigint[]))
        RETURNING l.dead_letter_id
      )
      SELECT (SELECT count(*) FROM waiting) AS count FROM of`,
  );
  return row && Number(row.count);
}
