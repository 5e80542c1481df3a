import { MAX_REPORTED_EVENTS, type SessionDeltas, type SessionStore } from '@sluice/agent-sessions';
import { defineOperation } from '@sluice/api-description';
import { SluiceError } from '@sluice/event-log';
import { engineReportEntrySchema, isSessionDelta, type EngineSessionEvent } from '@sluice/event-schema';
import { toHttpError, validate } from '@sluice/service-runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { EngineReports } from '../journal/engine-reports';
import { RunDeltas } from '../journal/run-deltas';
import { idField } from '../sessions/session-params';
import type { SessionSignals } from '../signals';
import { MAX_REPORT_BYTES, ReportGuard, type AdmittedReport, type ReportGuardPorts } from './report-guard';
import { SDK_REQUEST_ID_HEADER, sdkErrorSchema, toSdkError } from './sdk-errors';

const counter = z.int().min(0).optional();

const reportPath = z.object({ sessionId: idField, runId: idField });

const reportBody = z.strictObject({
  run_id: z.string(),
  events: z.array(engineReportEntrySchema).min(1).max(MAX_REPORTED_EVENTS),
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
    'For engines: the URL and the secret come with each run. Signed by Standard Webhooks; no API key. All events are stored, or none. `event_start` and `event_delta` are shown to streams that ask for them, and never stored.',
  tag: 'engines',
  access: 'public',
  parameters: { path: reportPath, headers: signatureHeaders },
  body: { 'application/json': reportBody },
  responses: {
    200: {
      description:
        'The events are stored and can be read, and the deltas are on their way, by this delivery or by an earlier one of the same id.',
      content: { 'application/json': z.object({ accepted: z.int() }) },
    },
    400: { description: 'Not such a report, or not of this run. Nothing is stored.' },
    401: { description: 'Not signed by the secret of such a run, or not lately.' },
    409: { description: 'The run is over: the engine has to stop.' },
  },
  errorBody: sdkErrorSchema,
});

declare module 'fastify' {
  interface FastifyRequest {
    /** What the head of a report says, once it is let in. */
    admittedReport?: AdmittedReport;
  }
}

export interface CallbackPorts extends ReportGuardPorts {
  readonly store: Pick<SessionStore, 'lastState' | 'load'>;
  readonly reports: Pick<EngineReports, 'take'>;
  readonly deltas: Pick<SessionDeltas, 'publish'>;
  readonly signals: Pick<SessionSignals, 'refused'>;
}

/** The way in for engines that somebody else runs. */
export function openCallbacks(fastify: FastifyInstance, ports: CallbackPorts): void {
  const deltas = new RunDeltas(ports.store, ports.deltas);
  const guard = new ReportGuard(ports);
  // A scope of its own: here bodies are bytes, as the signature is over what came.
  fastify.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer', bodyLimit: MAX_REPORT_BYTES },
      (_request, body, parsed) => parsed(null, body),
    );
    const parseJson = scope.getDefaultJsonParser('error', 'error');
    scope.route({
      method: 'POST',
      url: callbackOperation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      bodyLimit: MAX_REPORT_BYTES,
      // Counted by the guard: strangers take no room from callers with a key.
      config: { streamedBody: true },
      errorHandler: (error, request, reply) => refuse(error, request, reply, ports.signals),
      onRequest: async (request, reply) => {
        reply.header(SDK_REQUEST_ID_HEADER, request.id);
        // Strangers are turned away before their body is read.
        const place = validate(reportPath, request.params, 'path');
        request.admittedReport = await guard.admit(place, request, reply);
      },
      handler: async (request, reply) => {
        const accepted = await takeReport({ reports: ports.reports, deltas, guard }, request, (text) =>
          parseText(parseJson, request, text),
        );
        reply.type('application/json');
        return JSON.stringify({ accepted });
      },
    });
    done();
  });
}

async function takeReport(
  {
    reports,
    deltas,
    guard,
  }: Pick<CallbackPorts, 'reports'> & { readonly deltas: RunDeltas; readonly guard: ReportGuard },
  request: FastifyRequest,
  parse: (text: string) => Promise<unknown>,
): Promise<number> {
  const { admittedReport: report } = request;
  if (report === undefined) throw new SluiceError('unauthorized', 'Not let in');
  const { workspaceId, sessionId, runId } = report;
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const webhookId = await guard.verify(report, request, bytes);
  const body = validate(reportBody, await parse(bytes.toString('utf8')));
  if (body.run_id !== runId) {
    throw new SluiceError('invalid_request', 'run_id: must be the run of the path', { where: 'run_id' });
  }
  guard.charge(report, body.events.length);
  const { usage_delta: usageDelta } = body;
  const shown = body.events.filter(isSessionDelta);
  const events = body.events.filter((entry): entry is EngineSessionEvent => !isSessionDelta(entry));
  const deliveryId = `webhook/${webhookId}`;
  // Before the events, which end what is shown of them.
  const isActive =
    shown.length > 0 && (await deltas.take({ workspaceId, sessionId, runId, deltas: shown, deliveryId }));
  if (events.length === 0 && usageDelta === undefined) {
    // There is nothing to store that would find out.
    if (!isActive) throw new SluiceError('conflict', 'The run is not the active run of the session');
    return shown.length;
  }
  try {
    await reports.take({
      workspaceId,
      sessionId,
      report: { runId, events, ...(usageDelta !== undefined && { usageDelta: countersOf(usageDelta) }) },
      deliveryId,
    });
  } catch (error) {
    // Deleted: to its engine that is the end of the run, like any other.
    if (!(error instanceof SluiceError) || error.code !== 'not_found') throw error;
    throw new SluiceError('conflict', 'The session is deleted');
  }
  return body.events.length;
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
