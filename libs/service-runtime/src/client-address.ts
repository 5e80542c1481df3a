import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

/**
 * Whose `X-Forwarded-For` is believed: nobody's (`false`), that of the given number of proxies in front, or that of
 * proxies in the given addresses and ranges. Trusting everybody cannot be said: any caller could then choose its address.
 */
export type TrustProxy = false | number | readonly string[];

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The address of the caller as far as `trustProxy` lets it be known; always an IP address, or `unknown`. */
export function clientAddress(request: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  const claimed = normalise(request.ip);
  if (isIP(claimed) !== 0) return claimed;
  const peer = normalise(request.socket.remoteAddress ?? '');
  return isIP(peer) === 0 ? 'unknown' : peer;
}

function normalise(address: string): string {
  return MAPPED_IPV4.exec(address)?.[1] ?? address;
}
