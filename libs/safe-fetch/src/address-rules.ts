import { BlockList, isIPv4, isIPv6 } from 'node:net';

type Range = readonly [network: string, prefixLength: number];

/** Not for the public to be reached at, by the registries of special addresses, and what clouds serve their machines at. */
const REFUSED_IPV4: readonly Range[] = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // shared behind a carrier's translation, and metadata of a cloud
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // a cloud's services for its machines, in a public range
  ['169.254.0.0', 16], // link-local: metadata of most clouds
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments, and metadata of a cloud
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // relays of 6to4
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
];

/** Within what is global at all (2000::/3). Loopback, unique local, link-local, multicast, mapped and compatible forms lie outside. */
const REFUSED_IPV6: readonly Range[] = [
  ['2001::', 23], // protocol assignments: Teredo, benchmarks, identifiers that are no addresses
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: an IPv4 address in disguise
  ['3fff::', 20], // documentation
];

/** The translation of IPv4 for networks of IPv6 alone: as public as the IPv4 address in its last 32 bits. */
const TRANSLATED_IPV4 = '64:ff9b::';
const TRANSLATED_PREFIX_LENGTH = 96;

const refused = new BlockList();
const global6 = new BlockList();

for (const [network, prefixLength] of REFUSED_IPV4) {
  refused.addSubnet(network, prefixLength, 'ipv4');
  refused.addSubnet(`${TRANSLATED_IPV4}${network}`, TRANSLATED_PREFIX_LENGTH + prefixLength, 'ipv6');
}
for (const [network, prefixLength] of REFUSED_IPV6) {
  refused.addSubnet(network, prefixLength, 'ipv6');
}
global6.addSubnet('2000::', 3, 'ipv6');
global6.addSubnet(TRANSLATED_IPV4, TRANSLATED_PREFIX_LENGTH, 'ipv6');

/** Whether anybody may be sent to this address (text of IPv4 or IPv6). False for what is no address, and for one with a zone. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) {
    return !refused.check(address, 'ipv4');
  }
  if (!isIPv6(address) || address.includes('%')) {
    return false;
  }
  return global6.check(address, 'ipv6') && !refused.check(address, 'ipv6');
}
