import type { ChainCommit, ChainDocumentChange, ChainGrant } from '@sluice/agent-registry';
import { SluiceError } from '@sluice/event-log';
import { isKey } from './chain-rows';
import type { Queries } from './database';
import { toLines } from './text-lines';

export interface CommitOutcome {
  readonly granted: boolean;
  readonly batchId: number | undefined;
}

/** One call of a function in the database: one round trip, whatever is in the commit. */
export async function commitChain(queries: Queries, grant: ChainGrant, commit: ChainCommit): Promise<CommitOutcome> {
  const { cursor, halted, dropJournalsAbove, dropJournalsUpTo, outbox = [] } = commit;
  const { removed, kept } = sortedOut(commit.changes ?? []);
  // Of two journals of one number the last one counts.
  const journals = [...new Map(commit.journals?.map((journal) => [journal.block.number, journal])).values()];
  const [row] = await queries.$queryRaw<{ granted: boolean; batch_id: string | null }[]>`
    SELECT granted, batch_id FROM registry_watch.commit_chain(
      ${BigInt(grant.chainId)}::bigint,
      ${grant.holder}::text,
      ${BigInt(grant.fencingToken)}::bigint,
      ${bigintOf(cursor?.number)}::bigint,
      ${cursor?.hash ?? null}::text,
      ${toLines(removed)}::text,
      ${toLines(kept.map(({ key }) => key))}::text,
      ${toLines(kept.map(({ value }) => JSON.stringify(value)))}::text,
      ${toLines(kept.map(({ dueAt }) => String(dueAt ?? NaN)))}::text,
      ${bigintOf(dropJournalsAbove)}::bigint,
      ${bigintOf(dropJournalsUpTo)}::bigint,
      ${toLines(journals.map(({ block }) => String(block.number)))}::text,
      ${toLines(journals.map(({ block }) => block.hash))}::text,
      ${toLines(journals.map(({ block }) => block.parentHash))}::text,
      ${toLines(journals.map(({ block }) => String(block.timestamp)))}::text,
      ${toLines(journals.map(({ before }) => JSON.stringify(before)))}::text,
      ${toLines(journals.map(({ emitted }) => JSON.stringify(emitted)))}::text,
      ${halted !== undefined}::boolean,
      ${halted ? JSON.stringify(halted) : null}::text,
      ${toLines(outbox.map(({ json }) => json))}::text)`;
  return { granted: row?.granted ?? false, batchId: row?.batch_id ? Number(row.batch_id) : undefined };
}

function bigintOf(number: number | undefined): bigint | null {
  return number === undefined ? null : BigInt(number);
}

/**
 * Of several changes of one document the last one counts.
 * @throws SluiceError `internal` for a key that none can have
 */
function sortedOut(changes: readonly ChainDocumentChange[]) {
  if (!changes.every(({ key }) => isKey(key)))
    throw new SluiceError('internal', 'A document has a key that none can have');
  const last = [...new Map(changes.map((change) => [change.key, change])).values()];
  return {
    removed: last.filter(({ value }) => value === null).map(({ key }) => key),
    kept: last.filter(({ value }) => value !== null),
  };
}
