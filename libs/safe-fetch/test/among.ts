import { createFetchByRules } from '../src/safe-fetch';
import type { SafeFetch, SafeFetchOptions } from '../src/index';
import type { World } from './world';

/** Stands for a public address in these tests, where there is no other network; each other one of 127/8 is private. */
export const PUBLIC = '127.0.0.1';
export const PRIVATE = '127.0.0.2';

export const userAgent = 'safe-fetch-test';

/** A fetch for which PUBLIC is public, at the ports of these servers. */
export function fetchAmong(servers: readonly World[], options: Partial<SafeFetchOptions> = {}): SafeFetch {
  return createFetchByRules(
    { userAgent, ...options },
    { publicPorts: new Set(servers.map((server) => server.port)), isPublicAddress: (address) => address === PUBLIC },
  );
}
