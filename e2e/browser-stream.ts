import { createServer, type Server } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { chromium, type Page } from 'playwright-core';
import { until } from '@sluice/event-log/conformance';
import { produceRegistryEvents, reputationChange } from './registry';
import type { System } from './system';

const TIMEOUT_MS = 120_000;
const ROUNDS = 5;
const PER_ROUND = 20;

/** What the page tells of its stream. */
interface Told {
  readonly scores: readonly number[];
  readonly connections: number;
  readonly resets: number;
}

declare global {
  var told: Told;
}

/** The whole page: the browser's own EventSource and nothing else. */
const pageOf = (url: string): string => `<!doctype html><title>stream</title><script>
  globalThis.told = { scores: [], connections: 0, resets: 0 };
  const source = new EventSource(${JSON.stringify(url)});
  source.addEventListener('connected', () => told.connections++);
  source.addEventListener('reset', () => told.resets++);
  source.addEventListener('reputation_change', (event) => told.scores.push(JSON.parse(event.data).newScore));
</script>`;

/**
 * A page of another origin with a native EventSource and a stream token: it is cut several times, also before its first
 * event, connects again by itself with Last-Event-ID, and has every event once and in order.
 */
export async function assertBrowserResumes(system: System, executablePath: string): Promise<void> {
  const line = await CuttableLine.to(new URL(system.dev().baseUrl));
  const url = `${line.url}/api/v1/events?reputation=true&token=${await streamToken(system)}`;
  const site = await serve(pageOf(url));
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    await untilTold(page, ({ connections }) => connections === 1, 'the page connects');
    for (let round = 0; round < ROUNDS; round++) {
      line.cut();
      const scores = Array.from({ length: PER_ROUND }, (_, n) => round * PER_ROUND + n);
      // Stored while the page is away.
      await produceRegistryEvents(system, scores.map(reputationChange));
      await untilTold(page, ({ scores: seen }) => seen.length >= (round + 1) * PER_ROUND, 'the events arrive');
    }
    const told = await page.evaluate(() => globalThis.told);
    expect(told.scores).toEqual(Array.from({ length: ROUNDS * PER_ROUND }, (_, n) => n));
    expect(told.connections).toBe(ROUNDS + 1);
    expect(told.resets).toBe(0);
  } finally {
    await browser.close();
    site.close();
    line.close();
  }
}

async function untilTold(page: Page, isTrue: (told: Told) => boolean, what: string): Promise<void> {
  await until(async () => isTrue(await page.evaluate(() => globalThis.told)), what, TIMEOUT_MS);
}

async function streamToken(system: System): Promise<string> {
  const { baseUrl, apiKey } = system.dev();
  const response = await fetch(`${baseUrl}/v1/stream-tokens`, {
    method: 'POST',
    headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ scope: { families: ['registry'] } }),
  });
  const { token } = (await response.json()) as { token: string };
  return token;
}

async function serve(html: string): Promise<Server> {
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(html));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** A line to a server that can be cut in the middle of anything. */
class CuttableLine {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: ReturnType<typeof createTcpServer>,
    readonly url: string,
  ) {}

  static async to({ hostname, port }: URL): Promise<CuttableLine> {
    const server = createTcpServer((socket) => {
      const upstream = connect(Number(port), hostname);
      for (const each of [socket, upstream]) {
        line.sockets.add(each);
        each.on('error', () => undefined).on('close', () => line.sockets.delete(each));
      }
      socket.pipe(upstream).on('close', () => socket.destroy());
      upstream.pipe(socket).on('close', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const line = new CuttableLine(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return line;
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.server.close();
    this.cut();
  }
}
