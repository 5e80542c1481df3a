import { SluiceError } from '@sluice/event-log';
import { DatabaseError } from 'pg';

/** Runs a query; whatever the database throws becomes the retryable `read_model_unavailable`. */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('read_model_unavailable', 'The read model cannot be reached', { cause: error });
  }
}

/** The class of SQLSTATEs of statements that the database cannot do as things are: what is not there, or not allowed. */
const REFUSED_CLASS = '42';

/** As `orUnavailable`, but what no repetition helps against is `configuration`. */
export function orRefused<T>(work: () => Promise<T>): Promise<T> {
  return orUnavailable(async () => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DatabaseError && error.code?.startsWith(REFUSED_CLASS))) throw error;
      throw new SluiceError('configuration', `The database refuses it: ${error.message}`, { cause: error });
    }
  });
}

/** The SQLSTATE of a statement that was ended, here by `statement_timeout`. */
const QUERY_CANCELED = '57014';

/** As `orUnavailable`, but a list of a reader that took too long is `overloaded`: another list may be quick. */
export function orTooSlow<T>(list: () => Promise<T>): Promise<T> {
  return orUnavailable(async () => {
    try {
      return await list();
    } catch (error) {
      if (!(error instanceof DatabaseError && error.code === QUERY_CANCELED)) throw error;
      const where = 'query';
      throw new SluiceError('overloaded', `${where}: ${TOO_SLOW}`, { where, cause: error });
    }
  });
}

const TOO_SLOW = 'The list takes too long; ask by conditions that fewer agents meet';
