import { isIPv6 } from 'node:net';
import { SluiceError } from '@sluice/event-log';

const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '']);

export type Scheme = 'http' | 'https';

/** The URL by which this machine reaches a listening server. */
export function baseUrl(host: string, port: number, scheme: Scheme = 'http'): string {
  if (ANY_ADDRESS.has(host)) return `${scheme}://127.0.0.1:${port}`;
  return `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** Why an address cannot be listened on, in one line that says what to set. */
export function listenError(error: unknown, host: string, port: number, portSetting: string): SluiceError {
  const { code } = Object(error) as { code?: unknown };
  if (code === 'EADDRINUSE') {
    return new SluiceError('configuration', `port ${port} is taken: set ${portSetting}`, { cause: error });
  }
  if (code === 'EACCES') {
    return new SluiceError('configuration', `port ${port} is not allowed for this user: set ${portSetting}`, {
      cause: error,
    });
  }
  const reason = typeof code === 'string' ? ` (${code})` : '';
  return new SluiceError('configuration', `cannot listen on ${host} port ${port}${reason}`, { cause: error });
}
