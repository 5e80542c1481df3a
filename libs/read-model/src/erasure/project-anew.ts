import { currentRecordedEvent, toPosition, type EntityRef } from '@sluice/event-log';
import { mergeChanges, type Change } from '@sluice/projections';
import type { PoolClient } from 'pg';
import { applyChanges } from '../apply-changes';
import type { Queries } from '../database';
import type { ProjectEvent } from '../record-transaction';
import { LIVE } from '../rebuild/model-schemas';
import { pagesOfEntity, type EntityEvent } from './entity-events';
import { deleteRowsOf } from './entity-rows';

/** What the events of an entity up to a position come to. */
export interface FoldedEntity {
  readonly changes: readonly Change[];
  readonly upTo: number;
}

const NOTHING: FoldedEntity = { changes: [], upTo: 0 };

/** Folds the events of an entity that follow. */
export async function foldEntity(
  queries: Queries,
  entity: EntityRef,
  project: ProjectEvent,
  before = NOTHING,
): Promise<FoldedEntity> {
  let { changes, upTo } = before;
  for await (const page of pagesOfEntity(queries, entity, upTo)) {
    changes = mergeChanges([...changes, ...page.flatMap((event) => changesOf(event, project))]);
    upTo = page.at(-1)?.position ?? upTo;
  }
  return { changes, upTo };
}

/** Longest wait for the lock that recorders take, and longest time of one statement under it: they wait meanwhile. */
const LOCK_TIMEOUT_MS = 2_000;
const STATEMENT_TIMEOUT_MS = 5_000;
/** Between two statements: the server then gives the lock back. */
const IDLE_TIMEOUT_MS = 5_000;

/**
 * Makes anew what the events of an entity made, in the transaction of the caller: nobody else records until it is over. What
 * the events of one entity make, those of no other change.
 */
export async function makeAnew(
  queries: Queries,
  client: PoolClient,
  entity: EntityRef,
  project: ProjectEvent,
  before: FoldedEntity,
): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
  await client.query(`SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
  await client.query(`SET LOCAL idle_in_transaction_session_timeout = ${IDLE_TIMEOUT_MS}`);
  await queries.$executeRaw`SELECT FROM read_model.position_counter WHERE id = 1 FOR UPDATE`;
  const { changes } = await foldEntity(queries, entity, project, before);
  await deleteRowsOf(queries, entity, changes);
  await applyChanges(queries, changes.map(withoutPast), LIVE);
}

/** What was processed is told by the rows that are made: those that stay are not to be changed by it. */
function withoutPast(change: Change): Change {
  return change.kind === 'session_event' ? { ...change, processed: new Map() } : change;
}

/** One that a projection rejects is without effect, as in a rebuild. */
function changesOf({ envelope, row }: EntityEvent, project: ProjectEvent): readonly Change[] {
  try {
    const recording = {
      position: toPosition(Number(row.position)),
      entitySequence: Number(row.entity_sequence),
      recordedAt: Number(row.recorded_at),
    };
    return project(currentRecordedEvent(envelope, recording).event);
  } catch {
    return [];
  }
}
