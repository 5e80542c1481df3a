import { STORED, useHttpBench } from '../test/http-bench';
import { rejection } from '../test/until';
import { ScriptedHttpServer, succeed } from '../test/scripted-http-server';
import { createEventsClient, EventsAuthError, EventsError, EventsNetworkError } from './index';

const { server, client } = useHttpBench();

function answerWith(status: number, body: string): void {
  server.script = (response) => void response.writeHead(status).end(body);
}

describe('errors', () => {
  it('needs the credential of the call, without a request', async () => {
    const bare = createEventsClient({ gatewayUrl: server.url });
    await expect(bare.getEvents('s')).rejects.toMatchObject({ name: 'EventsAuthError', statusCode: 401 });
    await expect(bare.storeEvent({ type: 't' })).rejects.toBeInstanceOf(EventsAuthError);
    expect(server.seen).toHaveLength(0);
  });

  it('uses credentials set later', async () => {
    answerWith(200, JSON.stringify({ success: true, data: { ...STORED, events: [] } }));
    const bare = createEventsClient({ gatewayUrl: server.url });
    bare.setApiKey('k2');
    bare.setAccessToken('t2');
    await bare.getEvents('s');
    await bare.storeEvent({ type: 't' });
    expect(server.seen[0]?.headers['x-api-key']).toBe('k2');
    expect(server.seen[1]?.headers.authorization).toBe('Bearer t2');
  });

  it('gives EventsAuthError for 401 with the raw body', async () => {
    answerWith(401, '{"error":"expired"}');
    const error = await rejection(client().getEvents('s'));
    expect(error).toBeInstanceOf(EventsAuthError);
    expect(error).toMatchObject({ message: '{"error":"expired"}', statusCode: 401 });
    expect(server.seen).toHaveLength(1);
  });

  it.each([400, 403, 404, 413])('gives EventsError for %d with the raw body and does not retry', async (status) => {
    answerWith(status, 'short text');
    const error = await rejection(client().storeEvent({ type: 't' }));
    expect(error.constructor).toBe(EventsError);
    expect(error).toMatchObject({ message: 'short text', statusCode: status });
    expect(server.seen).toHaveLength(1);
  });

  it.each([
    '<html>',
    '',
    'null',
    '[]',
    '{"success":true}',
    '{"success":false,"data":{}}',
    '{"success":true,"data":{}}',
  ])('calls the success body %j invalid', async (body) => {
    answerWith(200, body);
    for (const call of [() => client().storeEvent({ type: 't' }), () => client().getEvents('s')]) {
      const error = await rejection(call());
      expect(error.constructor).toBe(EventsError);
      expect(error).toMatchObject({ message: 'Invalid response from server', statusCode: 200 });
    }
  });

  it('reads only the beginning of a huge error body', async () => {
    answerWith(400, 'x'.repeat(1_000_000));
    expect((await rejection(client().getEvents('s'))).message).toHaveLength(64 * 1024);
  });

  it('gives EventsNetworkError when nobody listens', async () => {
    const gone = new ScriptedHttpServer();
    await gone.start();
    const gatewayUrl = gone.url;
    await gone.stop();
    const error = await rejection(client({ gatewayUrl, retries: 1 }).getEvents('s'));
    expect(error).toBeInstanceOf(EventsNetworkError);
    expect(error).toBeInstanceOf(EventsError);
    expect(error).toMatchObject({ originalError: { message: 'fetch failed' } });
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('says so when gatewayUrl is no URL', async () => {
    await expect(client({ gatewayUrl: 'not a url' }).getEvents('s')).rejects.toThrow('gatewayUrl');
  });
});

describe('time limit and retries', () => {
  it('covers a server that never answers', async () => {
    server.script = () => undefined;
    const error = await rejection(client({ timeout: 50 }).getEvents('s'));
    expect(error).toBeInstanceOf(EventsNetworkError);
    expect(error.message).toBe('Request timed out after 50ms');
  });

  it.each([200, 401, 500])('covers a body of status %d that stalls', async (status) => {
    server.script = (response) => void response.writeHead(status).write('{"success":');
    const error = await rejection(client({ timeout: 700 }).getEvents('s'));
    expect(error).toBeInstanceOf(EventsNetworkError);
    expect(error.message).toBe('Request timed out after 700ms');
    expect(server.seen).toHaveLength(1);
  });

  it.each([0, 2])('stops after %d retries and gives the last answer', async (retries) => {
    answerWith(500, 'broken');
    const error = await rejection(client({ retries }).getEvents('s'));
    expect(error).toMatchObject({ message: 'broken', statusCode: 500 });
    expect(server.seen).toHaveLength(retries + 1);
  });

  it('retries three times by default', async () => {
    answerWith(502, 'bad gateway');
    await rejection(client().storeEvent({ type: 't' }));
    expect(server.seen).toHaveLength(4);
  });

  it('waits as long as Retry-After says', async () => {
    server.script = (response, _request, index) =>
      index === 0
        ? void response.writeHead(429, { 'retry-after': '1' }).end('slow down')
        : succeed(response, { events: [] });
    await client().getEvents('s');
    const [first, second] = server.seen;
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(950);
  });

  it('does not begin a wait that the time limit would cut off', async () => {
    server.script = (response) => void response.writeHead(429, { 'retry-after': '3600' }).end('slow down');
    await expect(client({ timeout: 5_000 }).getEvents('s')).rejects.toMatchObject({ statusCode: 429 });
    expect(server.seen).toHaveLength(1);
  });
});
