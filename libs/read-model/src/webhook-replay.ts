import { tooManyWait, type WebhookStore } from '@sluice/webhook-delivery';
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

/**
 * Lets events wait to be sent once more; how many wait now. Undefined where there is no such endpoint.
 * @throws SluiceError `conflict`
 */
export async function redeliver(
  queries: Queries,
  query: Parameters<WebhookStore['redeliver']>[0],
): Promise<number | undefined> {
  const { workspaceId, endpointId, letters, replayAt, mostWaiting } = query;
  const texts = toLines(letters.map((letter) => JSON.stringify(letter)));
  const count = BigInt(letters.length);
  const [row] = await orUnavailable(
    () => queries.$queryRaw<{ waiting: bigint; added: bigint }[]>`
      WITH of AS MATERIALIZED (
        SELECT e.endpoint_id, (
          SELECT count(*) FROM webhooks.dead_letters l WHERE l.endpoint_id = e.endpoint_id AND l.replay_at IS NOT NULL
        ) + ${count} AS waiting
        FROM webhooks.endpoints e
        WHERE e.endpoint_id = ${endpointId} AND e.workspace_id = ${workspaceId}::int FOR UPDATE OF e
      ), numbered AS (
        UPDATE webhooks.endpoints e SET last_delivery_id = e.last_delivery_id + ${count}
        FROM of WHERE e.endpoint_id = of.endpoint_id AND of.waiting <= ${mostWaiting}
        RETURNING e.endpoint_id, e.last_delivery_id - ${count} AS before
      ), added AS (
        INSERT INTO webhooks.dead_letters (endpoint_id, dead_letter_id, dead_at, replay_at, letter)
        SELECT numbered.endpoint_id, numbered.before + l.n, ${BigInt(replayAt)}::bigint, ${BigInt(replayAt)}::bigint, l.letter
        FROM numbered, unnest(string_to_array(${texts}, E'\\n')) WITH ORDINALITY AS l(letter, n)
        RETURNING dead_letter_id
      )
      SELECT waiting, (SELECT count(*) FROM added) AS added FROM of`,
  );
  if (row !== undefined && row.added < count) throw tooManyWait(mostWaiting);
  return row && Number(row.waiting);
}

/** Lets none of the dead letters wait; how many did. Undefined where there is no such endpoint. */
export async function cancelReplays(
  queries: Queries,
  workspaceId: number,
  endpointId: string,
): Promise<number | undefined> {
  const [row] = await orUnavailable(
    () => queries.$queryRaw<{ count: bigint }[]>`
      WITH of AS (
        SELECT endpoint_id FROM webhooks.endpoints
        WHERE endpoint_id = ${endpointId} AND workspace_id = ${workspaceId}::int
      ), cancelled AS (
        UPDATE webhooks.dead_letters l SET replay_at = NULL FROM of
        WHERE l.endpoint_id = of.endpoint_id AND l.replay_at IS NOT NULL RETURNING l.dead_letter_id
      )
      SELECT (SELECT count(*) FROM cancelled) AS count FROM of`,
  );
  return row && Number(row.count);
}
