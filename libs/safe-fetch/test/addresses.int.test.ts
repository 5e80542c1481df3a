import { createSafeFetch } from '../src/index';
import { userAgent } from './among';
import { codeOf, failureOf } from './world';

describe('addresses', () => {
  const asked: string[] = [];
  const real = createSafeFetch({
    userAgent,
    resolve: (name) => {
      asked.push(name);
      return Promise.resolve(['127.0.0.1']);
    },
  });

  beforeEach(() => asked.splice(0));

  it.each([
    ...['127.0.0.1', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.9.9', '192.168.1.1', '169.254.169.254', '100.64.0.1'],
    ...[
      '100.100.100.200',
      '192.0.2.1',
      '198.51.100.1',
      '203.0.113.1',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '168.63.129.16',
    ],
    ...[
      '[::1]',
      '[::]',
      '[fc00::1]',
      '[fd00:ec2::254]',
      '[fe80::1]',
      '[ff02::1]',
      '[2001:db8::1]',
      '[::ffff:127.0.0.1]',
    ],
    ...[
      '[::ffff:7f00:1]',
      '[0:0:0:0:0:ffff:10.0.0.1]',
      '[::127.0.0.1]',
      '[64:ff9b::7f00:1]',
      '[64:ff9b::169.254.169.254]',
    ],
    ...['[2002:7f00:1::]', '[2001:0:7f00:1::1]', '[::ffff:8.8.8.8]'],
    ...[
      '2130706433',
      '0x7f000001',
      '017700000001',
      '0177.0.0.1',
      '0x7f.1',
      '127.1',
      '127.0.1',
      '0',
      '0x7F.0x0.0x0.0x1',
    ],
    ...['134744072', '010.8.8.8', '0x08080808', '8.8.2056', '１２７.０.０.１', '①②⑦.0.0.1', '127。0。0。1'],
    ...[
      '127.0.0.1.',
      '2130706433.',
      '169.254.169.254.',
      'localhost',
      'LOCALHOST',
      'localhost.',
      'a.localhost',
      'db',
      'db.',
    ],
    ...[
      'metadata.google.internal',
      'metadata.google.internal.',
      'printer.local',
      'x.svc.cluster.local',
      'nas.lan',
      'a.home.arpa',
    ],
  ])('refuses %s without asking for its address', async (host) => {
    expect(await codeOf(real(`http://${host}/`))).toBe('refused_address');
    expect(await codeOf(real(`https://${host}/`))).toBe('refused_address');
    expect(await codeOf(real.open(`https://${host}/`))).toBe('refused_address');
    expect(asked).toEqual([]);
  });

  it.each([
    ['invalid_url', 'file:///etc/passwd'],
    ['invalid_url', 'gopher://example.com/'],
    ['invalid_url', 'ftp://example.com/'],
    ['invalid_url', 'data:text/plain,a'],
    ['invalid_url', 'ws://example.com/'],
    ['invalid_url', 'javascript:alert(1)'],
    ['invalid_url', 'unix:///var/run/docker.sock'],
    ['invalid_url', 'http://user:password@example.com/'],
    ['invalid_url', 'http://user@example.com/'],
    ['invalid_url', 'http://example.com@127.0.0.1/'],
    ['invalid_url', 'http://a..example.com/'],
    ['invalid_url', 'http://[fe80::1%25eth0]/'],
    ['invalid_url', 'http://256.256.256.256/'],
    ['invalid_url', 'http://1.2.3.4.5/'],
    ['invalid_url', '/relative'],
    ['invalid_url', ''],
    ['invalid_url', 'http://'],
    ['invalid_url', `http://example.com/${'a'.repeat(9_000)}`],
    ['refused_address', 'http://example.com:22/'],
    ['refused_address', 'https://example.com:6379/'],
    ['refused_address', 'http://example.com:8080/'],
    ['refused_address', 'http:\\\\127.0.0.1\\'],
    ['refused_address', 'http://127.0.0.1\t/'],
  ])('answers %s for %s', async (code, url) => {
    expect(await codeOf(real(url))).toBe(code);
    expect(asked).toEqual([]);
  });

  it.each([
    '127.0.0.1',
    '10.0.0.1',
    '169.254.169.254',
    '::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    'fe80::1%eth0',
    'no address',
  ])('refuses a name whose address is %s, alone or among public ones', async (address) => {
    for (const answer of [[address], ['93.184.216.34', address], [address, '93.184.216.34']]) {
      const safeFetch = createSafeFetch({ userAgent, resolve: () => Promise.resolve(answer) });
      expect(await codeOf(safeFetch('http://example.com/'))).toBe('refused_address');
      expect(await codeOf(safeFetch('https://example.com/'))).toBe('refused_address');
    }
  });

  it('is unreachable where a name has no address', async () => {
    const none = createSafeFetch({ userAgent, resolve: () => Promise.resolve([]) });
    expect(await codeOf(none('http://example.com/'))).toBe('unreachable');
    const broken = createSafeFetch({ userAgent, resolve: () => Promise.reject(new Error('SERVFAIL at 10.0.0.1')) });
    expect((await failureOf(broken('http://example.com/'))).message).toBe('The name has no address');
  });

  it('allows no plain http where only https is wanted', async () => {
    const strict = createSafeFetch({ userAgent, httpsOnly: true, resolve: () => Promise.resolve(['10.0.0.1']) });
    expect((await failureOf(strict('http://example.com/'))).message).toBe('Only https is allowed');
  });
});
