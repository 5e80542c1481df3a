import type { SessionEventChange } from '@sluice/projections';
import type { Queries } from './database';
import type { ModelSchema } from './rebuild/model-schemas';
import { isLine } from './session-rows';
import { toLines } from './text-lines';

/** Applies merged changes by one call of a function in the database, whatever their number. */
export async function applySessionEvents(
  queries: Queries,
  changes: readonly SessionEventChange[],
  schema: ModelSchema,
): Promise<void> {
  // An id that no event can have would not fit into a list; the catalogue lets none come to be recorded.
  const processed = changes.flatMap(({ workspaceId, sessionId, processed: times }) =>
    [...times].flatMap(([id, processedAtMs]) => (isLine(id) ? [{ workspaceId, sessionId, id, processedAtMs }] : [])),
  );
  const added = changes.flatMap(({ workspaceId, sessionId, added: events }) =>
    events.flatMap(({ data: _, ...event }) => (isLine(event.id) ? [{ ...event, workspaceId, sessionId }] : [])),
  );
  const linesOf = <T>(items: readonly T[], text: (item: T) => unknown) =>
    toLines(items.map((item) => String(text(item))));
  await queries.$executeRaw`
    SELECT ${schema}.change_session_events(
      ${linesOf(processed, ({ workspaceId }) => workspaceId)}::text,
      ${linesOf(processed, ({ sessionId }) => sessionId)}::text,
      ${linesOf(processed, ({ id }) => id)}::text,
      ${linesOf(processed, ({ processedAtMs }) => processedAtMs)}::text,
      ${linesOf(added, ({ workspaceId }) => workspaceId)}::text,
      ${linesOf(added, ({ sessionId }) => sessionId)}::text,
      ${linesOf(added, ({ id }) => id)}::text,
      ${linesOf(added, ({ position }) => position)}::text,
      ${linesOf(added, ({ type }) => type)}::text,
      ${linesOf(added, ({ processedAtMs }) => processedAtMs ?? 'null')}::text)`;
}
