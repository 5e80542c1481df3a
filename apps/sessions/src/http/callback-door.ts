import { MAX_REPORTED_EVENTS, type SessionState, type SessionStore } from '@sluice/agent-sessions';
import { defineOperation } from '@sluice/api-description';
import { SluiceError } from '@sluice/event-log';
import { engineSessionEventSchema } from '@sluice/event-schema';
import { newWebhookSecret, verifyWebhook } from '@sluice/signed-webhooks';
import { toHttpError, validate } from '@sluice/service-runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Clock } from '../clock';
import type { EngineReports } from '../journal/engine-reports';
import { idField } from '../sessions/session-params';
import type { SessionSignals } from '../signals';
import { SDK_REQUEST_ID_HEADER } from './sdk-door';
import { sdkErrorSchema, toSdkError } from './sdk-errors';

/** Largest report. */
export const MAX_REPORT_BYTES = 8 * 1024 * 1024;

const counter = z.int().min(0).optional();

const reportPath = z.object({ sessionId: idField, runId: idField });

const reportBody = z.strictObject({
  run_id: z.string(),
  events: z.array(engineSessionEventSchema).min(1).max(MAX_REPORTED_EVENTS),
  usage_delta: z
    .looseObject({
      input_tokens: counter,
      output_tokens: counter,
      cache_read_input_tokens: counter,
      cache_creation_input_tokens: counter,
      cache_creation: z
        .looseObject({ ephemeral_1h_input_tokens: counter, ephemeral_5m_input_tokens: counter })
        .optional(),
    })
    .optional(),
});

const signatureHeaders = z.object({
  'webhook-id': z.string().meta({ description: 'Names the delivery: the same again has the effect of one.' }),
  'webhook-timestamp': z.string().meta({ description: 'Seconds since 1970; at most 300 s off.' }),
  'webhook-signature': z.string().meta({ description: '`v1,<base64>`, by the secret of the run.' }),
});

export const callbackOperation = defineOperation({
  method: 'POST',
  path: '/runtime/v1/sessions/{sessionId}/runs/{runId}/events',
  app: 'sessions',
  summary: 'Report events of a run',
  description:
    'For engines: the URL and the secret come with each run. Signed by Standard Webhooks; no API key. All events are stored, or none.',
  tag: 'engines',
  access: 'public',
  parameters: { path: reportPath, headers: signatureHeaders },
  body: { 'application/json': reportBody },
  responses: {
    200: {
      description: 'The events are stored and can be read, by this delivery or by an earlier one of the same id.',
      content: { 'application/json': z.object({ accepted: z.int() }) },
    },
    400: { description: 'Not such a report, or not of this run. Nothing is stored.' },
    401: { description: 'Not signed by the secret of such a run, or not lately.' },
    409: { description: 'The run is over: the engine has to stop.' },
  },
  errorBody: sdkErrorSchema,
});

export interface CallbackPorts {
  readonly store: Pick<SessionStore, 'lastState'>;
  readonly reports: Pick<EngineReports, 'take'>;
  readonly clock: Clock;
  readonly signals: Pick<SessionSignals, 'refused'>;
}

/** The way in for engines that somebody else runs. */
export function openCallbacks(fastify: FastifyInstance, ports: CallbackPorts): void {
  // A scope of its own: here bodies are bytes, as the signature is over what came.
  fastify.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_REPORT_BYTES }, (_request, body, parsed) =>
      parsed(null, body),
    );
    const parseJson = scope.getDefaultJsonParser('error', 'error');
    scope.route({
      method: 'POST',
      url: callbackOperation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      bodyLimit: MAX_REPORT_BYTES,
      errorHandler: (error, request, reply) => refuse(error, request, reply, ports.signals),
      onRequest: async (request, reply) => {
        reply.header(SDK_REQUEST_ID_HEADER, request.id);
      },
      handler: async (request, reply) => {
        const accepted = await takeReport(ports, request, (text) => parseText(parseJson, request, text));
        reply.type('application/json');
        return JSON.stringify({ accepted });
      },
    });
    done();
  });
}

async function takeReport(
  { store, reports, clock }: CallbackPorts,
  request: FastifyRequest,
  parse: (text: string) => Promise<unknown>,
): Promise<number> {
  const { sessionId, runId } = validate(reportPath, request.params, 'path');
  const state = await store.lastState(sessionId);
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  // Of a run that is not there, as of one whose secret the caller does not know.
  const secret = (state && secretOf(state, runId)) ?? newWebhookSecret();
  const verdict = verifyWebhook({ secrets: [secret], headers: request.headers, body: bytes, nowMs: clock.now() });
  if (!verdict.ok || state === undefined) {
    throw new SluiceError('unauthorized', 'Not signed by the secret of such a run, or not lately');
  }
  const body = validate(reportBody, await parse(bytes.toString('utf8')));
  if (body.run_id !== runId) {
    throw new SluiceError('invalid_request', 'run_id: must be the run of the path', { where: 'run_id' });
  }
  const { events, usage_delta: usageDelta } = body;
  try {
    await reports.take({
      workspaceId: state.workspaceId,
      sessionId,
      report: { runId, events, ...(usageDelta !== undefined && { usageDelta: countersOf(usageDelta) }) },
      deliveryId: `webhook/${verdict.id}`,
    });
  } catch (error) {
    // Deleted: to its engine that is the end of the run, like any other.
    if (!(error instanceof SluiceError) || error.code !== 'not_found') throw error;
    throw new SluiceError('conflict', 'The session is deleted');
  }
  return events.length;
}

/** Of the active run or one of the last ones, so that a late report is told from one of a stranger. */
function secretOf({ run, endedRuns }: SessionState, runId: string): string | undefined {
  return [...endedRuns, ...(run ? [run] : [])].find(({ id }) => id === runId)?.callbackSecret;
}

/** Only those that are counted. */
function countersOf(delta: NonNullable<z.output<typeof reportBody>['usage_delta']>) {
  const {
    input_tokens,
    output_tokens,
    cache_read_input_tokens,
    cache_creation_input_tokens,
    cache_creation: { ephemeral_1h_input_tokens, ephemeral_5m_input_tokens } = {},
  } = delta;
  const counters = { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens };
  const creation = present({ ephemeral_1h_input_tokens, ephemeral_5m_input_tokens });
  return { ...present(counters), ...(Object.keys(creation).length > 0 && { cache_creation: creation }) };
}

function present<T extends Readonly<Record<string, number | undefined>>>(values: T): { [Name in keyof T]?: number } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: number;
  };
}

type JsonParser = ReturnType<FastifyInstance['getDefaultJsonParser']>;

function parseText(parseJson: JsonParser, request: FastifyRequest, text: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    void parseJson(request, text, (error, body) => {
      if (error) reject(new SluiceError('invalid_json', 'Body is not valid JSON', { cause: error }));
      else resolve(body);
    });
  });
}

function refuse(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  signals: Pick<SessionSignals, 'refused'>,
): void {
  const error = toHttpError(thrown);
  signals.refused(error, request);
  const { status, headers, body } = toSdkError(error, request.id);
  void reply
    .code(status)
    .headers({ ...headers, [SDK_REQUEST_ID_HEADER]: request.id })
    .type('application/json')
    .send(body);
}
