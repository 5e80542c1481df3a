import type { FastifyReply } from 'fastify';

export const JSON_TYPE = 'application/json; charset=utf-8';
export const CLOUD_EVENT_TYPE = 'application/cloudevents+json; charset=utf-8';
export const CLOUD_EVENT_BATCH_TYPE = 'application/cloudevents-batch+json; charset=utf-8';

/** Sets the type of a body that is text already. */
export function asType(reply: FastifyReply, contentType: string, text: string): string {
  reply.header('content-type', contentType);
  return text;
}

/** Whether an Accept header names the media type; its weight is not looked at. */
export function accepts(header: string | undefined, contentType: string): boolean {
  const wanted = contentType.split(';', 1)[0];
  return (header ?? '').split(',').some((item) => item.split(';', 1)[0]?.trim().toLowerCase() === wanted);
}
