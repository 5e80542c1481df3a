import { Socket } from 'node:net';
import { clientAddress, MetricsRegistry, readBearer } from './index';
import { hasTooManyMembers, MAX_OBJECT_MEMBERS } from './json-body';
import { createRequestIds } from './request-id';
import { RouteTable } from './route-table';

describe('readBearer', () => {
  it.each([
    [{ 'x-api-key': ' key1 ' }, { apiKey: 'key1' }],
    [{ authorization: 'bearer  abc.def ' }, { bearer: 'abc.def' }],
    [
      { authorization: 'BEARER abc', 'x-api-key': 'k' },
      { apiKey: 'k', bearer: 'abc' },
    ],
    [{ authorization: 'Basic abc' }, {}],
    [{ authorization: 'Bearer' }, {}],
    [{ authorization: 'Bearer a b' }, {}],
    [{ authorization: `Bearer ${'a'.repeat(8193)}` }, {}],
    [{ authorization: `Bearer ${'a'.repeat(8192)}` }, { bearer: 'a'.repeat(8192) }],
    [{ authorization: `Bearer ${' '.repeat(100_000)}` }, {}],
    [{ 'x-api-key': '' }, {}],
    [{ 'x-api-key': 'k\u00e9y' }, {}],
    [{ 'x-api-key': ['a', 'b'] }, {}],
    [{}, {}],
  ])('reads %#', (headers, expected) => {
    expect(readBearer(headers)).toEqual(expected);
  });
});

describe('clientAddress', () => {
  const request = (ip: string) => ({ ip, socket: new Socket() });

  it('gives plain addresses, and never what is no address', () => {
    expect(clientAddress(request('::ffff:10.1.2.3'))).toBe('10.1.2.3');
    expect(clientAddress(request('2001:db8::1'))).toBe('2001:db8::1');
    expect(clientAddress(request('<script>'))).toBe('unknown');
  });
});

describe('request ids', () => {
  const next = createRequestIds();

  it('takes a plain one from the caller', () => {
    expect(next({ headers: { 'x-request-id': 'Abc-1.2_3' } })).toBe('Abc-1.2_3');
  });

  it.each(['', 'a b', 'a\r\nset-cookie: x', 'é', 'a'.repeat(129), 'a,b'])('makes its own in place of %j', (given) => {
    const id = next({ headers: { 'x-request-id': given } });
    expect(id).toMatch(/^[0-9a-f]{16}-[0-9a-z]+$/);
  });

  it('never gives one twice', () => {
    const ids = new Set(Array.from({ length: 1000 }, () => next({ headers: {} })));
    expect(ids.size).toBe(1000);
  });
});

describe('RouteTable', () => {
  const table = new RouteTable();
  table.add('GET', '/events/:id');
  table.add('POST', '/events');
  table.add('PUT', '/files/*');

  it.each([
    ['/events/x', ['GET']],
    ['/events', ['POST']],
    ['/events/', []],
    ['/events/x/y', []],
    ['/files/a/b', ['PUT']],
    ['/files', []],
    ['*', []],
  ])('knows the methods of %s', (path, methods) => {
    expect(table.methodsOf(path)).toEqual(methods);
  });
});

describe('MetricsRegistry', () => {
  it('keeps each service apart and gives one metric for one name', async () => {
    const [one, other] = [new MetricsRegistry(), new MetricsRegistry()];
    const options = { name: 'sluice_x_total', help: 'x', labels: ['app'] as const };
    one.counter(options).inc({ app: 'a' });
    one.counter(options).inc({ app: 'a' });
    other.counter(options);
    expect(await one.expose()).toContain('sluice_x_total{app="a"} 2');
    expect(await other.expose()).not.toContain('app="a"');
  });

  it('refuses a name that is taken by another kind or other labels', () => {
    const metrics = new MetricsRegistry();
    metrics.counter({ name: 'sluice_x', help: 'x' });
    expect(() => metrics.gauge({ name: 'sluice_x', help: 'x' })).toThrow('sluice_x is counter() already');
    expect(() => metrics.counter({ name: 'sluice_x', help: 'x', labels: ['a'] })).toThrow('not counter(a)');
  });

  it('exports a counter as 0 from the start, in all series whose labels are known', async () => {
    const metrics = new MetricsRegistry();
    const values = { kind: ['a', 'b'], outcome: ['done', 'failed'] };
    const options = { name: 'sluice_x_total', help: 'x', labels: ['kind', 'outcome'] as const, values };
    metrics.counter(options).inc({ kind: 'a', outcome: 'done' });
    metrics.counter(options);
    expect((await metrics.expose()).match(/^sluice_x_total.*$/gm)).toEqual([
      'sluice_x_total{kind="a",outcome="done"} 1',
      'sluice_x_total{kind="a",outcome="failed"} 0',
      'sluice_x_total{kind="b",outcome="done"} 0',
      'sluice_x_total{kind="b",outcome="failed"} 0',
    ]);
  });

  it('sets a gauge when it is read, and has process metrics on demand', async () => {
    const metrics = new MetricsRegistry({ processMetrics: true });
    let lag = 1;
    metrics.gauge({ name: 'sluice_lag', help: 'lag', collect: (gauge) => gauge.set(lag) });
    lag = 7;
    const text = await metrics.expose();
    expect(text).toContain('sluice_lag 7');
    expect(text).toContain('process_cpu_seconds_total');
  });
});

describe('hasTooManyMembers', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const wide = (members: number) => Object.fromEntries(Array.from({ length: members }, (_, n) => [`k${n}:{`, '":"']));
  const most = JSON.stringify(wide(MAX_OBJECT_MEMBERS));

  it.each([
    ['the most', most, false],
    ['one more', JSON.stringify(wide(MAX_OBJECT_MEMBERS + 1)), true],
    ['one more inside', `{"a":[{"b":${JSON.stringify(wide(MAX_OBJECT_MEMBERS + 1))}}]}`, true],
    ['the most in many objects', `[${most},${most},{"a":${most}}]`, false],
    ['a long array', JSON.stringify(Array(100_000).fill(1)), false],
    ['colons in text', JSON.stringify({ a: ':'.repeat(100_000) }), false],
    ['deep ones', '{"a":'.repeat(100_000), false],
    ['a wide one deep inside', '{"a":'.repeat(100_000) + JSON.stringify(wide(MAX_OBJECT_MEMBERS + 1)), true],
    ['no JSON', '}'.repeat(100_000), false],
  ])('counts %s', (_, text, expected) => {
    expect(hasTooManyMembers(bytes(text))).toBe(expected);
  });
});
