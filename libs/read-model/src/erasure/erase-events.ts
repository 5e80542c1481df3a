import { keptOf, type EntityRef, type ErasedPart, type RedactOptions } from '@sluice/event-log';
import type { Queries } from '../database';
import { firstWithin, removeAt } from '../retention/remove-events';
import { toLines } from '../text-lines';
import { deleteMadeAt } from './entity-rows';
import { eventsOf, PAGE_BYTES, PAGE_EVENTS, readEntityEvents } from './entity-events';

/** What one transaction did. */
export interface ErasedEvents {
  /** Events that went, or lost a field. */
  readonly events: number;
  /** Up to here there is nothing left to do. */
  readonly upTo: number;
  readonly hasMore: boolean;
}

const BOUNDS = { maxEvents: PAGE_EVENTS, maxBytes: PAGE_BYTES };

/** Removes the next events of an entity, up to a position. */
export async function eraseWhole(queries: Queries, entity: EntityRef, upTo: number): Promise<ErasedEvents> {
  const { positions, complete } = await firstWithin(queries, eventsOf(entity, upTo), BOUNDS);
  return { events: await remove(queries, entity, positions), upTo: 0, hasMore: !complete };
}

/** Takes fields out of the next events of an entity after a position. One that cannot be without them goes. */
export async function eraseFields(
  queries: Queries,
  entity: EntityRef,
  after: number,
  part: ErasedPart,
  options: RedactOptions,
): Promise<ErasedEvents> {
  const page = await readEntityEvents(queries, entity, after, part.upTo);
  const last = page.at(-1);
  if (!last) return { events: 0, upTo: after, hasMore: false };
  const kept = page.map(({ position, envelope }) => ({
    position,
    before: envelope.json,
    after: keptOf(envelope, position, part, options)?.json,
  }));
  const gone = kept.filter(({ after: text }) => text === undefined);
  const changed = kept.flatMap(({ position, before, after: text }) =>
    text === undefined || text === before ? [] : [{ position, text }],
  );
  if (changed.length > 0) await changeTexts(queries, changed);
  const positions = gone.map(({ position }) => String(position));
  if (gone.length > 0) await remove(queries, entity, positions);
  return { events: changed.length + gone.length, upTo: last.position, hasMore: true };
}

/** With most of what they made: there is little left to do when nobody may record. */
async function remove(queries: Queries, entity: EntityRef, positions: readonly string[]): Promise<number> {
  await deleteMadeAt(queries, entity, positions);
  return removeAt(queries, positions, 'untold');
}

async function changeTexts(
  queries: Queries,
  changed: readonly { readonly position: number; readonly text: string }[],
): Promise<void> {
  await queries.$executeRaw`
    UPDATE read_model.recorded_events r SET envelope = c.envelope
    FROM unnest(
      ${changed.map(({ position }) => BigInt(position))}::bigint[],
      string_to_array(${toLines(changed.map(({ text }) => text))}::text, E'\\n')
    ) AS c (position, envelope)
    WHERE r.position = c.position`;
}
