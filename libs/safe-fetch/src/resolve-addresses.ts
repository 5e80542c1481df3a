import { lookup, Resolver } from 'node:dns/promises';
import { SafeFetchError } from './errors';
import { untilAborted } from './deadline';
import type { ResolveAddresses } from './options';
import { refusal, type Target } from './url-rules';

/** How many addresses of a name are tried; all of them are checked. */
const MAX_TRIED_ADDRESSES = 4;
const DNS_TIMEOUT_MS = 2_000;
const DNS_TRIES = 2;

/**
 * Asks the name servers themselves: names of strangers neither meet the hosts file and the search domains of this machine,
 * nor hold the few threads that the system's look-up has.
 */
export const resolvePublicName: ResolveAddresses = (hostname, signal) => askNameServers(hostname, signal);

/** The same of these servers (`address:port`) instead of those of the system. */
export async function askNameServers(
  hostname: string,
  signal: AbortSignal,
  servers?: readonly string[],
): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES });
  if (servers !== undefined) {
    resolver.setServers(servers);
  }
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel);
  try {
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** As every other program of this machine does: for names that its operator has listed. */
export const resolveListedName: ResolveAddresses = async (hostname) => {
  const answers = await lookup(hostname, { all: true });
  return answers.map((answer) => answer.address);
};

/**
 * The addresses to connect to, each of them checked: one that is not public refuses them all, since a name with both has no honest use.
 * @throws SafeFetchError `refused_address`, `unreachable`, or the signal's reason.
 */
export async function addressesOf(
  target: Target,
  resolve: ResolveAddresses,
  isPublic: (address: string) => boolean,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (target.isAddress) {
    return [target.hostname];
  }
  const addresses = await untilAborted(resolve(target.hostname, signal), signal).catch((error: unknown) => {
    throw error instanceof SafeFetchError ? error : noAddress(error);
  });
  if (addresses.length === 0) {
    throw noAddress();
  }
  if (!target.allowed && !addresses.every(isPublic)) {
    throw refusal('The address is not public');
  }
  return addresses.slice(0, MAX_TRIED_ADDRESSES);
}

function noAddress(cause?: unknown): SafeFetchError {
  return new SafeFetchError('unreachable', 'The name has no address', { cause });
}
