import { EncodeError } from './encode-error';
import { encodeError, encodeSimple } from './encode-resp';

const CR = 0x0d;
const LF = 0x0a;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const CRLF = Buffer.from('\r\n');

/** `+OK text`: the only acknowledgement that line clients know. */
export function encodeLineOk(text = ''): Buffer {
  return encodeSimple(text === '' ? 'OK' : `OK ${text}`);
}

/** `+PONG` */
export function encodeLinePong(): Buffer {
  return encodeSimple('PONG');
}

/** `-ERR text`: the only error that line clients know. Finish the connection after it. */
export function encodeLineError(text: string): Buffer {
  return encodeError(text);
}

/**
 * An event as one line. `json` has to be a JSON object without CR or LF, the form that JSON.stringify gives; its bytes go out as they are.
 * Throws {@link EncodeError} otherwise, since a broken line would be lost or read as another. The bytes do not depend on the subscriber.
 */
export function encodeEventLine(json: string | Uint8Array): Buffer {
  const bytes =
    typeof json === 'string' ? Buffer.from(json) : Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  const isObject = bytes[0] === OPENING_BRACE && bytes[bytes.length - 1] === CLOSING_BRACE;
  if (!isObject || bytes.includes(CR) || bytes.includes(LF)) throw new EncodeError('not-one-line-json-object');
  return Buffer.concat([bytes, CRLF]);
}
