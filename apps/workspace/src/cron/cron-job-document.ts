import { cronJobSchema, type CronJob } from '@sluice/event-schema';
import type { WorkspaceDocument } from '@sluice/projections';

/** The job that a document is about, without what its runs left there; undefined when the document holds none. */
export function jobOf(document: WorkspaceDocument): CronJob | undefined {
  const own = Object.fromEntries(
    Object.entries(document.fields).filter(([name]) => Object.hasOwn(cronJobSchema.shape, name)),
  );
  return cronJobSchema.safeParse(own).data;
}
