import { recordAndRemove, sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { RawClient, range, subscribedClient } from './raw-client';
import { forgeToken, TestService } from './service';

let service: TestService;
let token: string;
const clients: RawClient[] = [];

function open(): RawClient {
  const client = new RawClient(service.port);
  clients.push(client);
  return client;
}

async function subscribe(cursor?: string, sandboxId?: string, credential = token) {
  const subscribed = await subscribedClient(service.port, credential, sandboxId, cursor);
  clients.push(subscribed.client);
  return subscribed;
}

beforeAll(async () => {
  service = await TestService.start({ limits: { sweepMs: 20 } });
  token = await service.token();
});
afterAll(() => service.stop());
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

async function answerTo(...lines: string[]): Promise<string> {
  const client = open();
  client.send(...lines);
  return client.farewell();
}

describe('a subscription', () => {
  it('gets +OK with its cursor, then events as one JSON line each', async () => {
    const { client, startCursor } = await subscribe();
    expect(startCursor).toMatch(/^1-[0-9a-f]{8}-[0-9a-z]+$/);
    const envelope = sandboxEnvelope({ entityId: 'box-1', data: { n: 1, text: 'ä\r\n\u2028 "x"' } });
    await service.append(envelope);
    const line = await client.line();
    expect(line[0]).toBe('{');
    expect(JSON.parse(line)).toEqual({
      id: envelope.event.id,
      sandboxId: 'box-1',
      workspaceId: 1,
      type: 'execution.completed',
      data: { n: 1, text: 'ä\r\n\u2028 "x"' },
      timestamp: 1_700_000_000_000,
      cursor: expect.stringMatching(/^1-/) as unknown,
    });
    expect(client.text.endsWith('}\r\n')).toBe(true);
  });

  it('resumes from any cursor with no gap and no duplicate, and from earliest', async () => {
    const first = await subscribe();
    await service.appendNumbers(1, 50);
    await first.client.whenNumbers(50);
    first.client.destroy();
    await service.appendNumbers(51, 700);
    const cursor = first.client.events[29]?.cursor;
    const second = await subscribe(cursor);
    expect(second.startCursor).toBe(cursor);
    await service.appendNumbers(751, 50);
    await second.client.whenNumbers(770);
    expect(second.client.numbers).toEqual(range(31, 770));
    const all = await subscribe('earliest');
    await all.client.whenNumbers(801);
    expect(new Set(all.client.events.map(({ id }) => id)).size).toBe(801);
    const resumedByCommand = open();
    resumedByCommand.send(`RESUME ${cursor}`, `SUBSCRIBE box-1 ${token}`);
    await resumedByCommand.whenNumbers(770);
    expect(resumedByCommand.lines[0]).toBe('+OK resume');
    expect(resumedByCommand.numbers).toEqual(range(31, 770));
  });

  it('is told of a reset right after +OK when its cursor cannot be honoured', async () => {
    for (const [cursor, reason] of [
      ['1-00000000-5', 'epoch_changed'],
      [undefined, 'future_cursor'],
    ] as const) {
      const future = (await subscribe()).startCursor.replace(/[^-]+$/, 'zzzzzz');
      const { client, startCursor } = await subscribe(cursor ?? future);
      expect(await client.line()).toBe(`+RESET ${startCursor} ${reason}`);
    }
  });

  it('is told of a reset where something is not kept any more, and goes on from there (G5)', async () => {
    const own = await TestService.start({ limits: { sweepMs: 20 } });
    const ownToken = await own.token();
    const first = await subscribedClient(own.port, ownToken);
    await recordAndRemove(own.host.engine, [
      sandboxEnvelope({ entityId: 'box-1' }),
      sandboxEnvelope({ entityId: 'box-1' }),
    ]);
    const resumed = await subscribedClient(own.port, ownToken, 'box-1', first.startCursor);
    await own.appendNumbers(1, 2);
    for (const { client, startCursor } of [first, resumed]) {
      await client.whenNumbers(2);
      expect(client.lines.filter((line) => line.startsWith('+RESET'))).toEqual([
        // A place that may know of removals.
        expect.stringMatching(new RegExp(`^\\+RESET ${startCursor.replace(/[^-]+$/, '2')}(-\\w+)? no_longer_kept$`)),
      ]);
      expect(client.numbers).toEqual([1, 2]);
      client.destroy();
    }
    await own.stop();
  });

  it('is kept fresh by +CURSOR while nothing comes for it', async () => {
    const own = await TestService.start({ limits: { sweepMs: 20, heartbeatMs: 100 } });
    const ownToken = await own.token();
    const { client, startCursor } = await subscribedClient(own.port, ownToken);
    await own.appendNumbers(1, 3, 'another-box');
    await until(() => client.lines.some((line) => line.startsWith('+CURSOR') && !line.endsWith(startCursor)), 'CURSOR');
    const cursor = client.lines.at(-1)?.split(' ')[1];
    expect(cursor).not.toBe(startCursor);
    const { client: next } = await subscribedClient(own.port, ownToken, 'box-1', cursor);
    await own.appendNumbers(7, 1);
    await next.whenNumbers(1);
    expect(next.numbers).toEqual([7]);
    for (const each of [client, next]) each.destroy();
    await own.stop();
  });

  it('sees its sandbox only, also with the key of the workspace', async () => {
    const { client } = await subscribe(undefined, undefined, await service.apiKey());
    await service.append(sandboxEnvelope({ entityId: 'box-2' }));
    await service.append(sandboxEnvelope({ entityId: 'box-1', workspaceId: 2, data: { n: 99 } }));
    await service.append(sandboxEnvelope({ entityId: 'box-1', family: 'session', data: { n: 98 } }));
    await service.appendNumbers(1, 1);
    await client.whenNumbers(1);
    expect(client.numbers).toEqual([1]);
  });

  it('answers PING, ends by UNSUBSCRIBE, and can be made again on the same connection', async () => {
    const { client } = await subscribe();
    client.send('PING');
    expect(await client.line()).toBe('+PONG');
    client.send('UNSUBSCRIBE');
    expect(await client.line()).toBe('+OK unsubscribed');
    await service.appendNumbers(1, 1);
    client.send(`SUBSCRIBE box-1 ${token}`);
    expect(await client.line()).toMatch(/^\+OK subscribed box-1 /);
    await service.appendNumbers(2, 1);
    await client.whenNumbers(1);
    expect(client.numbers).toEqual([2]);
    client.send('QUIT');
    expect(await client.farewell()).toBe('+OK');
  });

  it('carries an event of the largest size', async () => {
    const { client } = await subscribe();
    await service.appendNumbers(5, 1, 'box-1', 255 * 1024);
    await client.whenNumbers(1);
    expect(client.numbers).toEqual([5]);
  });

  it('is answered though its commands come byte by byte, and though the peer closes its side', async () => {
    const client = new RawClient(service.port, { allowHalfOpen: true });
    clients.push(client);
    for (const byte of `PING\r\nSUBSCRIBE box-1 ${token}\r\n`) client.socket.write(byte);
    client.socket.end();
    await until(() => client.ended, 'FIN');
    expect(client.lines).toEqual(['+PONG', expect.stringMatching(/^\+OK subscribed/)]);
  });
});

describe('an error', () => {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims = { sandboxId: 'box-1', workspaceId: 1, exp: nowSeconds + 600 };

  it.each([
    ['a foreign sandbox', () => service.token('box-2'), 'unauthorized'],
    ['a forged signature', async () => forgeToken(claims, 'HS256', 'another secret, also long enough'), 'unauthorized'],
    ['alg none', async () => forgeToken(claims, 'none'), 'unauthorized'],
    ['an unknown API key', async () => `sk_${'a'.repeat(43)}`, 'unauthorized'],
    ['no token at all', async () => 'nonsense', 'unauthorized'],
    ['an expired token', async () => forgeToken({ ...claims, exp: nowSeconds - 60 }), 'token_expired'],
  ])('refuses %s in a line that its client knows, then FIN', async (_what, credential, code) => {
    const answer = await answerTo(`SUBSCRIBE box-1 ${await credential()}`);
    expect(answer).toMatch(new RegExp(`^-ERR ${code} `));
  });

  it.each([
    ['NONSENSE', 'invalid_request'],
    ['SUBSCRIBE', 'invalid_request'],
    [`SUBSCRIBE ${'x'.repeat(300)} token`, 'invalid_request'],
    ['SUBSCRIBE box-1 token not-a-cursor', 'invalid_cursor'],
    ['RESUME nonsense', 'invalid_cursor'],
    ['GET / HTTP/1.1', 'invalid_request'],
    ['PING\nPING', 'invalid_request'],
    ['x'.repeat(20_000), 'invalid_request'],
  ])('answers %.40j with %s', async (line, code) => {
    expect(await answerTo(line)).toMatch(new RegExp(`^-ERR ${code} `));
  });

  it('ends the connection after a whole line, though more input follows', async () => {
    const { client } = await subscribe();
    await service.appendNumbers(1, 200);
    client.send(`SUBSCRIBE box-1 ${token}`, ...Array.from({ length: 3_000 }, () => 'PING'));
    const answer = await client.farewell();
    expect(answer).toMatch(/^-ERR invalid_request .* 1-[0-9a-f]{8}-[0-9a-z]+$/);
    expect(client.lines.slice(1, -1).every((line) => line.startsWith('{'))).toBe(true);
  });

  it('ends a stream whose token expires, with the cursor to resume from', async () => {
    const expiring = forgeToken({ ...claims, exp: Math.floor(Date.now() / 1000) - 3 });
    const { client } = await subscribe(undefined, undefined, expiring);
    await service.appendNumbers(1, 2);
    const answer = await client.farewell();
    expect(answer).toMatch(/^-ERR token_expired /);
    expect(answer.split(' ').at(-1)).toBe(client.events.at(-1)?.cursor);
  });

  it('ends a line by CR LF only', async () => {
    const client = open();
    client.socket.write('PING\n');
    client.socket.write('PING\r');
    client.socket.write('\n');
    expect(await client.farewell()).toMatch(/^-ERR invalid_request .*CRLF/);
    expect(client.lines).toHaveLength(1);
  });

  it('never answers with anything but lines of its dialect', async () => {
    const { client } = await subscribe('earliest');
    client.send('PING', 'UNSUBSCRIBE', 'PING', 'QUIT');
    await client.farewell();
    expect(client.lines.filter((line) => !/^(?:\{.*\}|\+OK.*|\+PONG|\+CURSOR \S+)$/s.test(line))).toEqual([]);
  });

  it('never tells a credential or another workspace apart', async () => {
    const unknown = await answerTo(`SUBSCRIBE box-1 sk_${'b'.repeat(43)}`);
    const foreign = await answerTo(`SUBSCRIBE box-1 ${await service.token('box-9', 9)}`);
    expect(foreign).toBe(unknown);
  });
});
