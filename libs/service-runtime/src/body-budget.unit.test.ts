import { connect, type Socket } from 'node:net';
import { exchange, until } from '../test/harness';
import { startApp } from '../test/http-fixture';

const BUDGET_BYTES = 200_000;
const head = (path: string, length: number | 'chunked') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${
    length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
  }\r\n\r\n`;

describe('bodies in hand (G9)', () => {
  let running: Awaited<ReturnType<typeof startApp>>;
  let port: number;
  const held: Socket[] = [];

  beforeEach(async () => {
    running = await startApp({ bodyLimitBytes: 150_000, maxBodyBytesInHand: BUDGET_BYTES });
    port = await running.app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    for (const socket of held.splice(0)) socket.destroy();
    await running.app.close();
  });

  /** A caller that sends this and then neither the rest nor goodbye. */
  function hold(...parts: string[]): void {
    const socket = connect(port, '127.0.0.1', () => parts.forEach((part) => socket.write(part)));
    socket.on('error', () => undefined);
    held.push(socket);
  }

  const metric = async (name: string) =>
    Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await running.metrics.expose())?.[1]);
  const inHand = () => metric('sluice_http_body_bytes_in_hand');
  const echo = (body: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}/bare/echo`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });

  it('answers 503 with Retry-After beyond the bound of all bodies together, and recovers', async () => {
    for (let n = 0; n < 3; n++) hold(head('/bare/echo', 60_000), '1');
    await until(async () => (await inHand()) === 180_000);
    const refused = await echo(JSON.stringify('x'.repeat(30_000)));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'overloaded' });
    expect((await echo(JSON.stringify('x'.repeat(10_000)))).status).toBe(200);
    expect(await metric('sluice_http_bodies_refused_total')).toBe(1);
    for (const socket of held.splice(0)) socket.destroy();
    await until(async () => (await inHand()) === 0);
    expect((await echo(JSON.stringify('x'.repeat(30_000)))).status).toBe(200);
  });

  it('counts large bodies by what came of them, not by what they say', async () => {
    for (let n = 0; n < 5; n++) hold(head('/bare/echo', 140_000), '"');
    await until(async () => (await inHand()) === 5);
    const body = JSON.stringify('x'.repeat(140_000));
    expect(await (await echo(body)).text()).toBe('x'.repeat(140_000));
  });

  it.each<[string, number | 'chunked', string]>([
    ['a large body', 140_000, 'x'.repeat(139_999)],
    ['a chunked one', 'chunked', `20000\r\n${'x'.repeat(131_072)}\r\n`],
  ])('refuses %s in the middle', async (_name, length, sent) => {
    hold(head('/bare/echo', 140_000), `"${'x'.repeat(99_999)}`);
    await until(async () => (await inHand()) === 100_000);
    const answer = await exchange(port, head('/bare/echo', length), sent);
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toContain('"code":"overloaded"');
    await until(async () => (await inHand()) === 100_000);
  });

  it('takes a chunked body, and the next request on the same connection', async () => {
    const body = `2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n`;
    const next = 'GET /bare/address HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const answer = await exchange(port, head('/bare/echo', 'chunked'), body, next);
    expect(answer).toContain('[1]');
    expect(answer).toContain('"ip"');
    expect(await inHand()).toBe(0);
  });

  it('refuses a chunked body of another type, and cuts what does not end', async () => {
    const refused = head('/bare/echo', 'chunked').replace('application/json', 'text/plain');
    const answer = await exchange(port, refused, `10000\r\n${'x'.repeat(65_536)}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 415 /);
  });

  it('answers what no route takes without waiting for its body, and closes', async () => {
    const answers = await Promise.all(
      ['/nope', '/bare/address'].map((path) => exchange(port, head(path, 1_000_000), 'x'.repeat(500_000))),
    );
    expect(answers.map((answer) => answer.slice(0, 13))).toEqual(['HTTP/1.1 404 ', 'HTTP/1.1 405 ']);
    expect(await inHand()).toBe(0);
  });
});
