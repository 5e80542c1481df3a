import { SluiceError } from '@sluice/event-log';
import { entityIdSchema, eventFamilySchema, type EventFamily } from '@sluice/event-schema';
import { z } from 'zod';

/** The last entity of a page. */
export interface EntityKey {
  readonly family: EventFamily;
  readonly entityId: string;
}

const keySchema = z.tuple([eventFamilySchema, entityIdSchema]);

/** Longest token that is decoded: an id of the longest kind, in base64url. */
const MAX_TOKEN_CHARS = 2048;

export function encodePageToken({ family, entityId }: EntityKey): string {
  return Buffer.from(JSON.stringify([family, entityId])).toString('base64url');
}

/** @throws SluiceError `invalid_cursor` for text that `encodePageToken` never wrote. */
export function decodePageToken(text: string): EntityKey {
  try {
    if (text.length > MAX_TOKEN_CHARS) throw new RangeError('too long');
    const [family, entityId] = keySchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return { family, entityId };
  } catch (error) {
    const where = 'query.cursor';
    throw new SluiceError('invalid_cursor', `${where}: is not one that this list gave out`, { where, cause: error });
  }
}
