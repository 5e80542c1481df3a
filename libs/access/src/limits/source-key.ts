const IPV4_MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Longest address that is used whole, in characters. */
const MAX_ADDRESS_CHARS = 64;

/** Hextets of an IPv6 address that name a network (a /64), which one attacker commonly has as a whole. */
const NETWORK_HEXTETS = 4;

/** What failed authentications are counted by: an IPv4 address, or the /64 network of an IPv6 address. */
export function sourceKey(address: string): string {
  const mapped = IPV4_MAPPED.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address.slice(0, MAX_ADDRESS_CHARS).toLowerCase();
  const [head = '', tail] = address.slice(0, MAX_ADDRESS_CHARS).toLowerCase().split('%')[0]?.split('::', 2) ?? [];
  const before = hextets(head);
  const after = hextets(tail ?? '');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return `${[...before, ...zeros, ...after].slice(0, NETWORK_HEXTETS).join(':')}::/64`;
}

function hextets(part: string): string[] {
  return part === '' ? [] : part.split(':').map((hextet) => hextet.replace(/^0+(?=.)/, ''));
}
