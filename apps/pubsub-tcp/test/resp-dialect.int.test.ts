import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { RawClient, range, type ReceivedEvent } from './raw-client';
import { forgeToken, TestService } from './service';

let service: TestService;
let apiKey: string;
const clients: RawClient[] = [];

beforeAll(async () => {
  service = await TestService.start({ limits: { channels: 5, sweepMs: 20 } });
  apiKey = await service.apiKey();
});
afterAll(() => service.stop());
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

async function admitted(): Promise<RawClient> {
  const client = new RawClient(service.port);
  clients.push(client);
  client.command('AUTH', apiKey);
  expect(await client.reply(0)).toBe('OK');
  return client;
}

describe('a RESP connection', () => {
  it('speaks RESP3 after HELLO 3 AUTH', async () => {
    const client = new RawClient(service.port);
    clients.push(client);
    client.command('HELLO', '3', 'AUTH', 'default', apiKey, 'SETNAME', 'me');
    client.command('SUBSCRIBE', 'box-1');
    client.command('CLIENT', 'GETNAME');
    client.command('PING');
    await client.reply(3);
    expect(client.text.startsWith('%7\r\n$6\r\nserver\r\n')).toBe(true);
    expect(client.text).toContain('>3\r\n$9\r\nsubscribe\r\n$5\r\nbox-1\r\n:1\r\n');
    expect(client.text.endsWith('$2\r\nme\r\n+PONG\r\n')).toBe(true);
    await service.appendNumbers(7, 1);
    await client.reply(4);
    expect(client.text).toMatch(/>3\r\n\$7\r\nmessage\r\n\$5\r\nbox-1\r\n\$\d+\r\n\{"id":/);
  });

  it('refuses each kind of credential that does not fit, in either version', async () => {
    const claims = { sandboxId: 'box-1', workspaceId: 1, exp: 4_000_000_000 };
    for (const [credential, code] of [
      ['nonsense', 'unauthorized'],
      [`sk_${'a'.repeat(43)}`, 'unauthorized'],
      [forgeToken(claims, 'none'), 'unauthorized'],
      [forgeToken(claims, 'HS256', 'another secret, also long enough'), 'unauthorized'],
      [forgeToken({ ...claims, exp: 1_000 }), 'token_expired'],
    ] as const) {
      const client = new RawClient(service.port);
      clients.push(client);
      client.command('AUTH', credential);
      client.command('HELLO', '3', 'AUTH', 'default', credential);
      client.command('SUBSCRIBE', 'box-1');
      await client.reply(2);
      const refusal: unknown = expect.stringMatching(new RegExp(`^-WRONGPASS ${code} `));
      expect(client.lines).toEqual([refusal, refusal, '-NOAUTH Authentication required.']);
    }
  });

  it('is ended when its token expires, with the cursor to resume from', async () => {
    const exp = Math.floor(Date.now() / 1000) - 3;
    const client = new RawClient(service.port);
    clients.push(client);
    client.command('AUTH', forgeToken({ sandboxId: 'box-1', workspaceId: 1, exp }));
    client.command('SUBSCRIBE', 'box-1');
    await client.reply(1);
    await service.appendNumbers(1, 2);
    const farewell = await client.farewell();
    expect(farewell).toMatch(/^-ERR token_expired /);
    const [, , payload] = client.replies[3] as [string, string, string];
    expect(farewell.split(' ').at(-1)).toBe((JSON.parse(payload) as ReceivedEvent).cursor);
  });

  it('gets each event once for each channel and pattern, in RESP3 as pushes', async () => {
    const client = new RawClient(service.port);
    clients.push(client);
    client.command('HELLO', '3', 'AUTH', 'default', apiKey);
    client.command('PSUBSCRIBE', 'sandbox:box-[12]', 'box-?');
    client.command('PING', 'still here');
    await client.reply(3);
    await service.appendNumbers(1, 1, 'box-2');
    await service.appendNumbers(2, 1, 'other');
    await client.reply(5);
    client.command('PUNSUBSCRIBE', 'box-?');
    await client.reply(6);
    await service.appendNumbers(3, 1, 'box-1');
    await client.reply(7);
    client.command('QUIT');
    expect(await client.farewell()).toBe('+OK');
    const pushes = client.replies.filter((reply): reply is string[] => Array.isArray(reply));
    expect(pushes.filter(([kind]) => kind === 'pmessage').map((push) => push.slice(1, 3))).toEqual([
      ['sandbox:box-[12]', 'sandbox:box-2'],
      ['box-?', 'box-2'],
      ['sandbox:box-[12]', 'sandbox:box-1'],
    ]);
    expect(client.text).toContain('>4\r\n$8\r\npmessage\r\n');
    expect(client.text).toContain('$10\r\nstill here\r\n');
  });

  it('wants authentication first, in the words of Redis', async () => {
    const client = new RawClient(service.port);
    clients.push(client);
    for (const words of [['PING'], ['SUBSCRIBE', 'box-1'], ['NONSENSE'], ['HELLO', '3'], ['HELLO', '4'], ['AUTH']]) {
      client.command(...words);
    }
    await client.reply(5);
    expect(client.lines.map((line) => line.split(' ')[0])).toEqual([
      '-NOAUTH',
      '-NOAUTH',
      '-NOAUTH',
      '-NOAUTH',
      '-NOPROTO',
      '-ERR',
    ]);
    expect(client.lines[0]).toBe('-NOAUTH Authentication required.');
  });

  it('resumes each channel from its own cursor', async () => {
    await service.appendNumbers(1, 20, 'box-r');
    const client = await admitted();
    client.command('SUBSCRIBE', 'box-r@earliest');
    const first = (await client.reply(3)) as [string, string, string];
    expect(first.slice(0, 2)).toEqual(['message', 'box-r@earliest']);
    const other = await admitted();
    other.command('SUBSCRIBE', `sandbox:box-r@${(JSON.parse(first[2]) as ReceivedEvent).cursor}`);
    await until(() => other.replies.length >= 20, 'the rest');
    const payloads = (other.replies.slice(2) as [string, string, string][]).map(([, , text]) => text);
    const skipped = (JSON.parse(first[2]) as ReceivedEvent).data.n;
    expect(payloads.map((text) => (JSON.parse(text) as ReceivedEvent).data.n)).toEqual(
      range(skipped + 1, 20 - skipped),
    );
  });

  it('is told of a reset by a message without an id', async () => {
    const client = await admitted();
    client.command('SUBSCRIBE', 'box-1@1-00000000-5');
    const [kind, channel, payload] = (await client.reply(2)) as [string, string, string];
    expect([kind, channel]).toEqual(['message', 'box-1@1-00000000-5']);
    expect(JSON.parse(payload)).toEqual({ reset: { cursor: expect.any(String), reason: 'epoch_changed' } });
  });

  it('subscribes to all of the channels of a command or to none', async () => {
    const client = await admitted();
    client.command('SUBSCRIBE', 'a', 'b@1-bad');
    client.command('SUBSCRIBE', 'a', 'a', 'b');
    client.command('SUBSCRIBE', 'c', 'd', 'e', 'f');
    client.command('GET', 'x');
    client.command('PING', 'hello');
    client.command('UNSUBSCRIBE');
    client.command('UNSUBSCRIBE');
    await client.reply(9);
    const replies = client.replies.slice(1);
    expect(replies[0]).toMatchObject({ message: expect.stringMatching(/invalid_cursor/) as unknown });
    expect(replies.slice(1, 4)).toEqual([
      ['subscribe', 'a', 1],
      ['subscribe', 'a', 1],
      ['subscribe', 'b', 2],
    ]);
    expect(client.lines).toContainEqual(expect.stringMatching(/^-ERR too_many_connections At most 5/));
    expect(client.lines).toContainEqual(expect.stringMatching(/^-ERR unknown command/));
    expect(replies.slice(6)).toEqual([
      ['pong', 'hello'],
      ['unsubscribe', 'a', 1],
      ['unsubscribe', 'b', 0],
      ['unsubscribe', null, 0],
    ]);
  });

  it('keeps a sandbox to itself and a workspace to its keys', async () => {
    const client = new RawClient(service.port);
    clients.push(client);
    client.command('AUTH', await service.token());
    client.command('SUBSCRIBE', 'box-2');
    client.command('PSUBSCRIBE', '*');
    client.command('SUBSCRIBE', 'box-1');
    await client.reply(3);
    expect(client.lines[1]).toMatch(/^-NOPERM unauthorized /);
    expect(client.lines[2]).toMatch(/^-NOPERM forbidden /);
    const foreign = new RawClient(service.port);
    clients.push(foreign);
    foreign.command('AUTH', await service.apiKey(2));
    foreign.command('PSUBSCRIBE', '*');
    await foreign.reply(1);
    await service.appendNumbers(1, 1);
    await service.append(sandboxEnvelope({ entityId: 'box-1', workspaceId: 2, data: { n: 5 } }));
    await foreign.reply(2);
    expect(foreign.text).toContain('"workspaceId":2');
    expect(foreign.text).not.toContain('"workspaceId":1');
  });

  it('is ended after too many failed attempts, and after bytes that are no RESP', async () => {
    const client = new RawClient(service.port);
    clients.push(client);
    for (let attempt = 0; attempt < 9; attempt++) client.command('AUTH', `wrong-${attempt}`);
    expect(await client.farewell()).toMatch(/^-ERR unauthorized /);
    expect(client.lines).toHaveLength(5);
    const garbled = new RawClient(service.port);
    clients.push(garbled);
    garbled.socket.write('*1\r\n:5\r\n');
    expect(await garbled.farewell()).toMatch(/^-ERR Protocol error: /);
  });

  it('has few patterns, short ones, and says so', async () => {
    const patterns = range(1, 10).map((n) => `p-${n}-*`);
    const own = await TestService.start();
    try {
      const client = new RawClient(own.port);
      clients.push(client);
      client.command('AUTH', await own.apiKey());
      client.command('PSUBSCRIBE', `${'x'.repeat(129)}`);
      client.command('PSUBSCRIBE', ...patterns, 'one-more');
      client.command('PSUBSCRIBE', ...patterns.slice(1));
      client.command('PSUBSCRIBE', 'x'.repeat(128), 'y');
      client.command('PSUBSCRIBE', 'x'.repeat(128));
      client.command('PSUBSCRIBE', 'y');
      client.command('SUBSCRIBE', 'box-1');
      await client.reply(14);
      const errors = client.lines.filter((line) => line.startsWith('-'));
      expect(errors).toEqual([
        '-ERR invalid_request A pattern has at most 128 characters',
        ...range(1, 3).map(() => '-ERR too_many_connections At most 10 patterns on one connection'),
      ]);
      expect(client.replies.at(-1)).toEqual(['subscribe', 'box-1', 11]);
    } finally {
      await own.stop();
    }
  });

  it('answers the others while patterns are matched that are made to take long (G9)', async () => {
    const client = await admitted();
    const patterns = range(1, 5).map((n) => `*[${'b'.repeat(62)}${n}a]${'a'.repeat(55)}z`);
    client.command('PSUBSCRIBE', ...patterns);
    await client.reply(5);
    const other = await admitted();
    const id = 'a'.repeat(256);
    await service.appendNumbers(1, 1_000, id);
    client.command('SUBSCRIBE', 'box-1');
    client.command('PING');
    other.command('PING');
    await other.reply(1);
    await client.reply(7);
    expect(client.replies.slice(6).flat()).not.toContain('pmessage');
  });

  it('reads no more of a stranger than it needs to log in, and as much as ever behind that', async () => {
    const header = async (bytes: string) => {
      const client = new RawClient(service.port);
      clients.push(client);
      client.socket.write(bytes);
      return client.farewell();
    };
    expect(await header('*17\r\n')).toBe('-ERR Protocol error: more than 16 words');
    expect(await header('*2\r\n$16385\r\n')).toBe('-ERR Protocol error: bulk string longer than 16384 bytes');
    const half = `$8192\r\n${'x'.repeat(8_192)}\r\n`;
    expect(await header(`*3\r\n${half}${half}`)).toBe('-ERR Protocol error: command longer than 16384 bytes');
    expect(await header('*3\r\n$7\r\nSETNAME\r\n$17000\r\n')).toMatch(/^-ERR Protocol error: /);

    const client = new RawClient(service.port);
    clients.push(client);
    const bulk = (word: string) => `$${word.length}\r\n${word}\r\n`;
    const many = range(1, 30).map((n) => bulk(`box-${n % 5}`));
    // In one piece: what comes behind AUTH is read when that was answered.
    client.socket.write(
      `*2\r\n${bulk('AUTH')}${bulk(apiKey)}*31\r\n${bulk('SUBSCRIBE')}${many.join('')}*2\r\n${bulk('PING')}${bulk('x'.repeat(60_000))}`,
    );
    await client.reply(31);
    expect(client.replies[30]).toEqual(['subscribe', 'box-0', 5]);
    expect(client.replies[31]).toEqual(['pong', 'x'.repeat(60_000)]);
    client.command('RESET');
    client.command(...range(1, 17).map(() => 'PING'));
    expect(await client.farewell()).toBe('-ERR Protocol error: more than 16 words');
  });
});
