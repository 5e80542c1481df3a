import { parseStartPlace, SluiceError, type StartPlace } from '@sluice/event-log';
import { entityIdSchema } from '@sluice/event-schema';

/** What may stand before a sandbox id in a channel. */
const PREFIX = 'sandbox:';
/** Behind the last `@` only this counts as a cursor, so that sandbox ids may have an `@` of their own. */
const CURSOR_SUFFIX = /^(?:earliest|latest|\d+-.*)$/;

/** Where a channel or a pattern begins, and its name without that. */
export interface Channel {
  readonly name: string;
  readonly start: StartPlace;
}

/** @throws SluiceError `invalid_request` */
export function readSandboxId(text: string): string {
  if (!entityIdSchema.safeParse(text).success) {
    throw new SluiceError('invalid_request', 'That is no sandbox id', { where: 'sandboxId' });
  }
  return text;
}

/** Splits `<name>@<cursor>`; without a cursor the channel begins at `latest`. @throws SluiceError `invalid_cursor` */
export function readChannel(text: string): Channel {
  const at = text.lastIndexOf('@');
  const suffix = text.slice(at + 1);
  if (at === -1 || !CURSOR_SUFFIX.test(suffix)) return { name: text, start: 'latest' };
  return { name: text.slice(0, at), start: parseStartPlace(suffix) };
}

/** The sandbox that a channel's name means: `<id>` or `sandbox:<id>`. @throws SluiceError `invalid_request` */
export function sandboxIdOf(name: string): string {
  return readSandboxId(name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name);
}

/**
 * The channel under which patterns see the events of a sandbox: prefixed for a pattern that begins with the prefix, so
 * that each pattern has one name to match. An id that looks prefixed has its prefix all the same, or the name would mean
 * another sandbox.
 */
export function channelOf(sandboxId: string, isPrefixed: boolean): string {
  return isPrefixed || sandboxId.startsWith(PREFIX) ? PREFIX + sandboxId : sandboxId;
}

/** Whether a pattern is about prefixed channels. */
export function isPrefixedPattern(pattern: string): boolean {
  return pattern.startsWith(PREFIX);
}
