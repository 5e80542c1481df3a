import { MAX_WORKSPACE_ID, PUBLIC_WORKSPACE_ID, workspaceObjectIdSchema } from '@sluice/event-schema';
import { z } from 'zod';

export const DEFAULT_PAGE_LIMIT = 50;
export const MAX_PAGE_LIMIT = 500;

/** A query parameter that may be given once. */
export const once = z.string({ error: 'must be given once, as text' });

/** A whole number in decimal digits. */
export function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return once
    .regex(/^(?:0|[1-9]\d{0,15})$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
}

/** The public workspace has registry events only, so nothing of this app is in it. */
export const workspaceField = wholeNumber(PUBLIC_WORKSPACE_ID + 1, MAX_WORKSPACE_ID)
  .optional()
  .meta({ description: "The caller's own by default; an operator has to name one." });

const cursorField = wholeNumber(0, Number.MAX_SAFE_INTEGER)
  .optional()
  .meta({ description: 'The `next_cursor` of the page before.' });

const orderField = (fallback: 'asc' | 'desc') =>
  z.enum(['asc', 'desc'], { error: 'must be asc or desc' }).default(fallback).meta({ description: 'By creation.' });

/** The parameters of a list. */
export const pageFields = (fallback: 'asc' | 'desc' = 'asc') => ({
  cursor: cursorField,
  limit: wholeNumber(1, MAX_PAGE_LIMIT).default(DEFAULT_PAGE_LIMIT),
  order: orderField(fallback),
});

/** What a list says about its next page. */
export const nextCursorField = z.string().optional().meta({ description: 'Absent on the last page.' });

export const idPath = z.object({ id: workspaceObjectIdSchema });

/** `true` or `false`, as text. */
export const flagField = (fallback: 'true' | 'false') =>
  z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .default(fallback)
    .transform((text) => text === 'true');
