import { SluiceError } from '@sluice/event-log';
import type { EndpointState, HeldPlace, RecordedDelivery, WebhookGrant } from '@sluice/webhook-delivery';
import type { Queries } from './database';
import { Prisma } from './generated/client';
import { toLines } from './text-lines';
import { orUnavailable } from './unavailable';
import { blockedText } from './webhook-rows';

export const ENDPOINT_COLUMNS = Prisma.sql`e.endpoint_id, e.workspace_id, e.version, e.endpoint, e.disabled_reason,
  e.disabled_at, e.epoch, e.position, e.revision, e.blocked, e.progress_version`;

export const HAS_REPLAYS = Prisma.sql`EXISTS (
  SELECT 1 FROM webhooks.dead_letters l WHERE l.endpoint_id = e.endpoint_id AND l.replay_at IS NOT NULL
) AS has_replays`;

/** For a table of endpoints called `e`. */
export function isHeldBy({ endpointId, holder, fencingToken }: WebhookGrant): Prisma.Sql {
  return Prisma.sql`e.endpoint_id = ${endpointId} AND e.holder = ${holder}
    AND e.fencing_token = ${BigInt(fencingToken)} AND e.expires_at > statement_timestamp()`;
}

/** For a table of endpoints called `e`. */
export function isUnchanged({ endpoint, progressVersion }: EndpointState): Prisma.Sql {
  return Prisma.sql`e.endpoint_id = ${endpoint.endpointId} AND e.version = ${BigInt(endpoint.version)}
    AND e.progress_version = ${BigInt(progressVersion)}`;
}

/** Of an endpoint `e` and what its holder knows, `h`. A place of another numbering says nothing about this one. */
const MOVES_ON = Prisma.sql`e.epoch = h.epoch AND e.progress_version = h.progress_version AND h.position > e.position`;

/** Changes endpoints called `e` by what their holders know, called `h`; grants that are lost change nothing. */
export function updateHeld(held: readonly HeldPlace[], changes: Prisma.Sql): Prisma.Sql {
  const lines = (of: (each: HeldPlace) => string | number) => toLines(held.map((each) => String(of(each))));
  return Prisma.sql`
    UPDATE webhooks.endpoints e SET ${changes},
      position = CASE WHEN ${MOVES_ON} THEN h.position ELSE e.position END,
      revision = CASE WHEN ${MOVES_ON} THEN h.revision ELSE e.revision END
    FROM unnest(
      string_to_array(${lines(({ grant }) => grant.endpointId)}, E'\\n'),
      string_to_array(${lines(({ grant }) => grant.holder)}, E'\\n'),
      string_to_array(${lines(({ grant }) => grant.fencingToken)}, E'\\n')::bigint[],
      string_to_array(${lines(({ place }) => place.epoch)}, E'\\n'),
      string_to_array(${lines(({ place }) => place.position)}, E'\\n')::bigint[],
      string_to_array(${lines(({ place }) => place.revision ?? 0)}, E'\\n')::bigint[],
      string_to_array(${lines(({ progressVersion }) => progressVersion)}, E'\\n')::bigint[]
    ) AS h(endpoint_id, holder, fencing_token, epoch, position, revision, progress_version)
    WHERE e.endpoint_id = h.endpoint_id AND e.holder = h.holder AND e.fencing_token = h.fencing_token
      AND e.expires_at > statement_timestamp()`;
}

/** What is kept by one statement. A change by the owner is noticed by the holder. */
type Kept = RecordedDelivery & { readonly isByOwner?: boolean };

/** Everything of one attempt in one statement. False where the endpoint, called `e`, is not such a one any more. */
export async function recordDelivery(
  queries: Queries,
  isSuch: Prisma.Sql,
  { entry, progress, deadLetter, disabled, replayed, progressVersion, isByOwner = false }: Kept,
  keptDeliveries: number,
): Promise<boolean> {
  const rows = await queries.$queryRaw<unknown[]>`
    WITH held AS (
      UPDATE webhooks.endpoints e SET
        last_delivery_id = e.last_delivery_id + 1,
        progress_version = e.progress_version + 1,
        version = e.version + ${isByOwner ? 1n : 0n}::bigint,
        epoch = coalesce(${progress?.place.epoch ?? null}::text, e.epoch),
        position = coalesce(${progress === undefined ? null : BigInt(progress.place.position)}::bigint, e.position),
        revision = coalesce(${progress === undefined ? null : BigInt(progress.place.revision ?? 0)}::bigint, e.revision),
        blocked = CASE WHEN ${progress !== undefined} THEN ${progress ? blockedText(progress) : null}::text ELSE e.blocked END,
        disabled_reason = coalesce(${disabled?.reason ?? null}::text, e.disabled_reason),
        disabled_at = coalesce(${disabled === undefined ? null : BigInt(disabled.at)}::bigint, e.disabled_at)
      WHERE ${isSuch}
        AND (${progressVersion === undefined} OR e.progress_version = ${BigInt(progressVersion ?? 0)})
      RETURNING e.endpoint_id, e.last_delivery_id
    ), logged AS (
      INSERT INTO webhooks.deliveries (endpoint_id, delivery_id, at, entry)
      SELECT endpoint_id, last_delivery_id, ${BigInt(entry.at)}::bigint, ${JSON.stringify(entry)}::text FROM held
    ), forgotten AS (
      DELETE FROM webhooks.deliveries d USING held
      WHERE d.endpoint_id = held.endpoint_id AND d.delivery_id <= held.last_delivery_id - ${keptDeliveries}::bigint
    ), dead AS (
      INSERT INTO webhooks.dead_letters (endpoint_id, dead_letter_id, dead_at, letter)
      SELECT held.endpoint_id, held.last_delivery_id, ${BigInt(entry.at)}::bigint, l.letter
      FROM held, (SELECT ${deadLetter ? JSON.stringify(deadLetter) : null}::text AS letter) l WHERE l.letter IS NOT NULL
    ), delivered AS (
      DELETE FROM webhooks.dead_letters l USING held
      WHERE l.endpoint_id = held.endpoint_id AND l.dead_letter_id = ${idOf(replayed, true)}::bigint
    ), undelivered AS (
      UPDATE webhooks.dead_letters l SET replay_at = NULL FROM held
      WHERE l.endpoint_id = held.endpoint_id AND l.dead_letter_id = ${idOf(replayed, false)}::bigint
    )
    SELECT endpoint_id FROM held`;
  return rows.length > 0;
}

function idOf(replayed: RecordedDelivery['replayed'], isDelivered: boolean): bigint | null {
  return replayed?.isDelivered === isDelivered ? BigInt(replayed.deadLetterId) : null;
}

export function lostWebhookGrant({ holder, endpointId }: WebhookGrant): SluiceError {
  return new SluiceError('conflict', `${holder} does not hold the grant of endpoint ${endpointId} any more`);
}

/** Enabled endpoints whose lease ran out so long ago. */
export async function countUnattended(queries: Queries, forMs: number): Promise<number> {
  const [row] = await orUnavailable(
    () => queries.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) AS count FROM webhooks.endpoints
    WHERE disabled_reason IS NULL AND expires_at < statement_timestamp() - ${forMs} * interval '1 millisecond'`,
  );
  return Number(row?.count ?? 0);
}
