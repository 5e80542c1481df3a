import Redis from 'ioredis';
import { until } from '@sluice/event-log/conformance';
import type { System } from './system';

const TIMEOUT_MS = 120_000;

/** An unmodified Redis client subscribes to a sandbox and receives what is stored for it, whole and in order. */
export async function assertRedisClientReceives(system: System): Promise<void> {
  const { baseUrl, pubsub, sandboxId, accessToken } = system.dev();
  const client = new Redis({ ...pubsub, password: accessToken, lazyConnect: true, disconnectTimeout: 50 });
  const received: { channel: string; event: { id: string; type: string; data: unknown } }[] = [];
  client.on('message', (channel, message) => received.push({ channel, event: JSON.parse(message) }));
  try {
    await client.connect();
    expect(await client.subscribe(sandboxId)).toBe(1);
    const stored: string[] = [];
    for (let n = 0; n < 20; n++) {
      const response = await fetch(`${baseUrl}/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ type: 'redis.client', data: { n, text: 'two\r\nlines' } }),
      });
      stored.push(((await response.json()) as { data: { eventId: string } }).data.eventId);
    }
    const own = () => received.filter(({ event }) => event.type === 'redis.client');
    await until(() => own().length >= stored.length, 'the events arrive', TIMEOUT_MS);
    expect(own().map(({ event }) => event.id)).toEqual(stored);
    expect(own().map(({ event }) => event.data)).toEqual(stored.map((_, n) => ({ n, text: 'two\r\nlines' })));
    expect(new Set(own().map(({ channel }) => channel))).toEqual(new Set([sandboxId]));
  } finally {
    client.disconnect();
  }
}
