import type { z } from 'zod';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';

/**
 * Who may call: `public` anyone; `key` the holder of an API key or of an access token of a sandbox; `operator` the holder
 * of an operator's key; `key_or_token` as `key`, and the bearer of a stream token (`?token=` or `Authorization`).
 */
export type OperationAccess = 'public' | 'key' | 'operator' | 'key_or_token';

/** What a media type carries: a value of a schema, or a stream of which a channel says more. */
export type ResponseContent = z.ZodType | 'stream';

/** One answer of an operation, by its status. */
export interface OperationResponse {
  readonly description: string;
  /** By media type. An answer without content has no body, but a refusal: that has the usual one. */
  readonly content?: Readonly<Record<string, ResponseContent>>;
}

/** One HTTP operation, described with the very schemas that its door uses. */
export interface Operation {
  readonly method: HttpMethod;
  /** With parameters in braces: `/v1/events/{eventId}`. */
  readonly path: string;
  /** The app that has the door, for example `ingest`; `every` for what each process has. */
  readonly app: string;
  /** One line. */
  readonly summary: string;
  readonly description?: string;
  /** The group under which it is shown. */
  readonly tag: string;
  readonly access: OperationAccess;
  readonly parameters?: {
    readonly path?: z.ZodObject;
    readonly query?: z.ZodObject;
    readonly headers?: z.ZodObject;
  };
  /** By media type. */
  readonly body?: Readonly<Record<string, z.ZodType>>;
  /** By status. The refusals that every operation of its kind may answer (401, 429, 503 …) are added to them. */
  readonly responses: Readonly<Record<number, OperationResponse>>;
  /** The body of those refusals, where a door has a form of its own. */
  readonly errorBody?: z.ZodType;
  /** Statuses of those refusals that this operation never answers. */
  readonly without?: readonly number[];
}

/** The operation as it is; the compiler checks it where it is written. */
export function defineOperation(operation: Operation): Operation {
  return operation;
}
