import { record, usePubSubBench } from '../test/pubsub-bench';
import { eventLine, ScriptedLineServer } from '../test/scripted-line-server';
import { rejection, until } from '../test/until';
import { EventsPubSubError } from './index';

const bench = usePubSubBench();
const { makeClient, subscribed, accept } = bench;

describe('subscribing', () => {
  it('subscribes, emits connect and then the events', async () => {
    const client = makeClient();
    const log = record(client);
    expect(client.getState()).toBe('disconnected');
    const connecting = client.connect();
    expect(client.getState()).toBe('connecting');
    expect(client.connect()).toBe(connecting);
    const { peer, line } = await accept('c0');
    expect(line).toBe('SUBSCRIBE sandbox-123 token');
    await connecting;
    await client.connect();
    expect(client.getState()).toBe('connected');
    peer.send(eventLine(1), '*3', '$7', 'message', '$11', 'sandbox-123', '$99', eventLine(2), '+CURSOR c9', ':1');
    await until('both events', () => log.length === 3);
    expect(log).toEqual(['connect', 'e1', 'e2']);
    await until('the cursor', () => client.getCursor() === 'c9');
    expect(bench.server.peers).toHaveLength(1);
  });

  it('works with a server that has no cursors', async () => {
    const client = makeClient();
    const log = record(client);
    const connecting = client.connect();
    const peer = await bench.server.peer();
    await peer.line();
    peer.send('+OK');
    await connecting;
    peer.send('{"id":"e1","sandboxId":"sandbox-123","workspaceId":1,"type":"t","data":{},"timestamp":1}');
    await until('the event', () => log.includes('e1'));
    peer.fin();
    const again = await bench.server.peer();
    expect(await again.line()).toBe('SUBSCRIBE sandbox-123 token');
  });

  it('starts from a given cursor', async () => {
    const client = makeClient({ cursor: 'c41' });
    client.connect().catch(() => undefined);
    const peer = await bench.server.peer();
    expect(await peer.line()).toBe('SUBSCRIBE sandbox-123 token c41');
  });

  it('gives events of the chunk that acknowledges to listeners added after connect()', async () => {
    const client = makeClient();
    const connecting = client.connect();
    const peer = await bench.server.peer();
    await peer.line();
    peer.send('+OK subscribed sandbox-123 c0', eventLine(1), eventLine(2));
    await connecting;
    const log = record(client);
    await until('both events', () => log.length === 2);
    expect(log).toEqual(['e1', 'e2']);
  });

  it('reports an event that cannot be read and goes on', async () => {
    const client = makeClient();
    const log = record(client);
    const peer = await subscribed(client);
    peer.send('{"id":', eventLine(1));
    await until('the event', () => log.includes('e1'));
    expect(log).toEqual(['connect', 'error malformed_event', 'e1']);
  });

  it.each([
    { sandboxId: 'a b' },
    { sandboxId: 'a\r\nSUBSCRIBE b' },
    { accessToken: 'to ken' },
    { accessToken: 'to\nken' },
    { cursor: 'c 1' },
  ])('refuses %j without a connection', async (config) => {
    const client = makeClient(config);
    const error = await rejection(client.connect());
    expect(error).toBeInstanceOf(EventsPubSubError);
    expect(error.message).not.toMatch(/to\sken/);
    expect(client.getState()).toBe('error');
    expect(bench.server.peers).toHaveLength(0);
  });

  it('speaks TLS', async () => {
    const psk = { psk: Buffer.alloc(16, 7), identity: 'test' };
    const secure = new ScriptedLineServer({ ciphers: 'PSK', pskCallback: () => psk.psk });
    await secure.start();
    const tls = { ciphers: 'PSK', pskCallback: () => psk, checkServerIdentity: () => undefined };
    const client = makeClient({ port: secure.port, tls });
    const log = record(client);
    const connecting = client.connect();
    const peer = await secure.peer();
    expect(await peer.line()).toBe('SUBSCRIBE sandbox-123 token');
    peer.send('+OK subscribed sandbox-123 c0', eventLine(1));
    await connecting;
    await until('the event', () => log.includes('e1'));
    await client.disconnect();
    await secure.stop();
  });
});

describe('refusals', () => {
  it.each(['unauthorized', 'token_expired', 'forbidden', 'bad_request'])('ends on -ERR %s for good', async (code) => {
    const client = makeClient();
    const log = record(client);
    const connecting = rejection(client.connect());
    const peer = await bench.server.peer();
    peer.fin(`-ERR ${code} no\r\n`);
    const error = await connecting;
    expect(error).toBeInstanceOf(EventsPubSubError);
    expect(error).toMatchObject({ message: `${code} no`, code, retryable: false });
    expect(client.getState()).toBe('error');
    expect(log).toEqual([`error ${code}`]);
  });

  it('needs no error listener, and may leave the socket open after -ERR', async () => {
    const client = makeClient();
    const connecting = rejection(client.connect());
    const peer = await bench.server.peer();
    peer.send('-ERR unavailable');
    expect((await connecting).message).toBe('unavailable');
    expect(client.getState()).toBe('disconnected');
    await until('the socket to be closed', () => peer.closed);
  });

  it('rejects when the server closes without a line', async () => {
    const client = makeClient();
    const connecting = rejection(client.connect());
    (await bench.server.peer()).fin();
    expect(await connecting).toMatchObject({ code: 'connection_closed' });
    expect(client.getState()).toBe('disconnected');
  });

  it('rejects when the server resets, never answers, or is not there', async () => {
    const reset = rejection(makeClient().connect());
    (await bench.server.peer()).reset();
    expect(await reset).toMatchObject({ code: 'connection_error' });
    expect(await rejection(makeClient({ connectTimeoutMs: 30 }).connect())).toMatchObject({ code: 'connect_timeout' });
    const { port } = bench.server;
    await bench.server.stop();
    const refused = await rejection(makeClient({ port }).connect());
    expect(refused).toBeInstanceOf(EventsPubSubError);
    expect(refused.message).toContain('ECONNREFUSED');
    bench.server = new ScriptedLineServer();
    await bench.server.start();
  });

  it('does not take an array or another error for an answer', async () => {
    const client = makeClient({ connectTimeoutMs: 1_000 });
    const connecting = rejection(client.connect());
    (await bench.server.peer()).send('*3', '$9', 'subscribe', '-NOAUTH who');
    expect(await connecting).toMatchObject({ code: 'connect_timeout' });
  });
});

describe('disconnect', () => {
  it('unsubscribes and closes, with no disconnect event and no reconnect', async () => {
    const client = makeClient();
    const log = record(client);
    const peer = await subscribed(client);
    await client.disconnect();
    expect(client.getState()).toBe('disconnected');
    await until('the server to see it', () => peer.closed);
    expect(peer.lines).toEqual(['SUBSCRIBE sandbox-123 token', 'UNSUBSCRIBE']);
    expect(log).toEqual(['connect']);
    await client.disconnect();
  });

  it('rejects a connect() under way', async () => {
    const client = makeClient();
    const connecting = rejection(client.connect());
    await bench.server.peer();
    await client.disconnect();
    expect(await connecting).toMatchObject({ code: 'disconnected' });
    expect(client.getState()).toBe('disconnected');
  });

  it('allows connect() at once, which resumes', async () => {
    const client = makeClient();
    const log = record(client);
    await subscribed(client);
    const leaving = client.disconnect();
    const connecting = client.connect();
    expect((await accept('c0')).line).toBe('SUBSCRIBE sandbox-123 token c0');
    await Promise.all([leaving, connecting]);
    expect(client.getState()).toBe('connected');
    expect(log).toEqual(['connect', 'connect']);
  });

  it('ends the wait for a reconnect, also from a listener', async () => {
    const client = makeClient();
    client.on('disconnect', () => void client.disconnect());
    (await subscribed(client)).fin();
    await until('the end', () => client.getState() === 'disconnected');
    expect(Reflect.get(client, 'reconnectTimer')).toBeUndefined();
  });
});
