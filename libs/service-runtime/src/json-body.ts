import { isUtf8 } from 'node:buffer';
import { SluiceError } from '@sluice/event-log';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** The only bodies that a door takes; anything else is 415. */
export const JSON_MEDIA_TYPES: readonly string[] = [
  'application/json',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
];

/** Most members of one JSON object in a body: each costs far more than its bytes. */
export const MAX_OBJECT_MEMBERS = 10_000;

/** The fewest bytes that a member takes, with its comma. */
const MIN_MEMBER_BYTES = '"":0,'.length;

type BodyDone = (error: Error | null, body?: unknown) => void;

/** Takes JSON bodies only, in valid UTF-8 and without keys that reach for a prototype. */
export function acceptJsonOnly(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>(
    [...JSON_MEDIA_TYPES],
    { parseAs: 'buffer' },
    (request: FastifyRequest, body: Buffer, done: BodyDone) => {
      // Decoding would quietly replace bad bytes, and the stored event would not be what was sent.
      if (!isUtf8(body)) done(new SluiceError('invalid_json', 'Body is not valid UTF-8'));
      else if (hasTooManyMembers(body)) {
        done(new SluiceError('payload_too_large', `An object in the body has more than ${MAX_OBJECT_MEMBERS} members`));
      } else void parseJson(request, body.toString('utf8'), done);
    },
  );
}

const CODE = { quote: 0x22, backslash: 0x5c, open: 0x7b, close: 0x7d, colon: 0x3a } as const;

/** Whether any object is too wide. Looks at the bytes alone, before the objects are made; text that is no JSON passes. */
export function hasTooManyMembers(body: Uint8Array): boolean {
  if (body.length < MAX_OBJECT_MEMBERS * MIN_MEMBER_BYTES) return false;
  /** Of the objects that are open, the outermost first. */
  const members: number[] = [];
  let isInString = false;
  for (let at = 0; at < body.length; at++) {
    const code = body[at];
    if (isInString) {
      if (code === CODE.backslash) at++;
      else if (code === CODE.quote) isInString = false;
    } else if (code === CODE.quote) isInString = true;
    else if (code === CODE.open) members.push(0);
    else if (code === CODE.close) members.pop();
    else if (code === CODE.colon) {
      const count = (members.pop() ?? 0) + 1;
      if (count > MAX_OBJECT_MEMBERS) return true;
      members.push(count);
    }
  }
  return false;
}
