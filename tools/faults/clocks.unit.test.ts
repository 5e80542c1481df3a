import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { clockEffect, untilClocksAreOff } from './clocks';
import { shortfalls } from './effect';

describe('clockEffect', () => {
  it.each([
    ['all clocks have jumped', [3_600.2, 3_599.1], 3_600, 0],
    ['one has not', [3_600.2, 0.1], 3_600, 1],
    ['they jumped the other way', [3_600], -3_600, 1],
  ])('where %s', (_, offsets, seconds, missing) => {
    expect(shortfalls([clockEffect(offsets, seconds)])).toHaveLength(missing);
  });
});

describe('untilClocksAreOff', () => {
  it('asks the process itself, until its clock is where it was moved to', async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      const offsetMs = ++asked < 3 ? 0 : 3_600_000;
      response.end(JSON.stringify({ timestamp: new Date(Date.now() + offsetMs).toISOString() }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [offset = 0] = await untilClocksAreOff([`http://127.0.0.1:${port}`], 3_600);
    expect(Math.round(offset / 60)).toBe(60);
    expect(asked).toBe(3);
    server.close();
  });
});
