import { z } from 'zod';
import { timestampMsSchema } from '../envelope';
import { textSchema } from '../text';
import { workspaceObjectIdSchema } from './entities';

/** Longest title, name and other one-line text, in Unicode characters. */
export const MAX_WORKSPACE_TITLE_LENGTH = 500;

/** Longest path, in Unicode characters. */
export const MAX_WORKSPACE_PATH_LENGTH = 4096;

/** Longest description, prompt, message, output and error text, in Unicode characters. */
export const MAX_WORKSPACE_TEXT_LENGTH = 100_000;

/** Most ids in one list of an event. */
const MAX_LIST_ITEMS = 1000;

export const id = workspaceObjectIdSchema;
export const ids = z.array(id).max(MAX_LIST_ITEMS);
export const title = textSchema(MAX_WORKSPACE_TITLE_LENGTH);
export const path = textSchema(MAX_WORKSPACE_PATH_LENGTH);
export const text = textSchema(MAX_WORKSPACE_TEXT_LENGTH);
export const durationMs = z.int().min(0);
export const deadlineAt = timestampMsSchema.meta({
  description: 'Until when an outcome is waited for. The doors of workspace events do not show it.',
});
