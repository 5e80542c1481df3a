/** The promise that everybody who connects at the same time waits for, and how to settle it. */
export interface PendingConnect {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** A promise that is not settled yet. */
export function pendingConnect(): PendingConnect {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
