import { record, usePubSubBench } from '../test/pubsub-bench';
import { eventLine } from '../test/scripted-line-server';
import { until } from '../test/until';

const bench = usePubSubBench();
const { makeClient, subscribed, accept } = bench;

describe('reconnecting', () => {
  it('resumes from where the stream started when nothing came yet', async () => {
    const client = makeClient();
    const log = record(client);
    (await subscribed(client, 'c7')).fin();
    const { line } = await accept('c7');
    expect(line).toBe('SUBSCRIBE sandbox-123 token c7');
    await until('the second connect', () => log.length === 3);
    expect(log).toEqual(['connect', 'disconnect', 'connect']);
  });

  it('resumes after the last event, the last +CURSOR, or the last +RESET', async () => {
    const client = makeClient();
    const log = record(client);
    (await subscribed(client)).fin(`${eventLine(1)}\r\n${eventLine(2)}\r\n`);
    const second = await accept('c2');
    expect(second.line).toBe('SUBSCRIBE sandbox-123 token c2');
    second.peer.fin('+CURSOR c30\r\n');
    const third = await accept('c30');
    expect(third.line).toBe('SUBSCRIBE sandbox-123 token c30');
    third.peer.fin('+RESET n1 cursor is too old\r\n');
    const fourth = await accept('n1');
    expect(fourth.line).toBe('SUBSCRIBE sandbox-123 token n1');
    await until('the fourth connect', () => log.filter((word) => word === 'connect').length === 4);
    expect(log.filter((word) => !word.endsWith('connect'))).toEqual(['e1', 'e2', 'reset n1 cursor is too old']);
  });

  it('tells and resumes after RST', async () => {
    const client = makeClient();
    const log = record(client);
    const peer = await subscribed(client);
    peer.send(eventLine(1));
    await until('the event', () => log.includes('e1'));
    peer.reset();
    const { line } = await accept('c1');
    expect(line).toBe('SUBSCRIBE sandbox-123 token c1');
    expect(log.slice(2)).toEqual(['error connection_error', 'disconnect']);
  });

  it('forgets half a line at FIN', async () => {
    const client = makeClient();
    const log = record(client);
    (await subscribed(client)).fin(`${eventLine(1)}\r\n${eventLine(2).slice(0, 40)}`);
    const { peer, line } = await accept('c1');
    expect(line).toBe('SUBSCRIBE sandbox-123 token c1');
    peer.send(eventLine(2));
    await until('the second event', () => log.includes('e2'));
    expect(log).toEqual(['connect', 'e1', 'disconnect', 'connect', 'e2']);
  });

  it.each(['slow_subscriber', 'shutting_down'])('comes back after -ERR %s', async (code) => {
    const client = makeClient();
    const log = record(client);
    (await subscribed(client)).fin(`-ERR ${code} later\r\n`);
    await accept('c0');
    await until('the second connect', () => log.length === 4);
    expect(log).toEqual(['connect', `error ${code}`, 'disconnect', 'connect']);
  });

  it('stays away after -ERR token_expired until it has a new token, and then resumes', async () => {
    const client = makeClient();
    const log = record(client);
    const peer = await subscribed(client);
    peer.send(eventLine(1), '-ERR token_expired renew it');
    await until('the end', () => client.getState() === 'error');
    expect(log).toEqual(['connect', 'e1', 'error token_expired', 'disconnect']);
    client.setAccessToken('fresh');
    const connecting = client.connect();
    expect((await accept('c1')).line).toBe('SUBSCRIBE sandbox-123 fresh c1');
    await connecting;
    expect(bench.server.peers).toHaveLength(2);
  });

  it('waits longer after each failure', async () => {
    const client = makeClient({ reconnectDelay: 20 });
    const arrivalsMs: number[] = [];
    const first = await subscribed(client);
    bench.server.onPeer = (peer) => {
      arrivalsMs.push(performance.now());
      peer.fin('-ERR unavailable\r\n');
    };
    const cutMs = performance.now();
    first.fin();
    await until('four attempts', () => arrivalsMs.length === 4);
    const waitsMs = arrivalsMs.map((at, index) => at - (arrivalsMs[index - 1] ?? cutMs));
    // Half of each ceiling (20, 40, 80, 160 ms) is certain, less the coarseness of timers.
    for (const [index, leastMs] of [10, 20, 40, 80].entries())
      expect(waitsMs[index]).toBeGreaterThanOrEqual(leastMs - 2);
  });

  it('does not reconnect with autoReconnect: false', async () => {
    const client = makeClient({ autoReconnect: false });
    const log = record(client);
    (await subscribed(client)).fin();
    await until('the end', () => log.includes('disconnect'));
    expect(client.getState()).toBe('disconnected');
    const connecting = client.connect();
    const { line } = await accept('c0');
    await connecting;
    expect(line).toBe('SUBSCRIBE sandbox-123 token c0');
    expect(bench.server.peers).toHaveLength(2);
  });

  it('gives a line without an end up, and comes back', async () => {
    const client = makeClient();
    const log = record(client);
    const peer = await subscribed(client);
    peer.write(Buffer.alloc(1024 * 1024 + 1, 'x'));
    await accept('c0');
    await until('the second connect', () => log.length === 4);
    expect(log).toEqual(['connect', 'error line_too_long', 'disconnect', 'connect']);
  });

  it('takes bursts that are larger than one line may be', async () => {
    const client = makeClient();
    const log = record(client);
    const peer = await subscribed(client);
    const pad = 'é'.repeat(1_000);
    peer.send(...Array.from({ length: 2_000 }, (_, n) => eventLine(n, { pad })));
    await until('all events', () => log.length === 2_001);
    expect(log[2_000]).toBe('e1999');
  });
});
