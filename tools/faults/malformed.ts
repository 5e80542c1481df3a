import { request } from 'node:http';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import type { DevFile } from '../../e2e/system';

const ANSWER_TIMEOUT_MS = 20_000;
const MANY = 1_000_000;

/** Something that no well-meaning client sends, and what the server may do about it. */
export interface MalformedCall {
  readonly name: string;
  /** What came of it: a status, a close code, or `closed` where the connection ended without more. */
  readonly send: () => Promise<string>;
  readonly isRight: (outcome: string) => boolean;
}

const isRefusal = (outcome: string): boolean => /^4\d\d$/.test(outcome) || outcome === 'closed';

/** Oversize, broken and hostile input at every door. */
export function malformedCalls(dev: DevFile): readonly MalformedCall[] {
  return [...httpCalls(dev), ...rawHttpCalls(dev), ...socketCalls(dev), ...tcpCalls(dev)];
}

const POSTS = [
  '/events',
  '/v1/registry/events',
  '/api/tasks',
  '/api/sessions/nobody/message',
  '/v1/sessions',
  '/v1/agents',
  '/v1/webhooks',
  '/v1/stream-tokens',
  '/v1/admin/keys',
] as const;
const BODIES: readonly (readonly [string, string | Buffer])[] = [
  ['no JSON', '{"type":'],
  ['another type', '[1,2,3]'],
  ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  ['deep', `${'['.repeat(MANY / 10)}${']'.repeat(MANY / 10)}`],
  ['prototype', '{"__proto__":{"x":1},"constructor":{"prototype":{}},"type":7}'],
  ['huge', JSON.stringify({ type: 'custom.event', data: { text: 'x'.repeat(6 * MANY) } })],
];
const GETS = [
  '/v1/events?limit=-1',
  '/v1/events?cursor=%00%ff',
  '/v1/stream?cursor=nothing',
  '/api/events?lastEventId=nothing',
  `/v1/events?family=${'x'.repeat(10_000)}`,
  '/v1/webhooks/no-uuid',
] as const;

function httpCalls({ baseUrl, adminKey, apiKey }: DevFile): readonly MalformedCall[] {
  const key = (path: string) => (path.includes('admin') || path.includes('registry') ? adminKey : apiKey);
  return [
    ...POSTS.flatMap((path) =>
      BODIES.map(([name, body]) => ({
        name: `POST ${path} ${name}`,
        send: () => call(baseUrl, 'POST', path, key(path), body),
        isRight: isRefusal,
      })),
    ),
    ...GETS.map((path) => ({
      name: `GET ${path.slice(0, 40)}`,
      send: () => call(baseUrl, 'GET', path, apiKey),
      isRight: isRefusal,
    })),
    ...['GET', 'POST'].map((method) => ({
      name: `${method} with a bad key`,
      send: () => call(baseUrl, method, method === 'GET' ? '/v1/events' : '/events', `sk_${'x'.repeat(5_000)}`),
      isRight: isRefusal,
    })),
  ];
}

function call(baseUrl: string, method: string, path: string, key: string, body?: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const headers = { 'x-api-key': key, ...(body !== undefined && { 'content-type': 'application/json' }) };
    const outgoing = request(`${baseUrl}${path}`, { method, headers, agent: false, timeout: ANSWER_TIMEOUT_MS });
    outgoing.on('response', (response) => {
      response.resume().on('error', () => undefined);
      resolve(String(response.statusCode));
      if (response.headers['content-type'] === 'text/event-stream') outgoing.destroy();
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.on('error', (error) => resolve(error.message === 'no answer' ? 'no answer' : 'closed'));
    outgoing.end(body);
  });
}

function rawHttpCalls({ baseUrl, apiKey }: DevFile): readonly MalformedCall[] {
  const { hostname, port } = new URL(baseUrl);
  const send = (text: string) => () => exchange(hostname, Number(port), text, /^HTTP\/1\.1 (\d{3})/);
  const head = `POST /events HTTP/1.1\r\nhost: x\r\nx-api-key: ${apiKey}\r\ncontent-type: application/json\r\n`;
  return [
    { name: 'no HTTP', send: send('\u0000\u0001 nothing\r\n\r\n'), isRight: isRefusal },
    {
      name: 'huge header',
      send: send(`GET /v1/events HTTP/1.1\r\nx: ${'x'.repeat(MANY)}\r\n\r\n`),
      isRight: isRefusal,
    },
    { name: 'two lengths', send: send(`${head}content-length: 5\r\ncontent-length: 6\r\n\r\n{}`), isRight: isRefusal },
    {
      name: 'length and chunks',
      send: send(`${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
      isRight: isRefusal,
    },
    { name: 'broken chunk', send: send(`${head}transfer-encoding: chunked\r\n\r\nZZ\r\n`), isRight: isRefusal },
  ];
}

function socketCalls({ baseUrl, apiKey }: DevFile): readonly MalformedCall[] {
  const messages: readonly (readonly [string, string | Buffer])[] = [
    ['binary', Buffer.alloc(100)],
    ['too large', 'x'.repeat(MANY)],
    ['not understood 30 times', '{"type":"nothing"}'],
  ];
  return ['/v1/socket', '/ws'].flatMap((path) =>
    messages.map(([name, message]) => ({
      name: `${path} ${name}`,
      send: () =>
        new Promise<string>((resolve) => {
          const socket = new WebSocket(`${baseUrl.replace('http', 'ws')}${path}`, { headers: { 'x-api-key': apiKey } });
          const timer = setTimeout(() => socket.terminate(), ANSWER_TIMEOUT_MS);
          socket.on('open', () => {
            for (let n = 0; n < 30; n++) socket.send(message);
          });
          socket
            .on('error', () => undefined)
            .on('close', (code) => {
              clearTimeout(timer);
              resolve(String(code));
            });
        }),
      // The close of the protocol, or a connection that is cut while much is still being sent.
      isRight: (outcome: string) => ['1003', '1006', '1008', '1009', '4029'].includes(outcome),
    })),
  );
}

function tcpCalls({ pubsub, apiKey }: DevFile): readonly MalformedCall[] {
  const { host, port } = pubsub;
  const texts: readonly (readonly [string, string])[] = [
    ['no command', 'HELLO\u0000\u0001\r\n'],
    ['endless line', 'x'.repeat(MANY)],
    ['foreign sandbox', `SUBSCRIBE ${'x'.repeat(2_000)} nobody earliest\r\n`],
    ['RESP of a huge array', '*999999999\r\n'],
    ['RESP of a huge word', `*2\r\n$4\r\nAUTH\r\n$999999999\r\n`],
    ['RESP of a negative length', '*-7\r\n$-9\r\n'],
    ['RESP without credential', '*2\r\n$9\r\nSUBSCRIBE\r\n$9\r\nsandbox:x\r\n*1\r\n$4\r\nQUIT\r\n'],
    ['bad cursor', `SUBSCRIBE nobody ${apiKey} nothing\r\n`],
  ];
  return texts.map(([name, text]) => ({
    name: `TCP ${name}`,
    send: () => exchange(host, port, text, /^-(\w+)/),
    isRight: (outcome: string) => ['ERR', 'NOAUTH', 'WRONGPASS', 'closed'].includes(outcome),
  }));
}

/** Sends bytes and resolves with what the pattern finds in the answer, when the server has ended the connection. */
function exchange(host: string, port: number, text: string, pattern: RegExp): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let answer = '';
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), ANSWER_TIMEOUT_MS);
    let outcome = 'closed';
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer = (answer + chunk).slice(0, 1_000)));
    socket.on('error', (error) => {
      if (error.message === 'no answer') outcome = 'no answer';
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(pattern.exec(answer)?.[1] ?? outcome);
    });
    socket.write(text, 'latin1');
  });
}
