import { MAX_REGISTRATION_ERROR_LENGTH, MAX_REGISTRY_TEXT_LENGTH, type AgentRegistration } from '@sluice/event-schema';
import { cleanText } from '../clean-text';
import { changedFields, NO_FILE } from '../files/changed-fields';
import { inlineFile, isInlineUri, isMutableUri } from '../files/file-uri';
import { parseRegistrationFile } from '../files/parse-registration-file';
import type { FileReading, RegistrationFile } from '../files/registration-file';
import type { FileValue } from './documents';
import type { LedgerContext } from './ledger-types';

/** How long after a first failure a file is read again; doubled with each further one, up to the interval of re-reads. */
const FIRST_RETRY_MS = 30_000;

/** The registration of an agent as events carry it. */
export type RegistrationDetail = { readonly [Key in keyof AgentRegistration]: DetailOf<Key> };
type DetailOf<Key extends keyof AgentRegistration> = Key extends 'file'
  ? RegistrationFile | undefined
  : Key extends 'metadata'
    ? Readonly<Record<string, string>> | undefined
    : AgentRegistration[Key];

/** A registration file as it is from now on, and what an event says of that. */
export interface FileStep {
  readonly value: FileValue;
  readonly dueAt?: number;
  /** Fields of the file that are other than before. */
  readonly changes: readonly string[];
  readonly detail: RegistrationDetail;
}

/** The URI as documents and events have it. What is kept already stays as it is: by that it is known again. */
export function keptUri(uri: string): string {
  // What is cleaned away may have stood before a space.
  return cleanText(uri.trim(), MAX_REGISTRY_TEXT_LENGTH).trim();
}

/** What a new URI makes of the file: what is known of it already, or that it is to be read. */
export function stepToUri(
  before: FileValue | undefined,
  rawUri: string,
  tokenId: string,
  context: LedgerContext,
): FileStep {
  const uri = keptUri(rawUri);
  if (uri === '') {
    const value: FileValue = { uri, status: 'none', failures: 0 };
    const detail = before?.file !== undefined ? { uri, file: namedFile(NO_FILE, tokenId) } : { uri };
    return { value, changes: changedFields(before?.file, NO_FILE), detail };
  }
  const reading = knownReading(rawUri, uri, context);
  // A fault is one of the URI that could not be read.
  const { error: _error, ...kept } = before ?? {};
  const value: FileValue = { ...kept, uri, status: 'pending', failures: 0 };
  if (reading !== undefined) return stepToReading(value, uri, reading, tokenId, context);
  return { value, dueAt: context.nowMs, changes: [], detail: { uri } };
}

/** What is known of the file of a URI without waiting. */
function knownReading(rawUri: string, uri: string, { files, nowMs }: LedgerContext): FileReading | undefined {
  const inline = inlineFile(rawUri);
  if (inline === undefined) {
    if (!isTooLongUri(rawUri)) return files?.get(rawUri) ?? files?.get(uri);
    const message = `The URI has more than ${MAX_REGISTRY_TEXT_LENGTH} characters`;
    return { status: 'failed', uri, error: { code: 'uri_too_long', message }, retryable: false, readAt: nowMs };
  }
  const parsed = 'error' in inline ? inline : parseRegistrationFile(inline.bytes);
  return 'error' in parsed
    ? { status: 'failed', uri, error: parsed.error, retryable: false, readAt: nowMs }
    : { status: 'read', uri, file: parsed.file, readAt: nowMs };
}

/** Whether only a part of a URI is kept, which is the URI of nothing. */
export function isTooLongUri(uri: string): boolean {
  return uri.length > MAX_REGISTRY_TEXT_LENGTH && uri.trim().length > MAX_REGISTRY_TEXT_LENGTH;
}

/** What a reading makes of the file. A failure leaves what was last read in its place. */
export function stepToReading(
  before: FileValue | undefined,
  uri: string,
  reading: FileReading,
  tokenId: string,
  { nowMs, fileReReadIntervalMs }: LedgerContext,
): FileStep {
  // What was not read anywhere is the same at any time, and so are events of it.
  const isElsewhere = !isInlineUri(uri) && !isTooLong(reading);
  const readAt = isElsewhere ? { readAt: reading.readAt } : {};
  const reReadAt = isElsewhere && isMutableUri(uri) ? { dueAt: nowMs + fileReReadIntervalMs } : {};
  if (reading.status === 'read') {
    const { file, contentHash } = reading;
    const hash = contentHash === undefined ? {} : { contentHash };
    const value: FileValue = { uri, status: 'read', file, ...hash, ...readAt, failures: 0 };
    const detail = { uri, ...hash, ...readAt, file: namedFile(file, tokenId) };
    return { value, ...reReadAt, changes: changedFields(before?.file, file), detail };
  }
  const failures = (before?.failures ?? 0) + 1;
  const { code, message } = reading.error;
  // Messages may differ from time to time; what events said stays.
  const error =
    before?.error?.code === code ? before.error : { code, message: cleanText(message, MAX_REGISTRATION_ERROR_LENGTH) };
  const value: FileValue = { ...before, uri, status: 'failed', ...readAt, error, failures };
  const retryDelayMs = Math.min(fileReReadIntervalMs, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 30));
  const dueAt = reading.retryable ? { dueAt: nowMs + retryDelayMs } : reReadAt;
  return { value, ...dueAt, changes: [], detail: { uri, ...readAt, error } };
}

function isTooLong(reading: FileReading): boolean {
  return reading.status === 'failed' && reading.error.code === 'uri_too_long';
}

/** All that is known of the file; of none, a file that says nothing. */
export function fileSnapshot(
  { uri, contentHash, readAt, error, file }: FileValue,
  tokenId: string,
): RegistrationDetail {
  return {
    uri,
    ...(contentHash !== undefined && { contentHash }),
    ...(readAt !== undefined && { readAt }),
    ...(error !== undefined && { error }),
    file: namedFile(file ?? NO_FILE, tokenId),
  };
}

/** The name of an agent: that of its file, or its number. */
export function agentName(file: RegistrationFile | undefined, tokenId: string): string {
  return file === undefined || file.name === '' ? `Agent #${tokenId}` : file.name;
}

function namedFile(file: RegistrationFile, tokenId: string): RegistrationFile {
  return file.name === '' ? { ...file, name: agentName(file, tokenId) } : file;
}
