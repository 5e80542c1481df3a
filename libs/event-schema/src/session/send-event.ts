import { z } from 'zod';
import { textSchema } from '../text';
import {
  fileIdSchema,
  MAX_SESSION_TEXT_LENGTH,
  sentMessageContent,
  sentResultContent,
  sentSystemContent,
} from './content-blocks';
import type { SendableSessionEventType } from './event-types';
import { sessionEventIdSchema } from './session-ids';

/** Longest reason of a refusal, in Unicode characters. */
export const MAX_DENY_MESSAGE_LENGTH = 10_000;

/** Longest rubric, in Unicode characters. */
export const MAX_RUBRIC_LENGTH = 262_144;

/** Most evaluations of an outcome. */
export const MAX_OUTCOME_ITERATIONS = 20;

const isError = z.boolean().nullable().optional();

export const rubricSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), content: textSchema(MAX_RUBRIC_LENGTH).min(1) }),
  z.strictObject({ type: z.literal('file'), file_id: fileIdSchema }),
]);

const toolConfirmation = z
  .strictObject({
    type: z.literal('user.tool_confirmation'),
    tool_use_id: sessionEventIdSchema,
    result: z.enum(['allow', 'deny']),
    deny_message: textSchema(MAX_DENY_MESSAGE_LENGTH).nullable().optional(),
  })
  .refine(({ result, deny_message: message }) => result === 'deny' || message === undefined || message === null, {
    error: 'is only allowed when result is "deny"',
    path: ['deny_message'],
  });

/** What each type that can be sent has to be. */
export const SEND_EVENT_SCHEMAS = {
  'user.message': z.strictObject({ type: z.literal('user.message'), content: sentMessageContent }),
  'user.interrupt': z.strictObject({
    type: z.literal('user.interrupt'),
    session_thread_id: sessionEventIdSchema.nullable().optional(),
  }),
  'user.tool_confirmation': toolConfirmation,
  'user.custom_tool_result': z.strictObject({
    type: z.literal('user.custom_tool_result'),
    custom_tool_use_id: sessionEventIdSchema,
    content: sentResultContent.optional(),
    is_error: isError,
  }),
  'user.tool_result': z.strictObject({
    type: z.literal('user.tool_result'),
    tool_use_id: sessionEventIdSchema,
    content: sentResultContent.optional(),
    is_error: isError,
  }),
  'user.define_outcome': z.strictObject({
    type: z.literal('user.define_outcome'),
    description: textSchema(MAX_SESSION_TEXT_LENGTH).min(1),
    rubric: rubricSchema,
    max_iterations: z.int().min(1).max(MAX_OUTCOME_ITERATIONS).nullable().optional(),
  }),
  'system.message': z.strictObject({ type: z.literal('system.message'), content: sentSystemContent }),
} satisfies Record<SendableSessionEventType, z.ZodType>;

/**
 * One event of `events.send`, as it comes in. Strict: a member that is not known is refused. What follows from the state
 * of the session, and the places where a `system.message` may stand, are not checked here.
 */
export const sendSessionEventSchema = z.discriminatedUnion('type', [
  SEND_EVENT_SCHEMAS['user.message'],
  SEND_EVENT_SCHEMAS['user.interrupt'],
  SEND_EVENT_SCHEMAS['user.tool_confirmation'],
  SEND_EVENT_SCHEMAS['user.custom_tool_result'],
  SEND_EVENT_SCHEMAS['user.tool_result'],
  SEND_EVENT_SCHEMAS['user.define_outcome'],
  SEND_EVENT_SCHEMAS['system.message'],
]);

export type SendSessionEvent = z.infer<typeof sendSessionEventSchema>;
