import { isUtf8 } from 'node:buffer';
import { SluiceError } from '@sluice/event-log';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** The only bodies that a door takes; anything else is 415. */
export const JSON_MEDIA_TYPES: readonly string[] = [
  'application/json',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
];

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
      else void parseJson(request, body.toString('utf8'), done);
    },
  );
}
