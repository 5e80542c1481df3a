import type { SessionDocument, SessionDocuments } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import type { DocumentPage } from '../documents/shelf';

export interface ListFiles {
  readonly workspaceId: number;
  readonly limit: number;
  readonly after?: { readonly createdAtMs: number; readonly id: string };
  /** Files after this one in the list, or before it; older callers name places so. */
  readonly afterId?: string;
  readonly beforeId?: string;
  readonly sessionId?: string;
  readonly ids?: readonly string[];
}

/** A part of the list, newest first. @throws SluiceError `invalid_cursor` for a file that is not there as a place */
export async function listFiles(documents: SessionDocuments, query: ListFiles): Promise<DocumentPage> {
  const { workspaceId, limit, after, afterId, beforeId, sessionId, ids } = query;
  const isBackwards = beforeId !== undefined;
  const named = beforeId ?? afterId;
  const place = named === undefined ? after : await placeOf(documents, workspaceId, named);
  const { documents: found, hasMore } = await documents.list({
    workspaceId,
    kind: 'file',
    order: isBackwards ? 'ascending' : 'descending',
    limit,
    includeArchived: false,
    ...(place && { after: { createdAtMs: place.createdAtMs, id: place.id } }),
    ...(sessionId !== undefined && { parentId: sessionId }),
    ...(ids !== undefined && { ids }),
  });
  return { documents: isBackwards ? found.toReversed() : found, last: hasMore ? found.at(-1) : undefined };
}

async function placeOf(documents: SessionDocuments, workspaceId: number, id: string): Promise<SessionDocument> {
  const file = await documents.find(workspaceId, 'file', id);
  if (!file) throw new SluiceError('invalid_cursor', 'There is no such file to list from', { where: 'query' });
  return file;
}
