const LOOPBACK_IPV4 = /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/;
const MAPPED = '::ffff:';

/** Whether an IP address is one of this machine's own loopback addresses. */
export function isLoopbackAddress(address: string): boolean {
  const plain = address.toLowerCase().startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
  return plain === '::1' || LOOPBACK_IPV4.test(plain);
}

/**
 * Whether a host, as it stands in a URL or in a `Host` header without its port, can mean nothing but this machine. Names
 * below `localhost` do not count: not every resolver keeps them here.
 */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '[::1]' || isLoopbackAddress(name);
}
