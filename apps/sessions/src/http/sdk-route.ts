import type { Action } from '@sluice/access';
import { defineOperation, type HttpMethod, type Operation, type ResponseContent } from '@sluice/api-description';
import { workspaceIdSchema } from '@sluice/event-schema';
import { z } from 'zod';
import { sdkErrorSchema } from './sdk-errors';

const JSON_TYPE = 'application/json';

/** The headers of every call, beyond its credentials and what is ignored. */
export const callHeaders = z.object({
  'anthropic-workspace-id': z
    .string()
    .regex(/^[1-9]\d{0,9}$/, 'must be the number of a workspace')
    .transform(Number)
    .pipe(workspaceIdSchema)
    .optional()
    .meta({ description: 'Has to be the workspace of the key; operators name theirs by it, or by `workspaceId`.' }),
});

/** The headers of calls that make something, beyond what the SDK sends. */
export const changeHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(256)
    .optional()
    .meta({ description: 'A call that is repeated with the same key has the effect of one.' }),
});

const OPERATOR_WORKSPACE = z
  .string()
  .regex(/^\d{1,10}$/, 'must be a number')
  .transform(Number)
  .pipe(workspaceIdSchema.min(1))
  .optional()
  .meta({ description: 'For operators, who have to name a workspace.' });

export interface SdkRouteOptions<P extends z.ZodObject, Q extends z.ZodRawShape, B extends z.ZodType> {
  readonly method: HttpMethod;
  /** With parameters in braces. */
  readonly path: string;
  readonly tag:
    | 'sessions'
    | 'session events'
    | 'threads'
    | 'session resources'
    | 'agents'
    | 'environments'
    | 'files'
    | 'vaults'
    | 'engines';
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  /** Members of the query, by their names as they come: `types[]`. What else comes is ignored, as the SDK sends more. */
  readonly query?: Q;
  readonly body?: B;
  /** The parts of a form, in place of a body. */
  readonly form?: z.ZodObject;
  /** What success carries; `stream` and `bytes` are not JSON. */
  readonly answer: z.ZodType | 'stream' | 'bytes';
  /** The default is `read` for `GET` and `append` for the rest. */
  readonly action?: Action;
  /**
   * Whether a call that is repeated with its `Idempotency-Key` has the effect of one. The default is what is not `GET`;
   * what has no other effect when it comes again needs none.
   */
  readonly takesKey?: boolean;
  /** Other answers than those of every route, by status. */
  readonly refusals?: Readonly<Record<number, string>>;
}

export interface SdkRoute<P extends z.ZodObject, Q extends z.ZodRawShape, B extends z.ZodType> {
  readonly operation: Operation;
  readonly action: Action;
  readonly params: P;
  readonly query: z.ZodObject<Q & { workspaceId: typeof OPERATOR_WORKSPACE }, z.core.$loose>;
  readonly body: B | undefined;
}

export type NoPath = z.ZodObject<Record<never, never>>;

/** A route of the SDK's surface: its description and the schemas that its requests are read by are one. */
export function defineSdkRoute<
  P extends z.ZodObject = NoPath,
  Q extends z.ZodRawShape = Record<never, never>,
  B extends z.ZodType = z.ZodUndefined,
>(options: SdkRouteOptions<P, Q, B>): SdkRoute<P, Q, B> {
  const { method, path, tag, summary, description, params, body, form, answer, refusals = {} } = options;
  const query = z.looseObject({ ...(options.query as Q), workspaceId: OPERATOR_WORKSPACE });
  const isReading = method === 'GET';
  const { takesKey = !isReading } = options;
  const content = contentOf(answer);
  const operation = defineOperation({
    method,
    path,
    app: 'sessions',
    summary,
    ...(description !== undefined && { description }),
    tag,
    access: 'key',
    parameters: {
      ...(params && { path: params }),
      query,
      headers: takesKey ? changeHeaders.extend(callHeaders.shape) : callHeaders,
    },
    ...(body && { body: { [JSON_TYPE]: body } }),
    ...(form && { body: { 'multipart/form-data': form } }),
    responses: {
      200: { description: 'What was asked for, or what it is now.', content },
      ...Object.fromEntries(Object.entries(refusals).map(([status, why]) => [status, { description: why }])),
    },
    errorBody: sdkErrorSchema,
  });
  return {
    operation,
    action: options.action ?? (isReading ? 'read' : 'append'),
    params: params ?? (z.object({}) as P),
    query,
    body,
  };
}

function contentOf(answer: z.ZodType | 'stream' | 'bytes'): Readonly<Record<string, ResponseContent>> {
  if (answer === 'stream') return { 'text/event-stream': 'stream' };
  if (answer === 'bytes') return { 'application/octet-stream': z.string().meta({ format: 'binary' }) };
  return { [JSON_TYPE]: answer };
}
