import { MAX_REGISTRY_LABEL_LENGTH, MAX_REGISTRY_TEXT_LENGTH } from '@sluice/event-schema';
import { cleanText } from '../clean-text';
import type { ValidationRequestedFact, ValidationRespondedFact } from '../facts';
import { agentKey } from './documents';
import type { LedgerRun, Origin } from './ledger-run';

export function applyValidationRequested(run: LedgerRun, origin: Origin, fact: ValidationRequestedFact): void {
  const { tokenId, validator, requestUri, requestHash } = fact;
  if (run.find(agentKey(tokenId)) === undefined) return run.ignore('unknown_agent');
  run.emit(origin, 'validation_requested', tokenId, {
    validator,
    requestUri: cleanText(requestUri, MAX_REGISTRY_TEXT_LENGTH),
    requestHash,
  });
}

export function applyValidationResponded(run: LedgerRun, origin: Origin, fact: ValidationRespondedFact): void {
  const { tokenId, validator, requestHash, response, responseUri, responseHash, tag } = fact;
  if (run.find(agentKey(tokenId)) === undefined) return run.ignore('unknown_agent');
  if (!Number.isInteger(response) || response < 0 || response > 255) return run.ignore('malformed_fact');
  run.emit(origin, 'validation_responded', tokenId, {
    validator,
    requestHash,
    response,
    responseUri: cleanText(responseUri, MAX_REGISTRY_TEXT_LENGTH),
    responseHash,
    tag: cleanText(tag, MAX_REGISTRY_LABEL_LENGTH),
  });
}
