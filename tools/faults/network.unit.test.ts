import { droppedIn, hasConnectionTo } from './network';

describe('droppedIn', () => {
  const listing = (...rows: readonly string[]) =>
    [
      'Chain INPUT (policy ACCEPT 3163 packets, 812001 bytes)',
      '    pkts      bytes target     prot opt in     out',
      ...rows,
      '',
    ].join('\n');

  it('counts the packets that a rule dropped', () => {
    expect(
      droppedIn(listing('      12      720 DROP       6    --  f1     *       0.0.0.0/0   0.0.0.0/0    tcp dpt:9092')),
    ).toBe(12);
  });

  it('counts nothing where nothing came by, or no rule drops', () => {
    expect(droppedIn(listing('       0        0 DROP       6    --  f1     *       0.0.0.0/0   0.0.0.0/0'))).toBe(0);
    expect(droppedIn(listing('      12      720 ACCEPT     6    --  f1     *       0.0.0.0/0   0.0.0.0/0'))).toBe(0);
    expect(droppedIn(listing())).toBe(0);
  });
});

describe('hasConnectionTo', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:A3D2 0100007F:2384 01 00000000:00000000 02:00000B3B 00000000     0        0 59322 2 0000',
    '   1: 0100007F:2388 0100007F:A3D4 06 00000000:00000000 02:00000B3B 00000000     0        0 59323 2 0000',
    '   2: 0100007F:2386 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 59324 2 0000',
    '',
  ].join('\n');

  it('finds an open connection by the port of the other side', () => {
    expect(hasConnectionTo(table, 0x2384)).toBe(true);
  });

  it('finds none to a port that is its own, that it listens to, or whose connection is closed', () => {
    expect([0xa3d2, 0x2386, 0xa3d4].map((port) => hasConnectionTo(table, port))).toEqual([false, false, false]);
  });
});
