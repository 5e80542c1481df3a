import { createSafeFetch, parsePrivateAllowList, SafeFetchError } from '../src/index';
import { fetchAmong, PRIVATE, PUBLIC, userAgent } from './among';
import { makeCertificate } from '@sluice/event-log/conformance';
import { closeWorlds, codeOf, serveHttp } from './world';

afterEach(closeWorlds);

describe('redirects', () => {
  const resolve = (name: string): Promise<readonly string[]> =>
    Promise.resolve([name.startsWith('private') ? PRIVATE : PUBLIC]);

  it('refuses private addresses behind them, literal and by name', async () => {
    const victim = await serveHttp((_request, response) => response.end('secret'), { host: PRIVATE });
    const server = await serveHttp((request, response) => {
      const location = new URL(request.url ?? '', 'http://x').searchParams.get('to') ?? '';
      response.writeHead(302, { location }).end();
    });
    const safeFetch = fetchAmong([server, victim], { resolve });
    const { port } = victim;
    const locations = [
      `http://${PRIVATE}:${port}/`,
      `//${PRIVATE}:${port}/`,
      `http://private.test:${port}/`,
      `http://2130706434:${port}/`,
    ];
    for (const to of [
      ...locations,
      `http://0x7f.2:${port}`,
      `http://[::ffff:${PRIVATE}]:${port}/`,
      `http://localhost:${port}/`,
    ]) {
      expect(await codeOf(safeFetch(`${server.origin}/?to=${encodeURIComponent(to)}`))).toBe('refused_address');
    }
    for (const to of ['file:///etc/passwd', 'gopher://x.test/', `http://a:b@${server.authority}/`, 'http://']) {
      expect(await codeOf(safeFetch(`${server.origin}/?to=${encodeURIComponent(to)}`))).toBe('invalid_url');
    }
    expect(victim.connections()).toBe(0);
  });

  it('follows as many as allowed, and no loops', async () => {
    const server = await serveHttp((request, response) => {
      const left = Number(request.url?.slice(1));
      const location = request.url === '/loop' ? '/loop' : `/${left - 1}`;
      response.writeHead(left === 0 ? 200 : 307, { location }).end();
    });
    const safeFetch = fetchAmong([server]);
    expect((await safeFetch(`${server.origin}/3`)).finalUrl).toBe(`${server.origin}/0`);
    expect(await codeOf(safeFetch(`${server.origin}/4`))).toBe('too_many_redirects');
    expect(await codeOf(safeFetch(`${server.origin}/1`, { maxRedirects: 0 }))).toBe('too_many_redirects');
    const before = server.connections();
    expect(await codeOf(safeFetch(`${server.origin}/loop`, { maxRedirects: 50 }))).toBe('too_many_redirects');
    expect(server.connections() - before).toBe(1);
  });

  it('does not look at where a redirect leads that is not followed, and tells its status', async () => {
    const server = await serveHttp((_request, response) => {
      response.writeHead(302, { location: `http://${PRIVATE}/` }).end();
    });
    const error: unknown = await fetchAmong([server])(server.origin, { maxRedirects: 0 }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'too_many_redirects', status: 302 });
  });

  it('does not go from https to http, not even to what is listed', async () => {
    const tls = makeCertificate('secure.test', 'secret.test');
    const plain = await serveHttp((_request, response) => response.end());
    const secure = await serveHttp(
      (request, response) => {
        const location =
          request.url === '/up' ? `https://secret.test:${secure.port}/` : `http://plain.test:${plain.port}/`;
        response.writeHead(request.url === '/' ? 200 : 302, { location }).end();
      },
      { tls },
    );
    const allowPrivate = parsePrivateAllowList(`plain.test:${plain.port}`);
    const safeFetch = fetchAmong([plain, secure], { resolve, allowPrivate, trustedCertificates: tls.cert });
    expect(await codeOf(safeFetch(`https://secure.test:${secure.port}/down`))).toBe('refused_address');
    expect(plain.connections()).toBe(0);
    expect((await safeFetch(`https://secure.test:${secure.port}/up`)).finalUrl).toBe(
      `https://secret.test:${secure.port}/`,
    );
    expect(await codeOf(safeFetch(`https://other.test:${secure.port}/`))).toBe('unreachable');
    expect(await codeOf(fetchAmong([secure], { resolve })(`https://secure.test:${secure.port}/`))).toBe('unreachable');
  });

  it('tells another origin no secrets, and turns POST into GET where that is the custom', async () => {
    const seen: { readonly method?: string; readonly url?: string; readonly headers: object; readonly body: string }[] =
      [];
    const server = await serveHttp((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
        const status = Number(url?.slice(1));
        const location = `http://other.test:${server.port}/200`;
        response.writeHead(status, status === 200 ? {} : { location }).end();
      });
    });
    const safeFetch = fetchAmong([server], { resolve });
    const headers = {
      Authorization: 'Bearer x',
      Cookie: 'a=b',
      'X-Api-Key': 'k',
      Accept: 'application/json',
      Host: 'evil.test',
      Connection: 'keep-alive',
      'Content-Length': '99',
      'Accept-Encoding': 'br',
    };
    for (const status of [302, 307]) {
      const request = { method: 'POST', headers: { ...headers, 'content-type': 'text/x' }, body: 'words' } as const;
      await safeFetch(`http://first.test:${server.port}/${status}`, request);
    }
    expect(seen.map(({ method, body }) => [method, body])).toEqual([
      ['POST', 'words'],
      ['GET', ''],
      ['POST', 'words'],
      ['POST', 'words'],
    ]);
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer x',
      'x-api-key': 'k',
      host: `first.test:${server.port}`,
      connection: 'close',
      'content-length': '5',
    });
    for (const later of [seen[1], seen[3]]) {
      expect(later?.headers).toMatchObject({
        accept: 'application/json',
        'user-agent': userAgent,
        'accept-encoding': 'identity',
      });
      expect(Object.keys(later?.headers ?? {})).not.toEqual(expect.arrayContaining(['authorization']));
      expect(later?.headers).not.toHaveProperty('cookie');
      expect(later?.headers).not.toHaveProperty('x-api-key');
    }
  });
});

describe('a URL of the operator', () => {
  it('may be private, for this one request and not behind a redirect', async () => {
    const other = await serveHttp((_request, response) => response.end('secret'));
    const gateway = await serveHttp((request, response) => {
      if (request.url === '/file') response.end('file');
      else response.writeHead(302, { location: request.url === '/self' ? '/file' : other.origin }).end();
    });
    const safeFetch = createSafeFetch({ userAgent });
    const trusted = { isUrlTrusted: true };
    expect((await safeFetch(`${gateway.origin}/file`, trusted)).status).toBe(200);
    expect((await safeFetch(`http://localhost:${gateway.port}/file`, trusted)).status).toBe(200);
    const connections = gateway.connections();
    expect(await codeOf(safeFetch(`${gateway.origin}/file`))).toBe('refused_address');
    expect(gateway.connections()).toBe(connections);
    expect(await codeOf(safeFetch(`${gateway.origin}/self`, trusted))).toBe('refused_address');
    expect(await codeOf(safeFetch(`${gateway.origin}/other`, trusted))).toBe('refused_address');
    expect(gateway.connections()).toBe(connections + 2);
    expect(other.connections()).toBe(0);
    expect(await codeOf(safeFetch(`http://a:b@${gateway.authority}/file`, trusted))).toBe('invalid_url');
  });
});

describe('before a redirect is followed', () => {
  it('is waited for whoever made the request, without a slot, until the deadline', async () => {
    const server = await serveHttp((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/next' }).end();
      else response.end();
    });
    const safeFetch = fetchAmong([server], { limits: { maxConcurrent: 1 } });
    const asked: string[] = [];
    const beforeRedirect = async (url: string): Promise<void> => {
      asked.push(url);
      expect((await safeFetch(`${server.origin}/meanwhile`)).status).toBe(200);
    };
    expect((await safeFetch(`${server.origin}/`, { beforeRedirect })).finalUrl).toBe(`${server.origin}/next`);
    expect(asked).toEqual([`${server.origin}/next`]);
    const refusing = (): Promise<void> => Promise.reject(new SafeFetchError('busy', 'Not now'));
    expect(await codeOf(safeFetch(`${server.origin}/`, { beforeRedirect: refusing }))).toBe('busy');
    const waiting = (_url: string, signal: AbortSignal): Promise<void> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    expect(await codeOf(safeFetch(`${server.origin}/`, { beforeRedirect: waiting, timeoutMs: 200 }))).toBe('timeout');
    expect((await safeFetch(`${server.origin}/next`)).status).toBe(200);
  });
});

describe('the allow list', () => {
  it('lets in the listed origin, also after a redirect, and nothing else', async () => {
    const listed = await serveHttp((_request, response) => response.end('listed'));
    const unlisted = await serveHttp((_request, response) => response.end('secret'));
    const door = await serveHttp((request, response) => {
      response.writeHead(301, { location: request.url === '/in' ? listed.origin : unlisted.origin }).end();
    });
    const safeFetch = createSafeFetch({
      userAgent,
      allowPrivate: parsePrivateAllowList([listed.origin, door.authority]),
    });
    expect((await safeFetch(`${listed.origin}/file.json`)).status).toBe(200);
    expect((await safeFetch(`${door.origin}/in`)).finalUrl).toBe(`${listed.origin}/`);
    expect(await codeOf(safeFetch(`${door.origin}/out`))).toBe('refused_address');
    for (const url of [
      unlisted.origin,
      `http://localhost:${listed.port}/`,
      `https://${listed.authority}/`,
      `http://[::1]:${listed.port}/`,
    ]) {
      expect(await codeOf(safeFetch(url))).toBe('refused_address');
    }
    expect(unlisted.connections()).toBe(0);
  });

  it('lets in a listed name, by the addresses of this machine', async () => {
    const server = await serveHttp((_request, response) => response.end('listed'));
    const safeFetch = createSafeFetch({ userAgent, allowPrivate: parsePrivateAllowList(`localhost:${server.port}`) });
    expect((await safeFetch(`http://localhost:${server.port}/`)).status).toBe(200);
    expect(await codeOf(safeFetch(server.origin))).toBe('refused_address');
  });
});
