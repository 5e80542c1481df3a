import { createFetchByRules } from '../src/safe-fetch';
import { fetchAmong, PRIVATE, PUBLIC, userAgent } from './among';
import { startNameServer } from './name-server';
import { closeWorlds, codeOf, serveHttp } from './world';

afterEach(closeWorlds);

describe('name servers that change their answer', () => {
  it('connects to the address that was checked, and to no other', async () => {
    const honest = await serveHttp((_request, response) => response.end('honest'), { host: PUBLIC });
    const victim = await serveHttp((_request, response) => response.end('secret'), {
      host: PRIVATE,
      port: honest.port,
    });
    const answers = [[PUBLIC], [PRIVATE], [PRIVATE]];
    let asked = 0;
    const safeFetch = fetchAmong([honest], { resolve: () => Promise.resolve(answers[asked++] ?? []) });
    const { body } = await safeFetch(`http://rebind.test:${honest.port}/`);
    expect(Buffer.from(body).toString()).toBe('honest');
    expect(asked).toBe(1);
    expect(victim.connections()).toBe(0);
    expect(await codeOf(safeFetch(`http://rebind.test:${honest.port}/`))).toBe('refused_address');
    expect(victim.connections()).toBe(0);
  });

  it('checks again at each redirect, also to the same name', async () => {
    const honest = await serveHttp((_request, response) => response.writeHead(302, { location: '/again' }).end());
    const victim = await serveHttp((_request, response) => response.end('secret'), {
      host: PRIVATE,
      port: honest.port,
    });
    const answers = [[PUBLIC], [PRIVATE]];
    const safeFetch = fetchAmong([honest], { resolve: () => Promise.resolve(answers.shift() ?? []) });
    expect(await codeOf(safeFetch(`http://rebind.test:${honest.port}/`))).toBe('refused_address');
    expect([honest.connections(), victim.connections()]).toEqual([1, 0]);
  });

  it('tries the next checked address where one does not answer', async () => {
    const server = await serveHttp((_request, response) => response.end('here'));
    const safeFetch = createFetchByRules(
      { userAgent, resolve: () => Promise.resolve([PRIVATE, PUBLIC]) },
      { publicPorts: new Set([server.port]), isPublicAddress: () => true },
    );
    expect((await safeFetch(`http://two.test:${server.port}/`)).status).toBe(200);
  });
});

describe('a real name server', () => {
  it('that changes its answer between check and connection changes nothing', async () => {
    const honest = await serveHttp((_request, response) => response.end('honest'), { host: PUBLIC });
    const victim = await serveHttp((_request, response) => response.end('secret'), {
      host: PRIVATE,
      port: honest.port,
    });
    const names = await startNameServer((nth) => [nth === 0 ? PUBLIC : PRIVATE]);
    const safeFetch = fetchAmong([honest], { resolve: names.resolve });
    expect(Buffer.from((await safeFetch(`http://rebind.test:${honest.port}/`)).body).toString()).toBe('honest');
    expect(names.questions()).toBe(1);
    expect(await codeOf(safeFetch(`http://rebind.test:${honest.port}/`))).toBe('refused_address');
    expect([honest.connections(), victim.connections()]).toEqual([1, 0]);
    await names.close();
  });

  it.each([
    ['refused_address', [PUBLIC, '10.0.0.1']],
    ['refused_address', [PUBLIC, 'fd00:0:0:0:0:0:0:1']],
    ['refused_address', ['0:0:0:0:0:ffff:7f00:1']],
    ['unreachable', []],
  ] as const)('is %s by the answer %j', async (code, addresses) => {
    const server = await serveHttp((_request, response) => response.end('x'));
    const names = await startNameServer(() => addresses);
    const safeFetch = fetchAmong([server], { resolve: names.resolve });
    expect(await codeOf(safeFetch(`http://some.test:${server.port}/`))).toBe(code);
    expect(server.connections()).toBe(0);
    await names.close();
  });

  it('that says nothing is waited for until the deadline', async () => {
    const names = await startNameServer(() => undefined);
    const safeFetch = createFetchByRules(
      { userAgent, resolve: names.resolve, limits: { timeoutMs: 200 } },
      { publicPorts: new Set([443]), isPublicAddress: () => true },
    );
    expect(await codeOf(safeFetch('https://silent.test/'))).toBe('timeout');
    await names.close();
  });
});
