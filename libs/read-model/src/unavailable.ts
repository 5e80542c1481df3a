import { SluiceError } from '@sluice/event-log';

/** Runs a query; whatever the database throws becomes the retryable `read_model_unavailable`. */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('read_model_unavailable', 'The read model cannot be reached', { cause: error });
  }
}
