import { MAX_ARGUMENT_LENGTH } from './constants';
import { EventsPubSubError } from './errors';
import { isObject, parseObject } from './http';
import type { SandboxEvent } from './types';

/** What one line of the server means. */
export type ServerLine =
  | { kind: 'ok'; cursor: string | undefined }
  | { kind: 'pong' }
  | { kind: 'cursor'; cursor: string }
  | { kind: 'reset'; cursor: string; reason: string }
  | { kind: 'error'; error: EventsPubSubError }
  | { kind: 'event'; event: SandboxEvent }
  | { kind: 'malformed' }
  | { kind: 'other' };

const ONE_WORD_CODES: ReadonlySet<string> = new Set(['unauthorized', 'forbidden', 'unavailable']);

/** The line that subscribes, without its CRLF. Throws EventsPubSubError when an argument could break out of the line. */
export function subscribeLine(sandboxId: string, accessToken: string | undefined, cursor: string | undefined): string {
  if (!accessToken) {
    throw new EventsPubSubError('Subscribing needs an access token: set accessToken or COMPUTESDK_ACCESS_TOKEN.', {
      code: 'unauthorized',
    });
  }
  const args = [checkedArgument('sandboxId', sandboxId), checkedArgument('accessToken', accessToken)];
  if (cursor !== undefined) args.push(checkedArgument('cursor', cursor));
  return `SUBSCRIBE ${args.join(' ')}`;
}

/** Reads one line of the server. Lines of no known form are 'other', so that RESP framing around events is skipped. */
export function parseServerLine(line: string): ServerLine {
  if (line.startsWith('{')) return eventOf(line);
  if (line.startsWith('-ERR')) return { kind: 'error', error: serverError(line.slice('-ERR '.length)) };
  if (line === '+PONG' || line === 'PONG') return { kind: 'pong' };
  const [word, ...rest] = line.split(' ');
  switch (word) {
    case '+OK':
      return { kind: 'ok', cursor: rest[0] === 'subscribed' ? usableCursor(rest[2]) : undefined };
    case '+CURSOR': {
      const cursor = usableCursor(rest[0]);
      return cursor === undefined ? { kind: 'other' } : { kind: 'cursor', cursor };
    }
    case '+RESET': {
      const cursor = usableCursor(rest[0]);
      return cursor === undefined ? { kind: 'other' } : { kind: 'reset', cursor, reason: rest.slice(1).join(' ') };
    }
    default:
      return line.startsWith('+OK') ? { kind: 'ok', cursor: undefined } : { kind: 'other' };
  }
}

function eventOf(line: string): ServerLine {
  const value = parseObject(line);
  return isSandboxEvent(value) ? { kind: 'event', event: value } : { kind: 'malformed' };
}

function isSandboxEvent(value: unknown): value is SandboxEvent {
  return isObject(value) && typeof value['id'] === 'string' && typeof value['type'] === 'string';
}

function serverError(text: string): EventsPubSubError {
  const word = text.split(' ', 1)[0] ?? '';
  // Other servers write plain prose, whose first word is no code.
  const isCode = ONE_WORD_CODES.has(word) || /^[a-z]+(?:_[a-z]+)+$/.test(word);
  return new EventsPubSubError(text, isCode ? { code: word } : {});
}

/** The cursor in a value of the server; undefined when it is none that could be sent back. */
export function usableCursor(value: unknown): string | undefined {
  return typeof value === 'string' && isPlainArgument(value) ? value : undefined;
}

function checkedArgument(name: string, value: string): string {
  if (!isPlainArgument(value)) {
    throw new EventsPubSubError(`${name} is empty, too long, or has blanks or control characters`, {
      code: 'bad_request',
    });
  }
  return value;
}

function isPlainArgument(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= MAX_ARGUMENT_LENGTH &&
    !/[\s\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(value)
  );
}
