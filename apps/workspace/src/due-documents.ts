import { MAX_DUE_DOCUMENTS, type WorkspaceDocument, type WorkspaceDocuments } from '@sluice/projections';

/** Most pages of due documents that one look goes through. */
export const MAX_PAGES_PER_LOOK = 5;

/**
 * One look at what is due in all workspaces: page after page, as long as they are full and `handle` says that something
 * of the page was dealt with. What stays due is looked at again with the next page, and workspaces take turns on a page.
 * @param dueBefore asked anew for each page, as other things fall due meanwhile
 * @returns whether it ended with more to do at once
 * @throws SluiceError `read_model_unavailable`, and what `handle` throws
 */
export async function lookAtDue(
  documents: Pick<WorkspaceDocuments, 'due'>,
  kind: 'cron_job' | 'run',
  dueBefore: () => number,
  handle: (page: readonly WorkspaceDocument[]) => Promise<boolean>,
): Promise<boolean> {
  for (let pages = 0; pages < MAX_PAGES_PER_LOOK; pages++) {
    const page = await documents.due({ kind, dueBefore: dueBefore(), limit: MAX_DUE_DOCUMENTS });
    if (!(await handle(page)) || page.length < MAX_DUE_DOCUMENTS) return false;
  }
  return true;
}
