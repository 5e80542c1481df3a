import { toSluiceError, type ErrorCode, type SluiceError } from '@sluice/event-log';
import { encodeError } from '@sluice/resp-protocol';

/** An error that a RESP client is told in Redis' own words. */
export class RespRefusal extends Error {
  constructor(
    message: string,
    /** The word in capitals that Redis clients tell errors by. */
    readonly prefix: string = 'ERR',
  ) {
    super(message);
  }
}

export const NOT_AUTHENTICATED = new RespRefusal('Authentication required.', 'NOAUTH');

/** Wrong number of arguments. */
export function wrongArity(command: string): RespRefusal {
  return new RespRefusal(`wrong number of arguments for '${command.toLowerCase()}' command`);
}

export function syntaxError(): RespRefusal {
  return new RespRefusal('syntax error');
}

const CREDENTIAL_CODES: ReadonlySet<ErrorCode> = new Set(['unauthorized', 'token_expired']);
const PERMISSION_CODES: ReadonlySet<ErrorCode> = new Set(['unauthorized', 'forbidden']);

/** Whether a credential itself was not accepted, rather than that it could not be checked. */
export function isBadCredential({ code }: SluiceError): boolean {
  return CREDENTIAL_CODES.has(code);
}

/** The refusal of AUTH or HELLO. */
export function credentialRefusal(error: unknown): RespRefusal {
  const known = toSluiceError(error);
  return new RespRefusal(`${known.code} ${known.message}`, isBadCredential(known) ? 'WRONGPASS' : 'ERR');
}

/** The error reply for whatever a command threw. */
export function encodeRefusal(error: unknown): Buffer {
  if (error instanceof RespRefusal) return encodeError(error.message, error.prefix);
  const { code, message } = toSluiceError(error);
  return encodeError(`${code} ${message}`, PERMISSION_CODES.has(code) ? 'NOPERM' : 'ERR');
}
