import { currentRecordedEvent, toPosition, type EntityRef } from '@sluice/event-log';
import { mergeChanges, type Change } from '@sluice/projections';
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

/**
 * Makes anew what the events of an entity made, in the transaction of the caller: nobody else records until it is over. What
 * the events of one entity make, those of no other change.
 */
export async function makeAnew(
  queries: Queries,
  entity: EntityRef,
  project: ProjectEvent,
  before: FoldedEntity,
): Promise<void> {
  await queries.$executeRaw`SELECT FROM read_model.position_counter WHERE id = 1 FOR UPDATE`;
  const { changes } = await foldEntity(queries, entity, project, before);
  await deleteRowsOf(queries, entity);
  await applyChanges(queries, changes, LIVE);
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
