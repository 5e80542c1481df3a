import { until } from '@sluice/event-log/conformance';
import fc from 'fast-check';
import { RawClient, subscribedClient } from './raw-client';
import { TestService } from './service';

let service: TestService;
let apiKey: string;

beforeAll(async () => {
  service = await TestService.start({ limits: { sweepMs: 10 } });
  apiKey = await service.apiKey();
});
afterAll(() => service.stop());

const word = fc.oneof(
  fc.constantFrom('SUBSCRIBE', 'PSUBSCRIBE', 'UNSUBSCRIBE', 'AUTH', 'HELLO', 'CLIENT', 'RESET', 'PING', 'INFO', 'QUIT'),
  fc.constantFrom('2', '3', 'box-1', 'sandbox:', '*', '[', 'a@earliest', 'SETNAME', '@1-', '__proto__', ''),
  fc.string({ unit: 'binary' }),
);
const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const respCommand = fc
  .array(word, { minLength: 1, maxLength: 6 })
  .map((words) => Buffer.from(`*${words.length}\r\n${words.map(bulk).join('')}`));
const lineCommand = fc.array(word, { maxLength: 5 }).map((words) => Buffer.from(`${words.join(' ')}\r\n`));
const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

/** Sends the pieces, ends, and gives what came back, which has to stop at the end of a line. */
async function converse(pieces: readonly Buffer[]): Promise<RawClient> {
  const client = new RawClient(service.port, { allowHalfOpen: true });
  for (const piece of pieces) if (client.socket.writable) client.socket.write(piece);
  client.socket.end();
  await until(() => client.ended || client.closed, 'the end of the conversation');
  await client.whenClosed();
  return client;
}

it.each([
  ['random bytes', fc.array(noise, { maxLength: 5 })],
  ['line commands', fc.array(fc.oneof(lineCommand, lineCommand, noise), { maxLength: 8 })],
  ['RESP commands', fc.array(fc.oneof(respCommand, respCommand, respCommand, noise), { maxLength: 8 })],
])('survives %s', async (_what, pieces) => {
  const login = Buffer.from(`*2\r\n${bulk('AUTH')}${bulk(apiKey)}`);
  await fc.assert(
    fc.asyncProperty(pieces, fc.boolean(), async (parts, isAdmitted) => {
      const client = await converse(isAdmitted ? [login, ...parts] : parts);
      expect(client.error).toBeUndefined();
      const { bytes } = client;
      if (bytes.length > 0) expect(bytes.subarray(-2).toString()).toBe('\r\n');
      return true;
    }),
    { numRuns: 100 },
  );
  const { client } = await subscribedClient(service.port, await service.token());
  await service.appendNumbers(1, 1);
  await client.whenNumbers(1);
  client.destroy();
  await until(async () => (await service.metric('sluice_pubsub_connections')) === 0, 'the end of all');
  expect((await service.host.feed()).counts.subscriptions).toBe(0);
  expect(service.host.limiter.openConnections).toBe(0);
});

describe('hostile input', () => {
  let bystander: RawClient;
  let count = 0;

  beforeAll(async () => {
    bystander = (await subscribedClient(service.port, await service.token())).client;
  });
  afterEach(async () => {
    await service.appendNumbers(++count, 1);
    await bystander.whenNumbers(count);
  });
  afterAll(() => bystander.destroy());

  const nul = String.fromCharCode(0);

  it.each([
    ['a line without an end', 'x'.repeat(100_000), /^-ERR invalid_request /],
    ['a line that is too long', `${'x'.repeat(17_000)}\r\n`, /^-ERR invalid_request /],
    ['too many words', `${'x '.repeat(2_000)}\r\n`, /^-ERR invalid_request /],
    ['NUL in a line', `PING${nul}\r\n`, /^-ERR invalid_request /],
    ['nothing but NUL', nul.repeat(30_000), /^-ERR /],
    ['a bulk of a terabyte', '*1\r\n$1099511627776\r\n', /^-ERR Protocol error: /],
    ['a bulk of less than nothing', '*1\r\n$-5\r\n', /^-ERR Protocol error: /],
    ['an array of a thousand million', '*1000000000\r\n', /^-ERR Protocol error: /],
    ['an endless length', `*${'1'.repeat(5_000)}`, /^-ERR Protocol error: /],
    [
      'a command of many large bulks',
      `*100\r\n${`$60000\r\n${'x'.repeat(60_000)}\r\n`.repeat(9)}`,
      /^-ERR Protocol error: /,
    ],
    ['a bulk longer than it said', '*1\r\n$4\r\nPINGPONG\r\n', /^-ERR Protocol error: /],
    ['NUL in a bulk', `*1\r\n$5\r\nPING${nul}\r\n*1\r\n$4\r\nQUIT\r\n`, /^\+OK$/],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', /^-ERR invalid_request /],
  ])('answers %s and lives on', async (_what, text, answer) => {
    const client = new RawClient(service.port);
    client.socket.write(Buffer.from(text, 'latin1'));
    expect(await client.farewell()).toMatch(answer);
    await client.whenClosed();
    expect(client.error).toBeUndefined();
  });

  it('gives the same answers wherever the bytes are cut', async () => {
    const conversations = [
      `PING\r\nSUBSCRIBE box-9 ${await service.token('box-9')} earliest\r\nPING\r\nQUIT\r\n`,
      [['AUTH', apiKey], ['PING'], ['SUBSCRIBE', 'box-9'], ['PING', 'x'], ['UNSUBSCRIBE'], ['QUIT']]
        .map((words) => `*${words.length}\r\n${words.map(bulk).join('')}`)
        .join(''),
    ];
    // The cursor after +OK moves on with the other tests.
    const spoken = (client: RawClient) => client.text.replaceAll(/1-[0-9a-f]{8}-[0-9a-z]+/g, '<cursor>');
    for (const text of conversations) {
      const bytes = Buffer.from(text);
      const expected = spoken(await converse([bytes]));
      expect(expected).toMatch(/\+OK\r\n$/);
      const cuts = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
      for (let from = 0; from < cuts.length; from += 50) {
        const answers = await Promise.all(
          cuts.slice(from, from + 50).map((cut) => converse([bytes.subarray(0, cut), bytes.subarray(cut)])),
        );
        expect(new Set(answers.map(spoken))).toEqual(new Set([expected]));
      }
    }
  });

  it('holds little for many connections that never finish a command (G9)', async () => {
    const own = await TestService.start({ limits: { sweepMs: 10, authenticationTimeoutMs: 1_500 } });
    const before = process.memoryUsage();
    const hoarders = Array.from({ length: 200 }, () => new RawClient(own.port));
    for (const client of hoarders) client.socket.write(`*9\r\n$16000\r\n${'x'.repeat(15_900)}`);
    for (const client of hoarders) expect(await client.farewell()).toMatch(/^-ERR unauthorized /);
    const after = process.memoryUsage();
    expect(after.rss - before.rss).toBeLessThan(200 * 1024 * 1024);
    await own.stop();
  });
});
