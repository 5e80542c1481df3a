import { SluiceError } from '@sluice/event-log';
import {
  MIN_CUT_PAGE_DOCUMENTS,
  type ListWorkspaceDocuments,
  type WorkspaceDocument,
  type WorkspaceDocumentKind,
  type WorkspaceDocuments,
} from '@sluice/projections';

/** A page of a list, as a request asks for it. */
export interface PageQuery {
  /** Where the page before ended. */
  readonly cursor?: number | undefined;
  readonly limit: number;
  readonly order: 'asc' | 'desc';
}

export interface DocumentPage {
  readonly documents: readonly WorkspaceDocument[];
  /** Where the next page starts; absent when this was the last one. */
  readonly nextCursor?: number;
}

/** What documents are called in errors. */
const NAMES: Record<WorkspaceDocumentKind, string> = {
  task: 'task',
  session: 'session',
  session_message: 'message',
  group_chat: 'group chat',
  group_chat_member: 'member',
  group_chat_session: 'session',
  group_chat_message: 'message',
  cron_job: 'cron job',
  run: 'run',
};

/** @throws SluiceError `not_found`, for a foreign document as for one that does not exist */
export async function requireDocument(
  documents: WorkspaceDocuments,
  workspaceId: number,
  kind: WorkspaceDocumentKind,
  id: string,
  where = 'path.id',
): Promise<WorkspaceDocument> {
  const found = await documents.find(workspaceId, kind, id);
  if (!found) throw noSuch(kind, where);
  return found;
}

export function noSuch(kind: WorkspaceDocumentKind, where = 'path.id'): SluiceError {
  return new SluiceError('not_found', `No such ${NAMES[kind]}`, { where });
}

/**
 * Whether what has the id of a thing was made by an earlier event than the one at this position: of two that are made at a
 * time, the one that is recorded first stays.
 */
export function isAnothers(document: WorkspaceDocument, madeAt: number | undefined): boolean {
  return madeAt !== undefined && document.createdPosition < madeAt;
}

/** Most documents that one page of a filtered list looks at; such a page may be short and still have a next one. */
export const MAX_SCANNED_DOCUMENTS = 2_000;

const SCAN_PAGE = 500;

/** A page of the documents that `isWanted`, all of them by default. */
export async function readPage(
  documents: WorkspaceDocuments,
  about: Pick<ListWorkspaceDocuments, 'workspaceId' | 'kind' | 'parentId'>,
  { cursor, limit, order }: PageQuery,
  isWanted?: (document: WorkspaceDocument) => boolean,
): Promise<DocumentPage> {
  const wanted: WorkspaceDocument[] = [];
  let after = cursor;
  for (let scanned = 0; scanned < MAX_SCANNED_DOCUMENTS;) {
    // One more than is wanted tells whether there is a next page.
    const size = isWanted ? SCAN_PAGE : limit + 1;
    const found = await documents.list({
      ...about,
      ...(after !== undefined && { after }),
      order: order === 'asc' ? 'ascending' : 'descending',
      limit: size,
    });
    for (const document of found) {
      if (wanted.length === limit) return { documents: wanted, ...(after !== undefined && { nextCursor: after }) };
      after = document.createdPosition;
      if (isWanted?.(document) ?? true) wanted.push(document);
    }
    if (found.length < Math.min(size, MIN_CUT_PAGE_DOCUMENTS)) return { documents: wanted };
    scanned += found.length;
  }
  return { documents: wanted, ...(after !== undefined && { nextCursor: after }) };
}

/** The time of a document as it is shown. */
export const instant = (ms: number): string => new Date(ms).toISOString();
