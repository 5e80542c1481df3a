import { SseEncodeError } from './encode-error';

const CR = 0x0d;
const LF = 0x0a;
const LINE_END = /\r\n|\r|\n/;
const END_OF_FRAME = Buffer.from('\n\n');
/** Line ends for Unicode but not for this format; clients that split lines by Unicode's rules would break the frame. */
const OTHER_LINE_ENDS = /[\u0085\u2028\u2029]/g;

/** One server-sent event. */
export interface SseEvent {
  /** What a client sends back as `Last-Event-ID`; empty clears it. No CR, LF or NUL. */
  readonly id?: string;
  /** Event type; `message` when absent or empty. No CR, LF or NUL. */
  readonly event?: string;
  /** Any text. CRLF and CR arrive as LF: the format has no other line ends. */
  readonly data: string;
  /** Reconnection delay for the client, a whole number of milliseconds. */
  readonly retryMs?: number;
}

/**
 * One event as a whole frame. The bytes do not depend on the subscriber: encode once, write to all.
 * Throws {@link SseEncodeError} for an id, type or delay that cannot be in a frame.
 */
export function encodeEvent({ id, event, data, retryMs }: SseEvent): Buffer {
  const retry = retryMs === undefined ? '' : retryField(retryMs);
  const lines = data.split(LINE_END).map((line) => `data: ${line}\n`);
  return Buffer.from(`${retry}${head(id, event)}${lines.join('')}\n`);
}

/**
 * The fast path of {@link encodeEvent} for JSON as JSON.stringify gives it, as text or as bytes that are shared with other doors.
 * In text, line ends of Unicode are escaped; bytes go out as they are.
 * Throws {@link SseEncodeError}, also when the JSON has a line end in it.
 */
export function encodeJsonEvent(id: string | undefined, event: string | undefined, json: string | Uint8Array): Buffer {
  if (typeof json === 'string') {
    if (json.includes('\n') || json.includes('\r')) throw new SseEncodeError('invalid-json');
    // In JSON they can only be within strings, where an escape means the same.
    return Buffer.from(`${head(id, event)}data: ${json.replace(OTHER_LINE_ENDS, escapeUnit)}\n\n`);
  }
  if (json.includes(LF) || json.includes(CR)) throw new SseEncodeError('invalid-json');
  return Buffer.concat([Buffer.from(`${head(id, event)}data: `), json, END_OF_FRAME]);
}

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A comment, which clients ignore: a heartbeat or a remark. Each line of the text becomes a comment line. */
export function encodeComment(text = ''): Buffer {
  const lines = text.split(LINE_END).map((line) => (line === '' ? ':\n' : `: ${line}\n`));
  return Buffer.from(`${lines.join('')}\n`);
}

/** Sets the client's reconnection delay, in milliseconds. Throws {@link SseEncodeError} unless a whole number, zero or more. */
export function encodeRetry(retryMs: number): Buffer {
  return Buffer.from(`${retryField(retryMs)}\n`);
}

/** Moves the client's `Last-Event-ID` on without an event: for what a filter left out. Throws {@link SseEncodeError}. */
export function encodeCursorMark(id: string): Buffer {
  return Buffer.from(`${head(id, undefined)}\n`);
}

function head(id: string | undefined, event: string | undefined): string {
  if (id !== undefined && !isFieldValue(id)) throw new SseEncodeError('invalid-id');
  if (event !== undefined && !isFieldValue(event)) throw new SseEncodeError('invalid-event');
  return (id === undefined ? '' : `id: ${id}\n`) + (event ? `event: ${event}\n` : '');
}

function isFieldValue(text: string): boolean {
  return !text.includes('\n') && !text.includes('\r') && !text.includes('\0');
}

function retryField(retryMs: number): string {
  if (!Number.isSafeInteger(retryMs) || retryMs < 0) throw new SseEncodeError('invalid-retry');
  return `retry: ${retryMs}\n`;
}
