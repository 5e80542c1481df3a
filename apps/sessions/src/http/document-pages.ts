import type { ListSessionDocuments, SessionDocument } from '@sluice/agent-sessions';
import type { DocumentPage } from '../documents/shelf';
import { createdPlaceSchema, decodePage, encodePage, flagField, limitField, pageField } from './paging';

/** Lists of documents come newest first. */
const ORDER = 'descending';
const DEFAULT_LIMIT = 20;

/** What every list of documents takes. */
export const pageFields = { limit: limitField(DEFAULT_LIMIT), page: pageField };
export const archivablePageFields = { ...pageFields, include_archived: flagField };

/** Which part of a list is asked for. @throws SluiceError `invalid_cursor` */
export function partOf(
  list: string,
  {
    limit,
    page,
    include_archived: includeArchived = false,
  }: {
    readonly limit: number;
    readonly page?: string | undefined;
    readonly include_archived?: boolean;
  },
): Pick<ListSessionDocuments, 'order' | 'limit' | 'includeArchived' | 'after'> {
  const part = { order: ORDER, limit, includeArchived } as const;
  if (page === undefined) return part;
  const [createdAtMs, id] = decodePage(page, list, ORDER, createdPlaceSchema);
  return { ...part, after: { createdAtMs, id } };
}

/** A part of a list in the form of the SDK. */
export function toPage<T>(list: string, { documents, last }: DocumentPage, view: (document: SessionDocument) => T) {
  return { data: documents.map(view), next_page: cursorOf(list, last) };
}

export function cursorOf(list: string, last: SessionDocument | undefined): string | null {
  return last === undefined ? null : encodePage(list, ORDER, [last.createdAtMs, last.id]);
}
