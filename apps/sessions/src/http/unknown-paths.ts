import { toHttpError } from '@sluice/service-runtime';
import type { FastifyInstance } from 'fastify';
import type { SessionSignals } from '../signals';
import { answerSdkError } from './sdk-errors';

/** What clients of the SDK ask this app for; other apps of the process have doors beside these. */
const OWN_PATHS = ['/v1/sessions', '/v1/agents', '/v1/environments', '/v1/vaults', '/v1/files', '/runtime/v1'] as const;

/** Answers what is below the paths of this app, and is no operation, as the SDK knows it. */
export function answerUnknownPaths(
  { errorForms }: Pick<FastifyInstance, 'errorForms'>,
  signals: Pick<SessionSignals, 'refused'>,
): void {
  for (const path of OWN_PATHS) {
    errorForms.add(path, (thrown, request, reply) => {
      const error = toHttpError(thrown);
      signals.refused(error, request);
      answerSdkError(error, request, reply);
    });
  }
}
