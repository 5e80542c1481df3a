import { connect } from 'node:net';
import type { DevFile } from '../../e2e/system';

const ANSWER_TIMEOUT_MS = 20_000;
const MANY = 1_000_000;

/** Bytes that no well-meaning client sends, and what the server may do about them. */
export interface MalformedCall {
  readonly name: string;
  /** What came of it: a status, a code, or `closed` where the connection ended without more. */
  readonly send: () => Promise<string>;
  readonly isRight: (outcome: string) => boolean;
}

/** Oversize, broken and hostile bytes at every port: beneath what a client of HTTP, of WebSocket or of Redis would send. */
export function malformedCalls(dev: DevFile): readonly MalformedCall[] {
  const urls = [dev.baseUrl, ...(dev.gatewayUrl === undefined ? [] : [dev.gatewayUrl])];
  return [
    ...urls.flatMap((url) => httpCalls(url, dev)),
    ...['/v1/socket', '/ws'].flatMap((path) => frameCalls(path, dev)),
    ...lineCalls(dev),
    ...respCalls(dev),
  ];
}

const isRefusal = (outcome: string): boolean => /^4\d\d$/.test(outcome) || outcome === 'closed';

function httpCalls(url: string, { apiKey }: DevFile): readonly MalformedCall[] {
  const { hostname, port } = new URL(url);
  const head = `POST /events HTTP/1.1\r\nhost: x\r\nx-api-key: ${apiKey}\r\ncontent-type: application/json\r\n`;
  const get = `GET /v1/events HTTP/1.1\r\nhost: x\r\nx-api-key: ${apiKey}\r\n`;
  const texts: Readonly<Record<string, string>> = {
    'no HTTP': '\u0000\u0001 nothing\r\n\r\n',
    'another protocol': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    TLS: '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
    'an unknown method': 'NOTHING /v1/events HTTP/1.1\r\nhost: x\r\n\r\n',
    'an unknown version': 'GET /v1/events HTTP/9.9\r\nhost: x\r\n\r\n',
    'no host': 'GET /v1/events HTTP/1.1\r\n\r\n',
    'an address without end': `GET /${'x'.repeat(MANY)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    'an address with a space': 'GET /v1/ev ents HTTP/1.1\r\nhost: x\r\n\r\n',
    'a header without end': `${get}x: ${'x'.repeat(MANY)}\r\n\r\n`,
    'many headers': `${get}${'x: y\r\n'.repeat(10_000)}\r\n`,
    'a header without a name': `${get}: y\r\n\r\n`,
    'a header with NUL': `${get}x: a\u0000b\r\n\r\n`,
    'a folded header': `${get}x: a\r\n b: c\r\n\r\n`,
    'two keys': `${get}x-api-key: other\r\nconnection: close\r\n\r\n`,
    'two lengths': `${head}content-length: 5\r\ncontent-length: 6\r\n\r\n{}`,
    'a negative length': `${head}content-length: -5\r\n\r\n{}`,
    'length and chunks': `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    'chunks that are not last': `${head}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    'a broken chunk': `${head}transfer-encoding: chunked\r\n\r\nZZ\r\n`,
    'a chunk without end': `${head}transfer-encoding: chunked\r\n\r\n${'f'.repeat(40)}\r\n{}`,
  };
  return Object.entries(texts).map(([name, text]) => ({
    name: `HTTP: ${name}`,
    send: () => exchange(hostname, Number(port), text, /^HTTP\/1\.1 (\d{3})/),
    isRight: isRefusal,
  }));
}

/** The codes of the protocol for what is no frame, no text, too much or not understood; or a connection that is cut. */
const CLOSES: readonly string[] = ['1002', '1003', '1007', '1008', '1009', '4029', 'closed'];

function frameCalls(path: string, { baseUrl, apiKey }: DevFile): readonly MalformedCall[] {
  const { hostname, port } = new URL(baseUrl);
  const head = `GET ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${apiKey}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n`;
  const greeting = `${head}sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
  const mask = '\u0000\u0000\u0000\u0000';
  const frames: Readonly<Record<string, string>> = {
    'no mask': '\u0081\u0002{}',
    'a reserved bit': `\u00f1\u0082${mask}{}`,
    'a reserved opcode': `\u0083\u0082${mask}{}`,
    'a ping in two parts': `\u0009\u0081${mask}x`,
    'a long ping': `\u0089\u00fe\u0000\u00ff${mask}${'x'.repeat(255)}`,
    'a continuation of nothing': `\u0080\u0081${mask}x`,
    'two beginnings': `\u0001\u0081${mask}x\u0001\u0081${mask}x`,
    'a length of 2^63': `\u0081\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff${mask}x`,
    'a length that is too large': `\u0081\u00ff\u0000\u0000\u0000\u0000\u0040\u0000\u0000\u0000${mask}x`,
    'parts without end': `\u0001\u00fe\u00ff\u00ff${mask}${'x'.repeat(65_535)}\u0000\u00fe\u00ff\u00ff${mask}${'x'.repeat(65_535)}`,
    'no UTF-8': `\u0081\u0083${mask}\u00ff\u00fe\u00fd`,
    binary: `\u0082\u0084${mask}abcd`,
    'a close of one byte': `\u0088\u0081${mask}x`,
    'a close by a code that is none': `\u0088\u0082${mask}\u0000\u0001`,
    'not understood 30 times': `\u0081\u0082${mask}{}`.repeat(30),
    'frames without end': `\u0081\u0082${mask}{}`.repeat(10_000),
  };
  return Object.entries(frames).map(([name, bytes]) => ({
    name: `${path}: ${name}`,
    // The last frame is a close: its code is in the two bytes behind its length.
    send: () =>
      exchange(hostname, Number(port), greeting + bytes, /\u0088[\u0002-\u007d]([\s\S]{2})[^\u0088]*$/, codeOf),
    isRight: (outcome: string) => CLOSES.includes(outcome),
  }));
}

const codeOf = (bytes: string): string => String(Buffer.from(bytes, 'latin1').readUInt16BE());

/** What an error of the TCP port may begin with; `ERR internal` would be a fault of ours. */
const isTcpRefusal = (outcome: string): boolean =>
  (/^(?:ERR|NOAUTH|NOPERM|NOPROTO|WRONGPASS)\b/.test(outcome) && !/ internal/.test(outcome)) || outcome === 'closed';

function tcpCall(name: string, { host, port }: DevFile['pubsub'], text: string): MalformedCall {
  return { name: `TCP: ${name}`, send: () => exchange(host, port, text, /(?:^|\n)-(\w+ ?\w*)/), isRight: isTcpRefusal };
}

function lineCalls({ pubsub, apiKey, sandboxId }: DevFile): readonly MalformedCall[] {
  const texts: Readonly<Record<string, string>> = {
    'no command': 'HELLO\u0000\u0001\r\n',
    'no UTF-8': 'SUBSCRIBE \u00ff\u00fe \u00ff\r\n',
    'a line without end': 'x'.repeat(MANY),
    'a line that is too long': `SUBSCRIBE ${sandboxId} ${'x'.repeat(20_000)}\r\n`,
    HTTP: 'GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n',
    'no sandbox': 'SUBSCRIBE\r\n',
    'no credential': `SUBSCRIBE ${sandboxId}\r\n`,
    'too many words': `SUBSCRIBE ${sandboxId} ${apiKey} earliest and more\r\n`,
    'a credential that is none': `SUBSCRIBE ${sandboxId} ${'x'.repeat(2_000)}\r\n`,
    'a sandbox that is none': `SUBSCRIBE ${'x'.repeat(2_000)} ${apiKey}\r\n`,
    'a sandbox with NUL': `SUBSCRIBE a\u0000b ${apiKey}\r\n`,
    'a cursor that is none': `SUBSCRIBE ${sandboxId} ${apiKey} nothing\r\n`,
    'a cursor beyond numbers': `SUBSCRIBE ${sandboxId} ${apiKey} 1-00000000-${'9'.repeat(400)}\r\n`,
    'a resumption of nothing': 'RESUME\r\n',
    'a resumption from nowhere': `RESUME \u0000${'x'.repeat(2_000)}\r\nSUBSCRIBE ${sandboxId} ${apiKey}\r\n`,
    'two subscriptions': `SUBSCRIBE ${sandboxId} ${apiKey}\r\nSUBSCRIBE ${sandboxId} ${apiKey}\r\n`,
    'commands without end': 'PING\r\n'.repeat(20_000),
  };
  return Object.entries(texts).map(([name, text]) => tcpCall(`lines, ${name}`, pubsub, text));
}

const resp = (...words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word, 'latin1')}\r\n${word}\r\n`).join('')}`;

function respCalls({ pubsub, apiKey, sandboxId }: DevFile): readonly MalformedCall[] {
  const quit = resp('QUIT');
  const strange: Readonly<Record<string, string>> = {
    'a huge array': '*999999999\r\n',
    'a huge word': '*2\r\n$4\r\nAUTH\r\n$999999999\r\n',
    'a negative length': '*-7\r\n$-9\r\n',
    'a length that is no number': '*x\r\n',
    'a length without end': `*${'9'.repeat(MANY)}`,
    'lists in lists': '*1\r\n'.repeat(20_000),
    'words that are numbers': '*2\r\n:1\r\n:2\r\n',
    'a word that goes on': '*1\r\n$4\r\nQUITQUIT\r\n',
    'no credential': resp('SUBSCRIBE', 'sandbox:x') + quit,
    'too many words before a credential': resp('AUTH', ...Array.from({ length: 2_000 }, () => 'x')),
    'a credential that is none': resp('AUTH', 'x'.repeat(10_000)) + quit,
    'a credential with NUL': resp('AUTH', '\u0000\u00ff') + quit,
    'an unknown protocol': resp('HELLO', '99999999999999999999', 'AUTH', 'default', apiKey) + quit,
    'a greeting of nothing': resp('HELLO', '3', 'AUTH') + quit,
  };
  const admitted: Readonly<Record<string, string>> = {
    'an unknown command': resp('\u0000\u00ff', 'x') + quit,
    'no channel': resp('SUBSCRIBE') + quit,
    'a channel of nothing': resp('SUBSCRIBE', '') + quit,
    'a channel of another kind': resp('SUBSCRIBE', `weather:${sandboxId}`) + quit,
    'a channel with NUL': resp('SUBSCRIBE', 'sandbox:a\u0000b') + quit,
    'a channel that is no UTF-8': resp('SUBSCRIBE', 'sandbox:\u00ff\u00fe') + quit,
    'a channel that is too long': resp('SUBSCRIBE', `sandbox:${'x'.repeat(100_000)}`) + quit,
    'a cursor that is none': resp('SUBSCRIBE', `sandbox:${sandboxId}@nothing`) + quit,
    'a cursor beyond numbers': resp('SUBSCRIBE', `sandbox:${sandboxId}@1-00000000-${'9'.repeat(400)}`) + quit,
    'too many channels': resp('SUBSCRIBE', ...Array.from({ length: 500 }, (_, n) => `sandbox:${n}`)) + quit,
    'too many words': resp('SUBSCRIBE', ...Array.from({ length: 5_000 }, () => 'x')),
    'a pattern that is too long': resp('PSUBSCRIBE', `sandbox:${'*'.repeat(5_000)}`) + quit,
    'a pattern of brackets': resp('PSUBSCRIBE', `sandbox:${'[a-'.repeat(60)}`) + quit,
  };
  return [
    ...Object.entries(strange).map(([name, text]) => tcpCall(`RESP, ${name}`, pubsub, text)),
    ...Object.entries(admitted).map(([name, text]) => tcpCall(`RESP, ${name}`, pubsub, resp('AUTH', apiKey) + text)),
  ];
}

/** Sends bytes and resolves with what the pattern finds in the answer, when the server has ended the connection. */
function exchange(
  host: string,
  port: number,
  text: string,
  pattern: RegExp,
  read: (found: string) => string = (found) => found,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let answer = '';
    let outcome = 'closed';
    const timer = setTimeout(() => {
      outcome = 'no answer';
      socket.destroy();
    }, ANSWER_TIMEOUT_MS);
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer = (answer + chunk).slice(-100_000)));
    socket
      .on('error', () => undefined)
      .on('close', () => {
        clearTimeout(timer);
        const found = pattern.exec(answer)?.[1];
        resolve(
          found === undefined ? (outcome === 'closed' ? outcome : `${outcome}: ${answer.slice(0, 200)}`) : read(found),
        );
      });
    socket.write(text, 'latin1');
  });
}
