import { CliError } from '../errors';
import { printable } from '../printable';

/** An answer that the next attempt would be given too. */
export class Refused extends CliError {}

/** What the stream says of itself. */
interface Notice {
  readonly reason?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly retryable?: unknown;
}

/** A line about a place that cannot be resumed from; undefined when the event is something else. */
export function describeReset(type: string, data: string): string | undefined {
  const notice = noticeOf('reset', type, data);
  if (notice === undefined) return undefined;
  return `The place to go on from is not valid any more (${wordOf(notice.reason)}): events may be missing here`;
}

/** Why the server ends the stream; undefined when the event is something else. */
export function describeEnd(type: string, data: string): CliError | undefined {
  const notice = noticeOf('end', type, data);
  if (notice === undefined) return undefined;
  const line = `${wordOf(notice.message)} (${wordOf(notice.code)})`;
  return notice.retryable === false ? new Refused(line) : new CliError(line);
}

/** Types of events are free: a recorded event may be called like a notice. It has a position, which notices have not. */
function noticeOf(name: string, type: string, data: string): Notice | undefined {
  if (type !== name) return undefined;
  try {
    const value = Object(JSON.parse(data)) as Notice & { readonly position?: unknown };
    return typeof value.position === 'number' ? undefined : value;
  } catch {
    return {};
  }
}

const wordOf = (value: unknown): string => (typeof value === 'string' ? printable(value) : 'for no given reason');
