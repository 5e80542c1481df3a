import { z } from 'zod';
import { anyContent } from './content-blocks';
import { ENGINE_FIELDS } from './engine-fields';
import { STORED_SESSION_EVENT_TYPES, type StoredSessionEventType } from './event-types';
import { sessionEventIdSchema } from './session-ids';
import { stopDetailsSchema, stopReasonSchema } from './session-outcomes';

/** Most inputs that one event can say are processed. */
export const MAX_PROCESSED_INPUTS = 5000;

/** The time of a session event: RFC 3339 in UTC, with milliseconds. */
export const sessionTimeSchema = z
  .string()
  .regex(
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/,
    'must be a time in UTC with milliseconds, as in 2026-01-31T09:30:00.000Z',
  );

/** What we note with an event. The sessions API never shows it. */
const notesSchema = z
  .looseObject({
    processed_inputs: z.array(sessionEventIdSchema).max(MAX_PROCESSED_INPUTS).optional(),
    run_id: z.string().optional(),
  })
  .meta({
    description: 'Notes of Sluice: the queued inputs that are processed with this event, and the run it is of.',
  });

const threadId = { session_thread_id: z.string().nullable().optional() };
const result = { content: anyContent.optional(), is_error: z.boolean().nullable().optional(), ...threadId };
const object = z.looseObject({});
const thread = { session_thread_id: z.string(), agent_name: z.string() };
const workflowRun = { workflow_run_id: z.string() };

/** The members of the types that no engine reports, beside `id`, `type` and `processed_at`. */
const OTHER_FIELDS = {
  'user.message': { content: anyContent },
  'user.interrupt': threadId,
  'user.tool_confirmation': {
    tool_use_id: sessionEventIdSchema,
    result: z.enum(['allow', 'deny']),
    deny_message: z.string().nullable().optional(),
    ...threadId,
  },
  'user.custom_tool_result': { custom_tool_use_id: sessionEventIdSchema, ...result },
  'user.tool_result': { tool_use_id: sessionEventIdSchema, ...result },
  'user.define_outcome': {
    outcome_id: z.string(),
    description: z.string(),
    rubric: z.looseObject({ type: z.enum(['text', 'file']) }),
    max_iterations: z.int().nullable().optional(),
  },
  'system.message': { content: anyContent },
  'session.updated': {
    agent: object.nullable().optional(),
    budget: object.nullable().optional(),
    metadata: z.record(z.string(), z.string()).optional(),
    title: z.string().nullable().optional(),
  },
  'session.usage': { usage: object, budget: object.nullable().optional() },
  'session.thread_created': { ...thread, workflow_run_id: z.string().nullable() },
  'session.thread_status_running': thread,
  'session.thread_status_idle': {
    ...thread,
    stop_reason: stopReasonSchema,
    stop_details: stopDetailsSchema.optional(),
  },
  'session.thread_status_rescheduled': thread,
  'session.thread_status_terminated': thread,
  'workflow_run.created': workflowRun,
  'workflow_run.status_running': workflowRun,
  'workflow_run.status_idle': workflowRun,
  'workflow_run.status_ended': workflowRun,
  'workflow_run.error': workflowRun,
  'workflow_run.phase_started': workflowRun,
  'workflow_run.phase_ended': workflowRun,
  'session.deleted': {},
  'session.created': {},
  'session.archived': {},
} satisfies Record<Exclude<StoredSessionEventType, keyof typeof ENGINE_FIELDS>, z.ZodRawShape>;

const FIELDS: Readonly<Record<StoredSessionEventType, z.core.$ZodLooseShape>> = { ...OTHER_FIELDS, ...ENGINE_FIELDS };

/** The data of a stored session event: the event in the form of clients, and our notes. */
export type SessionEventData = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly type: string;
  /** Null while it waits for its run. */
  readonly processed_at: string | null;
  readonly sluice?: SessionEventNotes | undefined;
};

export type SessionEventNotes = z.infer<typeof notesSchema>;

/** What applications send waits with null until its run begins; all else is processed at once. */
const timeOf = (type: StoredSessionEventType) =>
  type.startsWith('user.') || type.startsWith('system.') ? sessionTimeSchema.nullable() : sessionTimeSchema;

const schemaOf = (type: StoredSessionEventType): z.ZodType<SessionEventData> =>
  z.looseObject({
    id: sessionEventIdSchema,
    type: z.literal(type),
    processed_at: timeOf(type),
    ...FIELDS[type],
    sluice: notesSchema.optional(),
  });

const SCHEMAS = Object.fromEntries(STORED_SESSION_EVENT_TYPES.map((type) => [type, schemaOf(type)])) as Readonly<
  Record<StoredSessionEventType, z.ZodType<SessionEventData>>
>;

/** What the data of a session event of this type has to be. Members that it does not know are kept. */
export function sessionEventDataSchema(type: StoredSessionEventType): z.ZodType<SessionEventData> {
  return SCHEMAS[type];
}
