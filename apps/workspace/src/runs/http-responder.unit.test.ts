import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { wholeAnswer } from './collect-answer';
import { HTTP_RESPONDER_LIMITS, HttpResponder } from './http-responder';

let server: Server;
let url: string;
let answer: (response: ServerResponse, attempt: number) => void;
let requests: { headers: IncomingMessage['headers']; body: string }[];

beforeEach(async () => {
  requests = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      answer(response, requests.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const CONFIG = { timeoutMs: 5_000, maxAnswerBytes: 1_000, token: 'a-token' };
const ask = (config: Partial<typeof CONFIG> = {}, signal = new AbortController().signal) =>
  wholeAnswer(new HttpResponder(url, { ...CONFIG, ...config }, 1), {
    agentId: 'AMP',
    prompt: 'Hello',
    history: [{ role: 'user', content: 'before' }],
    signal,
  });

const say = (response: ServerResponse, body: unknown, status = 200) =>
  response.writeHead(status).end(JSON.stringify(body));

it('asks by POST and takes one text or several', async () => {
  answer = (response) => say(response, { content: 'one' });
  expect(await ask()).toBe('one');
  expect(JSON.parse(requests[0]?.body ?? '')).toEqual({
    agent_id: 'AMP',
    prompt: 'Hello',
    history: [{ role: 'user', content: 'before' }],
  });
  expect(requests[0]?.headers).toMatchObject({ 'content-type': 'application/json', authorization: 'Bearer a-token' });
  answer = (response) => say(response, { messages: ['one', 'two'] });
  expect(await ask()).toBe('one\ntwo');
});

it('asks again when the responder is away for a moment', async () => {
  answer = (response, attempt) => {
    if (attempt === 1) response.destroy();
    else if (attempt === 2) say(response, {}, 503);
    else say(response, { content: 'at last' });
  };
  expect(await ask()).toBe('at last');
});

it('gives up after its attempts', async () => {
  answer = (response) => say(response, {}, 500);
  await expect(ask()).rejects.toThrow('The responder answered with status 500');
  expect(requests).toHaveLength(HTTP_RESPONDER_LIMITS.attempts);
});

it.each([
  [(response: ServerResponse) => say(response, {}, 400), 'status 400'],
  [
    (response: ServerResponse) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    'could not be reached',
  ],
  [(response: ServerResponse) => response.end('no json'), 'is not {"content"'],
  [(response: ServerResponse) => say(response, { other: 1 }), 'is not {"content"'],
  [(response: ServerResponse) => say(response, { content: 'x'.repeat(2_000) }), 'too large'],
])('fails by what it gets (%#)', async (respond, reason) => {
  answer = respond;
  await expect(ask()).rejects.toThrow(reason);
});

it('does not wait for ever', async () => {
  answer = () => undefined;
  await expect(ask({ timeoutMs: 20 })).rejects.toThrow('did not answer in time');
});

it('breaks off when nobody wants the answer', async () => {
  const controller = new AbortController();
  answer = () => controller.abort(new Error('stopped'));
  await expect(ask({}, controller.signal)).rejects.toThrow('stopped');
  expect(requests).toHaveLength(1);
});
