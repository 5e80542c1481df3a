import { types } from 'node:util';

/** Resolves once the condition holds; rejects with its name after `timeoutMs`. */
export async function until(what: string, condition: () => boolean, timeoutMs = 60_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (types.isNativeError(error)) return error;
    throw new Error('rejected with something that is no Error', { cause: error });
  }
  throw new Error('the promise was expected to reject');
}
