import { SluiceError, toSluiceError } from '@sluice/event-log';
import type { RegistrySource } from '@sluice/registry-source';

/** A fault of the source, told apart from those of the store: it is waited out. */
export class SourceFault extends Error {
  override readonly name = 'SourceFault';
  override readonly cause: SluiceError;

  constructor(cause: unknown) {
    super('the source of a chain failed', { cause });
    this.cause = toSluiceError(cause);
  }
}

/** What the watcher asks of a source. */
export type AskedSource = Pick<RegistrySource, 'head' | 'header' | 'readHistory' | 'readNext' | 'untilNewHead'>;

/** The source, of which every fault is a SourceFault, and nothing is waited for beyond the signal. */
export function askedUntil(signal: AbortSignal, source: AskedSource): AskedSource {
  return {
    head: () => ask(signal, () => source.head()),
    header: (number) => ask(signal, () => source.header(number)),
    readHistory: (from, upTo) => ask(signal, () => source.readHistory(from, upTo)),
    readNext: (cursor, journaled, upTo, limit) => ask(signal, () => source.readNext(cursor, journaled, upTo, limit)),
    untilNewHead: (until) => source.untilNewHead(until),
  };
}

async function ask<T>(signal: AbortSignal, question: () => Promise<T>): Promise<T> {
  const ended = () => new SourceFault(new SluiceError('shutting_down', 'Nobody waits for the answer any more'));
  if (signal.aborted) throw ended();
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(ended());
    signal.addEventListener('abort', onAbort, { once: true });
    question()
      .then(resolve, (error: unknown) => reject(new SourceFault(error)))
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}
