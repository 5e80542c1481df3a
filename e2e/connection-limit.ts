import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { until } from '@sluice/event-log/conformance';
import { untilAnswer } from './polling';
import type { ClusterSystem } from './system';

const LIMIT = 10;
const ATTEMPTS = 200;
const REPLICAS = ['sse-stream', 'sse-stream-2', 'sse-stream-3'] as const;
const ANSWER_TIMEOUT_MS = 120_000;

/** Streams of one key, and the most of them that were ever open at once. */
class OpenStreams {
  private readonly open = new Set<ClientRequest>();
  most = 0;
  readonly refusals: { readonly retryAfter: string | undefined; readonly code: unknown }[] = [];

  constructor(private readonly apiKey: string) {}

  get count(): number {
    return this.open.size;
  }

  /** True when the stream is open. */
  async tryOpen(baseUrl: string): Promise<boolean> {
    const call = request(`${baseUrl}/api/v1/events`, { headers: { 'x-api-key': this.apiKey }, agent: false });
    const response = await new Promise<IncomingMessage | undefined>((resolve) => {
      call
        .on('response', resolve)
        .on('error', () => resolve(undefined))
        .end();
    });
    if (!response) return false;
    response.on('error', () => undefined);
    if (response.statusCode !== 200) {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
      const { code } = JSON.parse(text) as { code: unknown };
      this.refusals.push({ retryAfter: response.headers['retry-after'], code });
      return false;
    }
    this.open.add(call);
    this.most = Math.max(this.most, this.open.size);
    response.on('close', () => this.open.delete(call)).resume();
    return true;
  }

  async closeSome(count: number): Promise<void> {
    const left = this.open.size - count;
    for (const call of [...this.open].slice(0, count)) call.destroy();
    await until(() => this.open.size <= left, 'streams close', ANSWER_TIMEOUT_MS);
  }
}

/** 200 connections of one key over three replicas: never more than ten at once; those of a killed replica free themselves. */
export async function assertConnectionsLimited(system: ClusterSystem): Promise<void> {
  const { apiKey } = system.dev();
  const processes = await system.processes();
  const urls = REPLICAS.map((name) => processes[name]?.url ?? '');
  const streams = new OpenStreams(apiKey);
  await Promise.all(Array.from({ length: ATTEMPTS }, (_, n) => streams.tryOpen(urls[n % urls.length] ?? '')));
  expect(streams.count).toBe(LIMIT);
  expect(streams.refusals).toHaveLength(ATTEMPTS - LIMIT);
  expect(streams.refusals.every(({ code }) => code === 'RATE_LIMIT_EXCEEDED')).toBe(true);
  expect(streams.refusals.every(({ retryAfter }) => Number(retryAfter) >= 1)).toBe(true);

  for (let round = 0; round < 5; round++) {
    await streams.closeSome(3);
    await untilAnswer(
      async () => {
        await Promise.all(urls.map((url) => streams.tryOpen(url)));
        return streams.count === LIMIT;
      },
      'places that were given back are given out again',
      ANSWER_TIMEOUT_MS,
    );
  }
  expect(streams.most).toBe(LIMIT);

  // The replica with the most of them, so that something is freed.
  await streams.closeSome(LIMIT);
  const [doomed = '', other = ''] = urls;
  await untilAnswer(
    async () => {
      if (streams.count < 6) await streams.tryOpen(doomed);
      else await streams.tryOpen(other);
      return streams.count === LIMIT;
    },
    'both replicas have some',
    ANSWER_TIMEOUT_MS,
  );
  const killing = system.killApp(REPLICAS[0]);
  await until(() => streams.count < LIMIT, 'the streams of the killed replica break', ANSWER_TIMEOUT_MS);
  await untilAnswer(
    async () => {
      await streams.tryOpen(other);
      return streams.count === LIMIT;
    },
    'the places of the killed replica are free',
    ANSWER_TIMEOUT_MS,
  );
  expect(streams.most).toBe(LIMIT);
  await killing;
  await streams.closeSome(LIMIT);
}
