import { SluiceError } from '@sluice/event-log';
import { z } from 'zod';

/** Beyond it a page is cut: asking for more is no fault. */
export const MAX_PAGE_SIZE = 1_000;

export type PageOrder = 'ascending' | 'descending';

/** `limit`: larger ones are taken as the largest. */
export function limitField(defaultLimit: number, most: number = MAX_PAGE_SIZE) {
  return z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform((text) => Math.min(Number(text), most))
    .refine((limit) => limit >= 1, 'must be at least 1')
    .default(defaultLimit)
    .meta({ description: `Most on one page, ${defaultLimit} by default and at most ${most}.` });
}

export function orderField(defaultOrder: 'asc' | 'desc') {
  return z
    .enum(['asc', 'desc'])
    .default(defaultOrder)
    .transform((order): PageOrder => (order === 'asc' ? 'ascending' : 'descending'));
}

export const pageField = z
  .string()
  .min(1)
  .max(1_024)
  .optional()
  .meta({ description: 'The `next_page` of the page before, in the same order.' });

/** A parameter that may be there once or many times: `types[]=a&types[]=b`. */
export function listField<T extends z.ZodType>(item: T, most = 100) {
  return z.union([z.array(item).max(most, `must be at most ${most}`), item.transform((value) => [value])]).optional();
}

export const flagField = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');

/** RFC 3339, as milliseconds since 1970. */
export const timeField = z.iso
  .datetime({ offset: true, error: 'must be a time as in RFC 3339' })
  .transform((text) => Date.parse(text))
  .optional();

/** `created_at[gt]` and its like; times have milliseconds, so that all four are two. */
export const createdAtFields = {
  'created_at[gt]': timeField,
  'created_at[gte]': timeField,
  'created_at[lt]': timeField,
  'created_at[lte]': timeField,
};

/** A range of times, both ends in it. */
export interface TimeRange {
  readonly fromMs?: number;
  readonly upToMs?: number;
}

export function timeRangeOf(query: {
  readonly 'created_at[gt]'?: number | undefined;
  readonly 'created_at[gte]'?: number | undefined;
  readonly 'created_at[lt]'?: number | undefined;
  readonly 'created_at[lte]'?: number | undefined;
}): TimeRange {
  const { 'created_at[gt]': gt, 'created_at[gte]': gte, 'created_at[lt]': lt, 'created_at[lte]': lte } = query;
  const from = [gt === undefined ? undefined : gt + 1, gte].filter((time) => time !== undefined);
  const upTo = [lt === undefined ? undefined : lt - 1, lte].filter((time) => time !== undefined);
  return {
    ...(from.length > 0 && { fromMs: Math.max(...from) }),
    ...(upTo.length > 0 && { upToMs: Math.min(...upTo) }),
  };
}

const CURSOR_PREFIX = 'page_';

/** The place after which the next page begins, as an opaque text that knows its order, and what it is a page of. */
export function encodePage(of: string, order: PageOrder, place: readonly (string | number)[]): string {
  const text = JSON.stringify([of, order === 'ascending' ? 'a' : 'd', ...place]);
  return CURSOR_PREFIX + Buffer.from(text).toString('base64url');
}

/** @throws SluiceError `invalid_cursor` for what `encodePage` did not make for such a list in this order */
export function decodePage<T extends z.ZodType>(page: string, of: string, order: PageOrder, place: T): z.output<T> {
  const parsed = z
    .tuple([z.literal(of), z.enum(['a', 'd'])])
    .rest(z.unknown())
    .safeParse(parsePage(page));
  if (!parsed.success) throw invalidPage('is not a page of this list');
  const [, madeFor, ...rest] = parsed.data;
  if (madeFor !== (order === 'ascending' ? 'a' : 'd')) throw invalidPage('was made for the other order');
  const found = place.safeParse(rest);
  if (!found.success) throw invalidPage('is not a page of this list');
  return found.data;
}

function parsePage(page: string): unknown {
  if (!page.startsWith(CURSOR_PREFIX)) return undefined;
  try {
    return JSON.parse(Buffer.from(page.slice(CURSOR_PREFIX.length), 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Of a list that is always one page, so that it gives no page to ask for. */
export function noFurtherPage(): SluiceError {
  return invalidPage('is not a page of this list');
}

function invalidPage(why: string): SluiceError {
  return new SluiceError('invalid_cursor', `query.page: ${why}`, { where: 'query.page' });
}

/** The place of a thing in lists by creation. */
export const createdPlaceSchema = z.tuple([z.int().min(0), z.string().min(1).max(256)]);
