import { until } from '@sluice/event-log/conformance';
import { range, RawClient, subscribedClient } from './raw-client';
import { TestService } from './service';

const EVENTS = 500;
const PADDING = 60 * 1024;

let service: TestService;
let token: string;

afterEach(() => service.stop());

/** Far more than the buffers of the kernel and of the subscription hold together. */
async function flood(attentive?: RawClient): Promise<void> {
  for (let n = 1; n <= EVENTS; n += 10) {
    await service.appendNumbers(n, 10, 'box-1', PADDING);
    await attentive?.whenNumbers(n + 9);
  }
}

describe('a line subscriber that stops reading', () => {
  beforeEach(async () => {
    service = await TestService.start({ limits: { sweepMs: 20 } });
    token = await service.token();
  });

  it('is cut with a code and a cursor, holds nobody up, and resumes without a gap', async () => {
    const { client: attentive } = await subscribedClient(service.port, token);
    const { client: slow } = await subscribedClient(service.port, token);
    slow.socket.pause();
    await flood(attentive);
    await until(
      async () => (await service.metric('sluice_pubsub_connections_ended_total', 'slow_subscriber')) === 1,
      'the cut',
    );
    expect(attentive.numbers).toEqual(range(1, EVENTS));

    slow.socket.resume();
    const farewell = await slow.farewell();
    expect(farewell).toMatch(/^-ERR slow_subscriber /);
    await slow.whenClosed();
    expect(slow.error).toBeUndefined();
    const seen = slow.numbers.length;
    expect(slow.numbers).toEqual(range(1, seen));
    // What the process held for it, next to what the kernel did, was a fraction of what was published.
    expect(slow.bytes.length).toBeLessThan((EVENTS * PADDING) / 3);
    expect(await service.metric('sluice_pubsub_sent_bytes_total')).toBeLessThan(EVENTS * PADDING * 1.5);

    const cursor = farewell.split(' ').at(-1);
    const { client: resumed } = await subscribedClient(service.port, token, 'box-1', cursor);
    await resumed.whenNumbers(EVENTS - seen);
    expect(resumed.numbers).toEqual(range(seen + 1, EVENTS - seen));
    for (const client of [attentive, resumed]) client.destroy();
  });
});

describe('a subscriber that never reads again', () => {
  it('is destroyed when its last bytes do not leave in time', async () => {
    service = await TestService.start({ limits: { sweepMs: 20, flushGraceMs: 50, lingerMs: 50 } });
    token = await service.token();
    const { client } = await subscribedClient(service.port, token);
    client.socket.pause();
    await flood();
    await until(async () => (await service.metric('sluice_pubsub_connections_destroyed_total')) === 1, 'the end');
    client.socket.resume();
    await client.whenClosed();
    // Whether Node.js shows the reset as an error depends on what it still had to read.
    expect(client.numbers).toEqual(range(1, client.numbers.length));
    expect(client.lines.at(-1)).not.toMatch(/^-ERR /);
    expect(client.bytes.length).toBeLessThan(EVENTS * PADDING);
    await until(async () => (await service.metric('sluice_pubsub_connections')) === 0, 'the end');
  });

  it('is cut while it catches up, when it takes nothing for too long', async () => {
    service = await TestService.start({ limits: { sweepMs: 20, stallTimeoutMs: 100 } });
    token = await service.token();
    await flood();
    const client = new RawClient(service.port);
    client.socket.pause();
    client.send(`SUBSCRIBE box-1 ${token} earliest`);
    await until(
      async () => (await service.metric('sluice_pubsub_connections_ended_total', 'slow_subscriber')) === 1,
      'the cut',
    );
    client.socket.resume();
    expect(await client.farewell()).toMatch(/^-ERR slow_subscriber .* 1-[0-9a-f]{8}-[0-9a-z]+$/);
    expect(client.numbers).toEqual(range(1, client.numbers.length));
    client.destroy();
  });
});

describe('a RESP subscriber that stops reading', () => {
  it('is cut on a frame boundary, though only one of its channels is behind', async () => {
    service = await TestService.start({ limits: { sweepMs: 20 } });
    const client = new RawClient(service.port);
    client.command('AUTH', await service.apiKey());
    client.command('SUBSCRIBE', 'box-1', 'box-2');
    await client.reply(2);
    client.socket.pause();
    await flood();
    await until(
      async () => (await service.metric('sluice_pubsub_connections_ended_total', 'slow_subscriber')) === 1,
      'the cut',
    );
    client.socket.resume();
    expect(await client.farewell()).toMatch(/^-ERR slow_subscriber /);
    expect(client.replies.slice(3, -1).every((reply) => Array.isArray(reply) && reply[0] === 'message')).toBe(true);
    client.destroy();
  });
});
