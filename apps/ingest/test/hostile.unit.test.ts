import assert from 'node:assert';
import { gzipSync } from 'node:zlib';
import { connect } from 'node:net';
import { until } from '@sluice/event-log/conformance';
import { exchange, forgeToken, SECRET, startIngest, times, type IngestService } from './ingest-service';

const HOUR_S = 3600;
const nowS = () => Math.floor(Date.now() / 1000);

describe('POST /events under attack', () => {
  let service: IngestService;
  let bearer: string;
  beforeAll(async () => {
    service = await startIngest({ env: { SLUICE_INGEST_MAX_BODY: '1MiB' } });
    bearer = await service.token();
  });
  afterAll(() => service.stop());
  afterEach(async () => {
    const { status } = await service.post({ type: 'still.serving' }, { bearer });
    expect(status).toBe(201);
  });

  const head = (...lines: string[]) =>
    `${['POST /events HTTP/1.1', 'Host: x', `Authorization: Bearer ${bearer}`, 'Content-Type: application/json', ...lines].join('\r\n')}\r\n\r\n`;

  it('keeps strange text in data as it is', async () => {
    const data = {
      nul: 'a\u0000b',
      lone: '\ud800 \udc00',
      lines: 'a\r\nb\u2028c\u0085',
      html: '</script>',
      sse: 'x\n\ndata: forged\n\n',
      '': { 'key\r\n': 'with a line break' },
      __proto: 1,
      constructor: 'text',
      hasOwnProperty: 'text',
      toJSON: 'text',
      length: -1,
    };
    const { status, body } = await service.post({ type: 'custom', data }, { bearer });
    expect(status).toBe(201);
    expect(service.projection.logged.find(({ id }) => id === body.data.eventId)?.data).toEqual(data);
  });

  it('takes the last of duplicate keys, everywhere the same', async () => {
    const raw = '{"type":"first","type":"last","data":{"n":1},"data":{"n":2,"n":3}}';
    const { body } = await service.send('/events', { bearer, raw });
    expect(body.data.type).toBe('last');
    const logged = service.projection.logged.find(({ id }) => id === body.data.eventId);
    expect(logged).toMatchObject({ type: 'last', data: { n: 3 } });
  });

  it.each([
    ['no credential', {}, 'unauthorized'],
    ['an empty token', { authorization: 'Bearer ' }, 'unauthorized'],
    ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }, 'unauthorized'],
    ['nonsense', { authorization: 'Bearer nonsense' }, 'unauthorized'],
    ['an unknown API key', { 'x-api-key': `sk_${'x'.repeat(43)}` }, 'unauthorized'],
    ['a token of 9 kB', { authorization: `Bearer ${'a'.repeat(9_000)}` }, 'unauthorized'],
  ])('answers 401 to %s', async (_name, headers, code) => {
    const answer = await service.post({ type: 'custom' }, { headers });
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ success: false, code });
    expect(answer.text).not.toMatch(/[\r\n]/);
  });

  const claims = { sandboxId: 'sandbox-123', workspaceId: 1, exp: nowS() + HOUR_S };
  it.each([
    ['another secret', forgeToken(claims, undefined, 'x'.repeat(32)), 'unauthorized'],
    ['no signature', forgeToken(claims, undefined, null), 'unauthorized'],
    ['alg none', forgeToken(claims, { alg: 'none' }, null), 'unauthorized'],
    ['alg none, signed', forgeToken(claims, { alg: 'none' }), 'unauthorized'],
    ['alg NONE', forgeToken(claims, { alg: 'NONE' }, null), 'unauthorized'],
    ['another algorithm', forgeToken(claims, { alg: 'HS512' }), 'unauthorized'],
    ['an algorithm of the key set', forgeToken(claims, { alg: 'RS256' }), 'unauthorized'],
    ['an expired one', forgeToken({ ...claims, exp: nowS() - HOUR_S }), 'token_expired'],
    ['one not yet valid', forgeToken({ ...claims, nbf: nowS() + HOUR_S }), 'unauthorized'],
    ['one without an end', forgeToken({ ...claims, exp: undefined }), 'unauthorized'],
    ['one without a workspace', forgeToken({ ...claims, workspaceId: undefined }), 'unauthorized'],
    ['a workspace as text', forgeToken({ ...claims, workspaceId: '1' }), 'unauthorized'],
    ['a sandbox with a line break', forgeToken({ ...claims, sandboxId: 'a\r\nb' }), 'unauthorized'],
    ['a sandbox that is an object', forgeToken({ ...claims, sandboxId: {} }), 'unauthorized'],
    ['a critical header', forgeToken(claims, { alg: 'HS256', crit: ['x'], x: 1 }), 'unauthorized'],
  ])('answers 401 to a token with %s', async (_name, token, code) => {
    const before = service.projection.logged.length;
    const answer = await service.post({ type: 'custom' }, { bearer: token });
    expect(answer.status).toBe(401);
    expect(answer.body.code).toBe(code);
    expect(answer.text).not.toContain(SECRET);
    expect(service.projection.logged).toHaveLength(before);
  });

  it('takes a token that only looks odd', async () => {
    const token = forgeToken({ ...claims, extra: { deep: [1] } }, { alg: 'HS256', typ: 'at+jwt' });
    expect((await service.post({ type: 'custom' }, { bearer: token })).status).toBe(201);
  });

  it('slows down who guesses credentials, and nobody with a known one', async () => {
    // A service of its own: the guesses are counted by address.
    const guessed = await startIngest();
    const known = await guessed.token();
    expect((await guessed.post({ type: 'custom' }, { bearer: known })).status).toBe(201);
    // Together, so that no pause between them refills what they may.
    const answers = await Promise.all(times(200).map((n) => guessed.post({}, { bearer: `guess${n}` })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
    const answer = answers.find(({ status }) => status === 429) ?? assert.fail();
    expect(answer.body.code).toBe('rate_limited');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect((await guessed.post({ type: 'custom' }, { bearer: known })).status).toBe(201);
    await guessed.stop();
  });

  it('inflates nothing', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
    const headers = { 'content-encoding': 'gzip' };
    const answer = await service.send('/events', { bearer, raw: bomb, headers });
    expect(answer.status).toBe(415);
    const unlabelled = await service.send('/events', { bearer, raw: gzipSync('{"type":"custom"}') });
    expect(unlabelled.status).toBe(400);
    expect(unlabelled.body.code).toBe('invalid_json');
  });

  it('turns strangers away before it reads their body', async () => {
    const announced = `POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900000\r\nConnection: close\r\n\r\n`;
    expect(await exchange(service.url, announced)).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('ends a chunked body that has no end', async () => {
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    const answer = await exchange(service.url, head('Transfer-Encoding: chunked'), chunk.repeat(20));
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"payload_too_large"');
  });

  it.each([
    ['a header that is too large', `X-Big: ${'a'.repeat(20_000)}`, '431'],
    [
      'too many headers together',
      times(400)
        .map((n) => `X-${n}: ${'a'.repeat(50)}`)
        .join('\r\n'),
      '431',
    ],
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 3', '400'],
    ['length and chunks', 'Content-Length: 2\r\nTransfer-Encoding: chunked', '400'],
    ['a length that is no number', 'Content-Length: many', '400'],
    ['a negative length', 'Content-Length: -1', '400'],
    ['a NUL in a header', 'X-Nul: a\u0000b', '400'],
    ['a header folded over two lines', 'X-Folded: a\r\n b', '400'],
  ])('refuses %s', async (_name, lines, status) => {
    const answer = await exchange(service.url, head(lines), '{}');
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it('keeps nothing of callers that leave in the middle of their body', async () => {
    const { hostname, port } = new URL(service.url);
    const before = service.projection.logged.length;
    const sockets = times(20).map(() => connect(Number(port), hostname));
    await Promise.all(
      sockets.map(
        (socket) =>
          new Promise<void>((resolve) => {
            socket.write(`${head('Content-Length: 100000')}{"type":"cut.off","data":{"`, () => resolve());
          }),
      ),
    );
    const inHand = async () =>
      Number(/sluice_http_requests_in_hand\{kind="short"\} (\d+)/.exec(await service.metrics())?.[1]);
    // The one that asks is in hand too.
    await until(async () => (await inHand()) === 21, 'all are in hand');
    for (const socket of sockets) socket.destroy();
    await until(async () => (await inHand()) === 1, 'all are gone');
    expect(service.projection.logged).toHaveLength(before);
    expect((await service.host.feed()).counts.expectedIds).toBe(0);
  });

  it('serves others while many drip their bodies', async () => {
    const { hostname, port } = new URL(service.url);
    const slow = times(100).map(() => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      socket.write(`${head('Content-Length: 100')}{`);
      return socket;
    });
    const answers = await Promise.all(times(50).map(() => service.post({ type: 'custom' }, { bearer })));
    expect(answers.every(({ status }) => status === 201)).toBe(true);
    for (const socket of slow) socket.destroy();
  });
});
