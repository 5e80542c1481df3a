import type { Position } from '@sluice/event-schema';
import { toPosition, type PublisherGrant } from '@sluice/event-log';
import type { Queries } from './database';

/** Takes or renews the one lease. The database's clock decides, so holders need not agree on the time. */
export async function acquireLease(
  queries: Queries,
  holder: string,
  leaseMs: number,
): Promise<PublisherGrant | undefined> {
  const [row] = await queries.$queryRaw<{ fencing_token: bigint; published: bigint }[]>`
    UPDATE read_model.publisher_lease SET
      fencing_token = fencing_token + CASE WHEN holder = ${holder} THEN 0 ELSE 1 END,
      holder = ${holder},
      expires_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    WHERE id = 1 AND (holder = ${holder} OR expires_at <= clock_timestamp())
    RETURNING fencing_token, published`;
  if (!row) return undefined;
  return { holder, fencingToken: Number(row.fencing_token), published: toPosition(Number(row.published)) };
}

export async function advanceLease(queries: Queries, grant: PublisherGrant, published: Position): Promise<boolean> {
  const changed = await queries.$executeRaw`
    UPDATE read_model.publisher_lease SET published = greatest(published, ${BigInt(published)}::bigint)
    WHERE id = 1 AND holder = ${grant.holder} AND fencing_token = ${BigInt(grant.fencingToken)}`;
  return changed === 1;
}

export async function releaseLease(queries: Queries, grant: PublisherGrant): Promise<void> {
  await queries.$executeRaw`
    UPDATE read_model.publisher_lease SET holder = '', expires_at = clock_timestamp()
    WHERE id = 1 AND holder = ${grant.holder} AND fencing_token = ${BigInt(grant.fencingToken)}`;
}
