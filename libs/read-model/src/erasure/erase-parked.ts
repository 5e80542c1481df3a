import { isRecordOf, type EntityRef } from '@sluice/event-log';
import type { Queries } from '../database';

/** Most parked records, and bytes of them, that one transaction looks at; one record may be larger. */
const PAGE_RECORDS = 500;
const PAGE_BYTES = 8 * 1024 * 1024;

/** Erases those of an entity among the next parked records after an id. `upTo` is undefined where there are no more. */
export async function eraseParkedPage(
  queries: Queries,
  entity: EntityRef,
  after: number,
): Promise<{ readonly erased: number; readonly upTo: number | undefined }> {
  const page = await queries.$queryRaw<{ parked_id: string; value: Uint8Array }[]>`
    SELECT parked_id, value FROM (
      SELECT *, sum(octet_length(value)) OVER (ORDER BY parked_id) AS bytes_to_here
      FROM (
        SELECT parked_id, value FROM read_model.parked_records
        WHERE parked_id > ${BigInt(after)}::bigint AND (workspace_id = ${entity.workspaceId}::int OR workspace_id IS NULL)
        ORDER BY parked_id LIMIT ${PAGE_RECORDS}
      ) AS candidates
    ) AS measured
    WHERE bytes_to_here <= ${BigInt(PAGE_BYTES)}::bigint OR bytes_to_here = octet_length(value)
    ORDER BY parked_id`;
  const ids = page.flatMap(({ parked_id, value }) => (isRecordOf(entity, value) ? [BigInt(parked_id)] : []));
  if (ids.length > 0) {
    await queries.$executeRaw`DELETE FROM read_model.parked_records WHERE parked_id = ANY(${ids}::bigint[])`;
  }
  const last = page.at(-1);
  return { erased: ids.length, upTo: last && Number(last.parked_id) };
}
