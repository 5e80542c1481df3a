import { callerLimitsSchema, ROLES, type ApiKeySummary, type MintedToken } from '@sluice/access';
import type { EntitySummary } from '@sluice/event-log';
import {
  eventFamilySchema,
  recordedEventSchema,
  sandboxEventSchema,
  timestampMsSchema,
  workspaceIdSchema,
} from '@sluice/event-schema';
import type { SandboxActivity } from '@sluice/read-model';
import { DELIVERY_OUTCOMES } from '@sluice/webhook-delivery';
import { z } from 'zod';
import type { ReplayOutcome } from '../admin/parked-replay';
import type { LagReport } from '../admin/projection-lag';
import type { CreatedKey } from './admin-keys.controller';
import type { ParkedView } from './parked-view';
import type { Stats } from './stats.controller';
import type { DeliveryPage } from './webhook-deliveries.controller';

/** What the doors of this app answer, for the description of the API. The compiler compares each with what is answered. */

export const cursorSchema = z.string().meta({ description: 'A cursor: it continues at any door.' });

const nextCursor = cursorSchema.optional().meta({ description: 'Where the next page starts; absent on the last.' });

export const resetSchema = z
  .object({ reason: z.enum(['epoch_changed', 'future_cursor', 'no_longer_kept']), cursor: cursorSchema })
  .optional()
  .meta({
    description:
      'Some of what comes after the cursor that was sent, up to the one here, is not kept any more. What is kept is on this page and the next ones.',
  });

export const eventPageSchema = z.object({
  events: z.array(recordedEventSchema),
  headCursor: cursorSchema,
  nextCursor,
  reset: resetSchema,
});

export const sandboxEventPageSchema = z.object({
  success: z.literal(true),
  data: z.object({
    sandboxId: z.string(),
    events: z.array(sandboxEventSchema.extend({ cursor: cursorSchema })),
    count: z.int(),
    nextCursor,
    reset: resetSchema,
  }),
});

/** A CloudEvent as it is served. */
export const servedCloudEventSchema = z.object({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.string(),
  subject: z.string(),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  workspaceid: z.string(),
  schemaversion: z.string(),
  correlationid: z.string().optional(),
  causationid: z.string().optional(),
  traceparent: z.string().optional(),
  data: z.record(z.string(), z.unknown()),
});

const positionSchema = z.int().min(0);

/** A type without the brands of its numbers: they are nothing on the wire. */
type Plain<T> = T extends number
  ? number
  : T extends readonly (infer U)[]
    ? readonly Plain<U>[]
    : T extends object
      ? { readonly [K in keyof T]: Plain<T[K]> }
      : T;

const entitySchema: z.ZodType<Plain<EntitySummary>> = z.object({
  workspaceId: workspaceIdSchema,
  family: eventFamilySchema,
  entityId: z.string(),
  eventCount: z.int(),
  firstPosition: positionSchema,
  lastPosition: positionSchema,
  lastOccurredAt: timestampMsSchema,
});

export const entityPageSchema = z.object({
  entities: z.array(entitySchema),
  nextCursor: z.string().optional().meta({ description: 'For the next page of this list; absent on the last.' }),
});

export const sandboxActivitySchema: z.ZodType<SandboxActivity> = z.object({
  workspaceId: workspaceIdSchema,
  sandboxId: z.string(),
  status: z.enum(['unknown', 'ready', 'shut_down', 'failed']),
  executionsStarted: z.int(),
  executionsCompleted: z.int(),
  executionsFailed: z.int(),
  lastPosition: positionSchema,
  lastOccurredAt: timestampMsSchema,
});

export const statsSchema: z.ZodType<Stats> = z.object({
  workspaceId: workspaceIdSchema.nullable(),
  head: z.object({ position: positionSchema, cursor: cursorSchema }),
  parkedRecords: z.int().optional().meta({ description: 'For operators: of the whole platform.' }),
  lagEvents: z.int().optional().meta({ description: 'For operators: records that are not projected yet.' }),
});

const laneSchema = z.object({
  lane: z.int(),
  end: z.int().meta({ description: 'The index that the next stored record will have.' }),
  checkpoint: z.int().meta({ description: 'The index of the next record to project.' }),
  behind: z.int(),
});

export const lagSchema: z.ZodType<Plain<LagReport>> = z.object({
  events: z.int().meta({ description: 'Records of all lanes that are not projected yet.' }),
  lanes: z.array(laneSchema),
});

export const createdKeySchema: z.ZodType<CreatedKey> = z.object({
  keyId: z.uuid(),
  apiKey: z.string().meta({ description: 'The text of the key. It is shown here and never again.' }),
  workspaceId: workspaceIdSchema.nullable(),
  role: z.enum(ROLES),
  name: z.string(),
  expiresAt: timestampMsSchema.optional(),
});

const keySummarySchema: z.ZodType<ApiKeySummary> = z.object({
  keyId: z.uuid(),
  workspaceId: workspaceIdSchema.nullable(),
  role: z.enum(ROLES),
  name: z.string(),
  createdAt: timestampMsSchema,
  expiresAt: timestampMsSchema.optional(),
  revokedAt: timestampMsSchema.optional(),
  limits: callerLimitsSchema.optional(),
});

export const keysSchema = z.object({ keys: z.array(keySummarySchema) });

export const revokedKeySchema = z.object({ keyId: z.uuid(), revoked: z.literal(true) });

export const mintedTokenSchema: z.ZodType<MintedToken> = z.object({
  accessToken: z.string(),
  expiresAt: timestampMsSchema,
});

const parkedSchema: z.ZodType<ParkedView> = z.object({
  parkedId: z.int(),
  lane: z.int(),
  index: z.int(),
  reason: z.string(),
  detail: z.string(),
  parkedAt: timestampMsSchema,
  replayedAt: timestampMsSchema.optional(),
  workspaceId: workspaceIdSchema.optional(),
  eventId: z.string().optional(),
  value: z.string(),
  encoding: z.enum(['utf8', 'base64']),
  valueBytes: z.int(),
  truncated: z.boolean(),
});

export const parkedPageSchema = z.object({
  parked: z.array(parkedSchema),
  nextAfter: z.int().optional(),
});

export const deliveryPageSchema: z.ZodType<DeliveryPage> = z.object({
  deliveries: z.array(
    z.object({
      deliveryId: z.int(),
      kind: z.enum(['event', 'replay', 'ping', 'reset']),
      outcome: z.enum(DELIVERY_OUTCOMES),
      at: timestampMsSchema,
      eventId: z.string().optional().meta({ description: '`webhook-id` of the request.' }),
      eventType: z.string().optional(),
      position: positionSchema.optional(),
      attempt: z.int().optional(),
      durationMs: z.int().optional(),
      status: z.int().optional().meta({ description: 'Of the answer; absent where there was none.' }),
      error: z.string().optional().meta({ description: 'Why there was no answer.' }),
      reason: z
        .string()
        .optional()
        .meta({ description: 'What the network or TLS says of it, such as `ECONNREFUSED`.' }),
      answer: z.string().optional().meta({ description: 'How the answer begins, at most 500 characters.' }),
      nextAttemptAt: timestampMsSchema.optional(),
      reset: z.object({ reason: z.string(), requested: cursorSchema, at: cursorSchema }).optional().meta({
        description: 'The cursor that could not be honoured, and where it goes on: what lies between was not sent.',
      }),
    }),
  ),
  nextBefore: z.int().optional().meta({ description: 'Absent on the last page.' }),
});

const outcomeSchema: z.ZodType<ReplayOutcome> = z.union([
  z.object({ parkedId: z.int(), outcome: z.literal('replayed') }),
  z.object({ parkedId: z.int(), outcome: z.literal('not_replayable'), reason: z.string() }),
  z.object({ parkedId: z.int(), outcome: z.literal('not_found') }),
]);

export const replayReportSchema = z.object({
  replayed: z.int(),
  refused: z.int(),
  results: z.array(outcomeSchema),
  nextAfter: z.int().optional(),
});
