import type { ServerResponse } from 'node:http';

/** What a reader has to keep up. */
export interface DownloadPace {
  /** How often its progress is looked at. */
  readonly intervalMs: number;
  /** Least that it has to take between two looks while bytes wait for it. */
  readonly minBytes: number;
}

/** Slower than any connection that is of use: 512 bytes a second. */
export const DOWNLOAD_PACE: DownloadPace = { intervalMs: 30_000, minBytes: 15_360 };

/** Breaks a response off whose reader stands still or nearly so: it would keep a connection to the store of files. */
export function requireProgress(response: ServerResponse, { intervalMs, minBytes }: DownloadPace): void {
  // Its end would never be told of any more.
  if (response.destroyed || response.writableFinished) return;
  let taken = takenBytes(response);
  const timer = setInterval(() => {
    const before = taken;
    taken = takenBytes(response);
    if (response.writableNeedDrain && taken - before < minBytes) response.destroy();
  }, intervalMs);
  timer.unref();
  response.once('close', () => clearInterval(timer));
}

/** What has left for the reader. */
function takenBytes({ socket }: ServerResponse): number {
  return socket === null ? 0 : socket.bytesWritten - socket.writableLength;
}
