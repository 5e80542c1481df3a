import { isPublicAddress } from './address-rules';

describe('isPublicAddress', () => {
  it.each([
    ['this network', '0.0.0.0', '0.1.2.3', '::'],
    ['loopback', '127.0.0.1', '127.255.255.254', '::1'],
    [
      'private networks',
      '10.0.0.0',
      '10.255.255.255',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
      '192.168.255.255',
    ],
    ['unique local networks', 'fc00::', 'fd00:ec2::254', 'fdff:ffff::1'],
    ['link-local networks', '169.254.0.1', '169.254.169.254', 'fe80::1', 'febf::1', 'fec0::1'],
    ['carriers', '100.64.0.1', '100.100.100.200', '100.127.255.255'],
    ['multicast and reserved', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255', 'ff02::1', 'ff0e::1'],
    ['documentation and benchmarks', '192.0.2.1', '198.51.100.9', '203.0.113.255', '198.18.0.1', '198.19.255.255'],
    ['documentation of IPv6', '2001:db8::1', '3fff::1', '100::1', '2001:2::1'],
    ['protocol assignments', '192.0.0.1', '192.0.0.192', '192.88.99.1', '168.63.129.16', '2001::1', '5f00::1'],
    ['mapped and compatible forms', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '::127.0.0.1', '::7f00:1'],
    ['6to4 and Teredo', '2002:7f00:1::', '2002:808:808::1', '2001:0:7f00:1::'],
    [
      'translations of what is not public',
      '64:ff9b::7f00:1',
      '64:ff9b::10.1.2.3',
      '64:ff9b::a9fe:a9fe',
      '64:ff9b:1::808:808',
    ],
    [
      'what is no address',
      '',
      'localhost',
      '1.2.3',
      '0x7f.0.0.1',
      '1.2.3.4.5',
      '127.1',
      '2606:4700::1%eth0',
      '[::1]',
      ' 8.8.8.8',
    ],
  ])('refuses %s', (_what, ...addresses) => {
    expect(addresses.filter(isPublicAddress)).toEqual([]);
  });

  it('admits what is next to the refused ranges', () => {
    const addresses = [
      '1.0.0.0',
      '8.8.8.8',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
    ];
    const more = [
      '128.0.0.0',
      '169.253.255.255',
      '169.255.0.0',
      '172.15.255.255',
      '172.32.0.0',
      '192.0.1.0',
      '192.0.3.0',
    ];
    const most = ['192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '223.255.255.255', '168.63.129.17'];
    const six = [
      '2000::1',
      '2001:200::1',
      '2606:4700:4700::1111',
      '2a00:1450::8a',
      '2003::1',
      '3ffe::1',
      '64:ff9b::8.8.8.8',
    ];
    const all = [...addresses, ...more, ...most, ...six];
    expect(all.filter((address) => !isPublicAddress(address))).toEqual([]);
  });
});
