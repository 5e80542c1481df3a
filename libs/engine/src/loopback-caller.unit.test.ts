import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fastify as createFastify, type FastifyInstance } from 'fastify';
import { comesOverLoopback } from './loopback-caller';

describe('comesOverLoopback', () => {
  let fastify: FastifyInstance;
  beforeAll(async () => {
    // Believing proxies must change nothing.
    fastify = createFastify({ trustProxy: true });
    fastify.get('/', (request) => ({ isLoopback: comesOverLoopback(request) }));
    await fastify.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(() => fastify.close());

  async function isLoopback(headers: Record<string, string>, remoteAddress: string): Promise<boolean> {
    const answer = await fastify.inject({ url: '/', headers, remoteAddress });
    return answer.json<{ isLoopback: boolean }>().isLoopback;
  }

  const came = (cases: [name: string, headers: Record<string, string>, from?: string][]) =>
    cases.map(([name, headers, from = '127.0.0.1']) => ({ name, headers, from }));

  const own = came([
    ['a program', {}],
    ['127.0.0.1', { host: '127.0.0.1:18790' }],
    ['another loopback address', { host: '127.8.9.10' }, '127.8.9.10'],
    ['IPv6', { host: '[::1]:8080' }, '::1'],
    ['IPv4 as IPv6', { host: 'LOCALHOST:8080' }, '::ffff:127.0.0.1'],
    ['a page of this machine', { host: 'localhost:8080', origin: 'http://localhost:3000' }],
    ['a page by address', { host: 'localhost:8080', origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'cross-site' }],
    ['a page by IPv6', { host: 'localhost:8080', origin: 'http://[::1]:3000' }],
    ['an own page that says no origin', { 'sec-fetch-site': 'same-origin' }],
    ['an address that was typed in', { 'sec-fetch-site': 'none' }],
    ['a page on another port that says no origin', { 'sec-fetch-site': 'same-site' }],
    ['an own page in other letters', { 'sec-fetch-site': 'Same-Origin' }],
  ]);
  it.each(own)('is true for $name', async ({ headers, from }) => {
    expect(await isLoopback(headers, from)).toBe(true);
  });

  const foreign = came([
    ['another machine', {}, '192.0.2.1'],
    ['another machine that says X-Forwarded-For', { 'x-forwarded-for': '127.0.0.1' }, '192.0.2.1'],
    ['an address that only begins like loopback', {}, '127.0.0.1.example'],
    ['a foreign page', { origin: 'https://evil.example' }],
    ['a page without an origin of its own', { origin: 'null' }],
    ['an empty origin', { origin: '' }],
    ['a file', { origin: 'file://localhost' }],
    ['an origin that begins like loopback', { origin: 'http://localhost.evil.example' }],
    ['an origin with a user', { origin: 'http://localhost@evil.example' }],
    ['an image on a foreign page', { 'sec-fetch-site': 'cross-site' }],
    ['an image on a foreign page, in other letters', { 'sec-fetch-site': 'Cross-Site' }],
    ['where it comes from said twice', { 'sec-fetch-site': 'none, none' }],
    ['where it comes from said in two ways', { 'sec-fetch-site': 'same-origin, cross-site' }],
    [
      'a page of this machine and where it comes from said twice',
      { origin: 'http://localhost', 'sec-fetch-site': 'none, none' },
    ],
    ['a place that no browser knows', { 'sec-fetch-site': 'elsewhere' }],
    ['a name that was made to resolve to loopback', { host: 'evil.example' }],
    ['such a name with a port', { host: 'evil.example:8080', origin: 'http://localhost:8080' }],
    ['a name below localhost', { host: 'evil.localhost' }],
    ['a name that begins like loopback', { host: 'localhost.evil.example' }],
    ['an address that begins like loopback', { host: '127.0.0.1.evil.example' }],
    ['a host with a user', { host: 'localhost@evil.example' }],
    ['a port without a host', { host: ':8080' }],
    ['X-Forwarded-For', { 'x-forwarded-for': '127.0.0.1' }],
    ['X-Forwarded-Host', { 'x-forwarded-host': 'localhost' }],
    ['X-Forwarded-Proto', { 'x-forwarded-proto': 'https' }],
    ['Forwarded', { forwarded: 'for=127.0.0.1' }],
    ['X-Real-IP', { 'x-real-ip': '127.0.0.1' }],
    ['Via', { via: '1.1 proxy' }],
    ['CF-Connecting-IP', { 'cf-connecting-ip': '127.0.0.1' }],
    ['X-Forwarded-Anything', { 'x-forwarded-anything': '1' }],
    ['X-Original-Forwarded-For', { 'x-original-forwarded-for': '127.0.0.1' }],
    ['X-Envoy-External-Address', { 'x-envoy-external-address': '127.0.0.1' }],
    ['X-Azure-ClientIP', { 'x-azure-clientip': '127.0.0.1' }],
  ]);
  it.each(foreign)('is false for $name', async ({ headers, from }) => {
    expect(await isLoopback(headers, from)).toBe(false);
  });

  it('sees the connection itself', async () => {
    const { port } = fastify.server.address() as AddressInfo;
    const ask = (headers: Record<string, string | string[]>) =>
      new Promise<string>((resolve, reject) => {
        get({ host: '127.0.0.1', port, headers, agent: false }, (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => (body += chunk.toString()));
          response.on('end', () => resolve(body));
        }).on('error', reject);
      });
    expect(await ask({})).toBe('{"isLoopback":true}');
    expect(await ask({ host: 'evil.example' })).toBe('{"isLoopback":false}');
    expect(await ask({ 'sec-fetch-site': ['none', 'cross-site'] })).toBe('{"isLoopback":false}');
  });
});
