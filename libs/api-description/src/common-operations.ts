import { z } from 'zod';
import { defineOperation, type Operation } from './operation';

const tag = 'Process';
const json = 'application/json';

const healthSchema = z.object({
  status: z.literal('ok'),
  service: z.literal('sluice'),
  version: z.string(),
  timestamp: z.iso.datetime(),
  uptime: z.literal('running'),
});

const readySchema = z.object({
  status: z.enum(['ready', 'not_ready', 'starting', 'draining']),
  checks: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: 'Each thing that the service needs: `ok` or a short error code.' }),
});

const documentSchema = z.looseObject({});

/** What every process answers, whatever its apps. They answer also while it starts and drains. */
export const commonOperations: readonly Operation[] = [
  open('/health', 'Whether the process answers', {
    200: { description: 'It does.', content: { [json]: healthSchema } },
  }),
  open('/ready', 'Whether the process can serve', {
    200: { description: 'It can.', content: { [json]: readySchema } },
    503: { description: 'It starts, drains, or misses what it needs.', content: { [json]: readySchema } },
  }),
  open('/metrics', 'Metrics for Prometheus', {
    200: { description: 'The text format.', content: { 'text/plain': z.string() } },
  }),
  open('/openapi.json', 'This document', {
    200: { description: 'OpenAPI 3.1 of every app, not only of this process.', content: { [json]: documentSchema } },
  }),
  open('/asyncapi.json', 'The channels and event types', {
    200: { description: 'AsyncAPI 3.0 of every app, not only of this process.', content: { [json]: documentSchema } },
  }),
];

function open(path: string, summary: string, responses: Operation['responses']): Operation {
  return defineOperation({
    method: 'GET',
    path,
    app: 'every',
    summary,
    tag,
    access: 'public',
    responses,
    without: [503],
  });
}
