import type { Action } from '@sluice/access';
import { defineOperation, type HttpMethod, type Operation, type OperationResponse } from '@sluice/api-description';
import { z } from 'zod';
import type { CommandScope } from '../journal/command-scope';
import { workspaceField } from './fields';

/** Longest idempotency key, in characters. */
const MAX_KEY_LENGTH = 256;

const JSON_TYPE = 'application/json';

/** The header of operations that change something. */
export const keyedHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(MAX_KEY_LENGTH)
    .optional()
    .meta({ description: 'A request that is repeated with the same key has the effect of one.' }),
});

/** What a route is: its description and the schemas that its requests are read by are one. */
export interface RouteOptions<P extends z.ZodObject, Q extends z.ZodRawShape, B extends z.ZodType> {
  readonly method: HttpMethod;
  /** With parameters in braces. */
  readonly path: string;
  readonly tag: 'tasks' | 'sessions' | 'agents' | 'group chats' | 'cron';
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  /** Besides `workspaceId`. */
  readonly query?: Q;
  readonly body?: B;
  /** The status of success and what it carries. */
  readonly status?: 200 | 201;
  readonly answer: z.ZodType;
  /** Other answers than those of every route, by status. */
  readonly refusals?: Readonly<Record<number, string>>;
}

export interface Route<P extends z.ZodObject, Q extends z.ZodRawShape, B extends z.ZodType> {
  readonly operation: Operation;
  readonly action: Action;
  readonly params: P;
  readonly query: z.ZodObject<Q & { workspaceId: typeof workspaceField }, z.core.$strict>;
  readonly body: B | undefined;
  readonly status: 200 | 201;
}

export type NoPath = z.ZodObject<Record<never, never>>;

/** A route of this app. What reads needs the right to read, everything else the right to append. */
export function defineRoute<
  P extends z.ZodObject = NoPath,
  Q extends z.ZodRawShape = Record<never, never>,
  B extends z.ZodType = z.ZodUndefined,
>(options: RouteOptions<P, Q, B>): Route<P, Q, B> {
  const { method, path, tag, summary, description, params, body, status = 200, answer, refusals = {} } = options;
  const query = z.strictObject({ ...(options.query as Q), workspaceId: workspaceField });
  const isReading = method === 'GET';
  const content = { [JSON_TYPE]: answer };
  const responses: Record<number, OperationResponse> = {
    [status]: { description: isReading ? 'What was asked for.' : 'Done, and readable.', content },
  };
  if (!isReading) responses[202] = { description: 'Done; it cannot be read yet.', content };
  for (const [code, why] of Object.entries(refusals)) responses[Number(code)] = { description: why };
  const operation = defineOperation({
    method,
    path,
    app: 'workspace',
    summary,
    ...(description !== undefined && { description }),
    tag,
    access: 'key',
    parameters: { ...(params && { path: params }), query, ...(!isReading && { headers: keyedHeaders }) },
    ...(body && { body: { [JSON_TYPE]: body } }),
    responses,
  });
  return {
    operation,
    action: isReading ? 'read' : 'append',
    params: params ?? (z.object({}) as P),
    query,
    body,
    status,
  };
}

/** A request, read. */
export interface Call<P extends z.ZodObject, Q extends z.ZodRawShape, B extends z.ZodType> {
  readonly scope: CommandScope;
  readonly params: z.output<P>;
  readonly query: z.output<z.ZodObject<Q>>;
  readonly body: z.output<B>;
}

/** What a handler gives: a body, and whether it cannot be read yet. */
export interface RouteAnswer {
  readonly body: object;
  readonly isPending?: boolean;
}
